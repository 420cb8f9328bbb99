"""From declared features to the tables that the kernels carry out.

For every entity: which words of its row hold which running aggregate, what an event in the pool carries, and how a
feature is read from the row. Aggregates that several features share (the sum of a sum and a mean) exist once.

Row of an entity (int64 words), when it has windows:
    time of the cursor, sequence number of the cursor, then for every window the oldest event inside
    (sequence number, time), then aggregates; aggregates over "ever" come last.
Event in the pool (int64 words): time; next and previous event of the entity (int32 each); place of the entity and
flags (int32 each); values; for every minimum or maximum one more word.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from finer.features.errors import InvalidFeatureSet
from finer.features.types import ARITHMETIC, PICKING, Aggregate, Entity, FeatureDefinition, FeatureSet

Array = np.ndarray[Any, np.dtype[Any]]

# Kinds of running aggregates.
COUNT, SUM, SQUARES, DISTINCT = 0, 1, 2, 3  # can take an event out again
EXTREME, FIRST = 4, 5  # need the events themselves when one leaves
LATEST = 6  # FIRST and LATEST over "ever" hold a value and its time

# How a feature is read from the row.
READ_NUMBER, READ_MEAN, READ_STDDEV, READ_DELAYED, READ_DELAYED_MEAN, READ_EXTREME = 0, 1, 2, 3, 4, 5
READ_FIRST, READ_LAST, READ_PREVIOUS, READ_SINCE = 6, 7, 8, 9
READ_EVER, READ_EVER_PREVIOUS, READ_EVER_SINCE = 10, 11, 12

ABSENT = np.iinfo(np.int64).max  # no value in a minimum; a maximum is a minimum of negated values
NEVER = np.iinfo(np.int64).min  # the time of an event that has not happened
HEADER = 2  # words of a row before its windows
EVENT_HEADER = 3  # words of an event before its values
FLAGS_MAX = 31

Source = tuple[str, int | None]  # a value column and the decimals kept of it
Predicate = tuple[str | None, Source | None]  # the events with `where` true and a value


class EntityPlan:
    """The tables of one entity. `features` are the places of its features in the feature set."""

    def __init__(self, entity: Entity, places: list[int], definitions: list[FeatureDefinition]) -> None:
        self.entity = entity
        self.places = np.array(places, np.int64)
        self.definitions = definitions
        self.sources: list[Source] = []
        self.users: dict[Source, list[FeatureDefinition]] = {}
        self.predicates: list[Predicate] = [(None, None)]
        # A window that ends earlier is the difference of two that end now.
        windows = sorted({reach for d in definitions for reach in _reaches(d)})
        self.windows = np.array(windows, np.int64)
        self.pooled = len(windows) > 0  # only an entity with windows keeps its events
        self._running: dict[tuple[Any, ...], int] = {}
        self._windowed: list[tuple[int, ...]] = []
        self._latest: list[tuple[int, int]] = []
        self._ever: list[tuple[int, ...]] = []
        self._blank: list[int] = [0, -1] + [-1, 0] * len(windows) if windows else []
        # Rows must be laid out with windows first, so that emptying the windows is one copy.
        order = sorted(range(len(definitions)), key=lambda i: definitions[i].window is None)
        self.pooled_sources = 0
        for i in order:
            self._collect(definitions[i])
            if definitions[i].window is not None:
                self.pooled_sources = len(self.sources)
        reads: list[tuple[int, ...]] = [()] * len(definitions)
        self.windowed_width = 0
        for i in order:
            if definitions[i].window is None and not self.windowed_width:
                self.windowed_width = len(self._blank)
            reads[i] = self._read(definitions[i])
        if not any(d.window is None for d in definitions):
            self.windowed_width = len(self._blank)
        self._finish(reads)

    def _collect(self, definition: FeatureDefinition) -> None:
        if definition.value is not None:
            source = (definition.value, definition.decimals)
            if source not in self.sources:
                self.sources.append(source)
            self.users.setdefault(source, []).append(definition)
        predicate = self._predicate(definition)
        if predicate not in self.predicates:
            self.predicates.append(predicate)
        if len(self.predicates) > FLAGS_MAX:
            raise InvalidFeatureSet(
                f"The features of {self.entity.name} pick events in more than {FLAGS_MAX} different ways "
                "(pairs of `where` and `value`). Declare a second entity with the same columns for some of them."
            )

    @staticmethod
    def _predicate(definition: FeatureDefinition) -> Predicate:
        source = None if definition.value is None else (definition.value, definition.decimals)
        return (definition.where, source)

    def _running_word(self, kind: int, definition: FeatureDefinition, sign: int = 1, reach: int | None = None) -> int:
        """The first word of a running aggregate, laid out on first use; `reach` (microseconds) is another window."""
        bit = self.predicates.index(self._predicate(definition))
        source = -1
        if definition.value is not None and kind != COUNT:
            source = self.sources.index((definition.value, definition.decimals))
        width = definition.window_us if reach is None else reach
        window = -1 if width is None else int(np.searchsorted(self.windows, width))
        if kind == LATEST and window >= 0:
            window, source = len(self.windows), -1  # one pair of pointers serves all windows and values
        key = (window, kind, source, bit, sign)
        word = self._running.get(key)
        if word is None:
            word = self._running[key] = len(self._blank)
            self._blank += self._initial(kind, window)
            if window < 0:
                self._ever.append((kind, word, source, bit, sign))
            elif kind == LATEST:
                self._latest.append((word, bit))
            else:
                self._windowed.append((window, kind, word, source, bit, sign))
        return word

    @staticmethod
    def _initial(kind: int, window: int) -> list[int]:
        if kind == EXTREME:
            return [ABSENT, ABSENT, -1]
        if kind in (FIRST, LATEST) and window < 0:
            return [0, NEVER]
        return {FIRST: [-1], LATEST: [-1, -1], SQUARES: [0, 0]}.get(kind, [0])

    def _read(self, definition: FeatureDefinition) -> tuple[int, ...]:
        """How the feature is read: (kind, words a, b, c, window, value word of the event, sign)."""
        aggregate, ever = definition.aggregate, definition.window is None
        window = -1 if ever else int(np.searchsorted(self.windows, definition.window_us or 0))
        word = self._running_word
        if definition.delay:
            return self._read_delayed(definition)
        if aggregate in (Aggregate.COUNT, Aggregate.SUM, Aggregate.DISTINCT):
            kind = {Aggregate.COUNT: COUNT, Aggregate.SUM: SUM, Aggregate.DISTINCT: DISTINCT}[aggregate]
            return (READ_NUMBER, word(kind, definition), 0, 0, window, 0, 1)
        if aggregate is Aggregate.MEAN:
            return (READ_MEAN, word(SUM, definition), word(COUNT, definition), 0, window, 0, 1)
        if aggregate is Aggregate.STDDEV:
            words = (word(SUM, definition), word(COUNT, definition), word(SQUARES, definition))
            return (READ_STDDEV, *words, window, 0, 1)
        if aggregate in (Aggregate.MIN, Aggregate.MAX):
            sign = 1 if aggregate is Aggregate.MIN else -1
            return (READ_EXTREME, word(EXTREME, definition, sign), 0, 0, window, 0, sign)
        first = aggregate is Aggregate.FIRST
        running = word(FIRST if first else LATEST, definition)
        value = 0
        if definition.value is not None:
            value = EVENT_HEADER + self.sources.index((definition.value, definition.decimals))
        if ever:
            kinds = {Aggregate.PREVIOUS: READ_EVER_PREVIOUS, Aggregate.TIME_SINCE_PREVIOUS: READ_EVER_SINCE}
            return (kinds.get(aggregate, READ_EVER), running, 0, 0, window, value, 1)
        kinds = {Aggregate.FIRST: READ_FIRST, Aggregate.LAST: READ_LAST, Aggregate.PREVIOUS: READ_PREVIOUS}
        return (kinds.get(aggregate, READ_SINCE), running, 0, 0, window, value, 1)

    def _read_delayed(self, definition: FeatureDefinition) -> tuple[int, ...]:
        """A window that ended earlier: the longer of its two windows less the shorter, which is the delay."""
        outer, inner = _reaches(definition)
        sums, counts = (
            (self._running_word(kind, definition, reach=outer), self._running_word(kind, definition, reach=inner))
            for kind in ((SUM if definition.aggregate in ARITHMETIC else COUNT), COUNT)
        )
        if definition.aggregate is Aggregate.MEAN:
            return (READ_DELAYED_MEAN, *sums, *counts, 0, 1)
        return (READ_DELAYED, *sums, 0, 0, 0, 1)

    def _finish(self, reads: list[tuple[int, ...]]) -> None:
        self._lay_out_windowed()
        self.latest = _table(self._latest, 2)
        # Salts tell the distinct aggregates of an entity apart; those of the windows are their places.
        salts = [len(self.sums) + i if entry[0] == DISTINCT else entry[4] for i, entry in enumerate(self._ever)]
        self.ever = _table([(*entry[:4], salt) for entry, salt in zip(self._ever, salts, strict=True)], 5)
        self._lay_out_reads(reads)
        self.counts_distinct = bool((self.sums[:, 0] == DISTINCT).any() or (self.ever[:, 0] == DISTINCT).any())
        self.width = _padded(len(self._blank))
        self.blank = np.array(self._blank + [0] * (self.width - len(self._blank)), np.int64)

    def _lay_out_windowed(self) -> None:
        """The tables of aggregates by window, and how many words an event has."""
        sums = sorted(entry for entry in self._windowed if entry[1] <= DISTINCT)
        scans = sorted(entry for entry in self._windowed if entry[1] > DISTINCT)
        count = range(len(self.windows) + 1)
        self.sum_starts = np.searchsorted([entry[0] for entry in sums], count).astype(np.int64)
        self.scan_starts = np.searchsorted([entry[0] for entry in scans], count).astype(np.int64)
        # Columns: kind, word, word of the value in the event, flag, salt.
        self.sums = _table([(k, w, EVENT_HEADER + v, b, i) for i, (_, k, w, v, b, _) in enumerate(sums)], 5)
        self.depth = EVENT_HEADER + self.pooled_sources
        rows = []
        for _, kind, word, value, bit, sign in scans:
            # The last column is the word of the event that holds the best from it to the split.
            rows.append((kind, word, EVENT_HEADER + value, bit, sign, self.depth))
            self.depth += kind == EXTREME
        self.scans = _table(rows, 6)

    def _lay_out_reads(self, reads: list[tuple[int, ...]]) -> None:
        """How every feature is read: what looks at the event before over "ever", before the row is updated."""
        early: list[int] = []
        late: list[int] = []
        for i, row in enumerate(reads):
            (early if row[0] in (READ_EVER_PREVIOUS, READ_EVER_SINCE) else late).append(i)
        table = [
            (*row, int(place), int(definition.is_text))
            for row, place, definition in zip(reads, self.places, self.definitions, strict=True)
        ]
        scales = np.array([10.0 ** (definition.decimals or 0) for definition in self.definitions])
        self.early, self.early_scales = _table([table[i] for i in early], 9), scales[np.array(early, np.int64)]
        self.late, self.late_scales = _table([table[i] for i in late], 9), scales[np.array(late, np.int64)]


def plan(feature_set: FeatureSet) -> list[EntityPlan]:
    """One plan for every entity that has features and that its own events enter."""
    return [
        EntityPlan(entity, feature_set.places(entity.name), list(feature_set.of(entity.name)))
        for entity in feature_set.entities
        if not entity.told and feature_set.of(entity.name)
    ]


def is_number(definition: FeatureDefinition) -> bool:
    """Whether the feature needs its value as a number."""
    return definition.aggregate in ARITHMETIC or (definition.aggregate in PICKING and definition.decimals is not None)


def _reaches(definition: FeatureDefinition) -> list[int]:
    """The windows, in microseconds, that the feature is read from: none for "ever", two when it has a delay."""
    if definition.window_us is None:
        return []
    delays = [definition.delay_us] if definition.delay else []
    return [definition.window_us + definition.delay_us, *delays]


def _padded(words: int) -> int:
    """Rows fill whole cache lines, or a power of two of them fills one, so that none lies across more than needed."""
    for size in (1, 2, 4, 8):
        if words <= size:
            return size
    return -(-words // 8) * 8


def _table(rows: list[Any], columns: int) -> Array:
    return np.array(rows, np.int64).reshape(len(rows), columns)
