"""The nouns of features: entities, declared features, a validated set of them, and the values of one batch."""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any

import msgspec
import numpy as np

from finer.features.errors import InvalidFeatureSet
from finer.kit.columns import Columns

Array = np.ndarray[Any, np.dtype[Any]]

WINDOW_MIN, WINDOW_MAX = timedelta(seconds=1), timedelta(days=90)
DECIMALS_MAX = 9
# Raised when the same declarations come to mean something else or the layout of the state changes: it is part of
# every version, so an older snapshot is then refused and the state replayed.
_SEMANTICS = 1
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


class Aggregate(enum.StrEnum):
    """What is made of the events in a window."""

    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    STDDEV = "stddev"
    DISTINCT = "distinct"
    FIRST = "first"
    LAST = "last"
    PREVIOUS = "previous"
    TIME_SINCE_PREVIOUS = "time_since_previous"


ARITHMETIC = frozenset({Aggregate.SUM, Aggregate.MEAN, Aggregate.MIN, Aggregate.MAX, Aggregate.STDDEV})
"""Aggregates that compute with the value: it must be a number."""
DELAYED = frozenset({Aggregate.COUNT, Aggregate.SUM, Aggregate.MEAN})
"""Aggregates that may look at a window that ended before the event."""
PICKING = frozenset({Aggregate.FIRST, Aggregate.LAST, Aggregate.PREVIOUS})
"""Aggregates that give one event's value as it is: text, or a number when `decimals` is given."""


class Entity(msgspec.Struct, frozen=True):
    """What events are grouped by: one text column, or several together (an account with a device).

    An event with a null in any of the columns does not belong to the entity, and its features are null.

    Events do not enter an entity that is `told`. What enters it are rows that say of earlier events what became known
    of them, such as that they were frauds: each with the time since when that is known and a weight, 1, or -1 where it
    is taken back. Its features are a COUNT over a window, which adds up the weights.
    """

    name: str
    columns: tuple[str, ...]
    told: bool = False


class FeatureDefinition(msgspec.Struct, frozen=True):
    """One declared feature.

    For an event at event time t and log offset o the value is the aggregate over the entity's events with offset <= o
    and event time in (t - window, t], the event itself included; equal times are ordered by offset. `window` None
    means "ever": all events of the entity with offset <= o, whatever their time, in the order in which they arrived.

    `value` names a column (null values are left out), `where` a boolean column that picks events. PREVIOUS and
    TIME_SINCE_PREVIOUS (seconds) look at the latest picked event before this one; "ever" looks at the latest that
    arrived and gives null when its time lies after t. Nothing to aggregate gives 0 for COUNT, SUM and DISTINCT,
    null for the others; STDDEV is the sample standard deviation and needs two values.

    `delay` moves the window back: the events are those with event time in (t - delay - window, t - delay]. What is
    known of an event only later (whether it was a fraud) may be counted when the delay is as long as it takes to
    become known, and only then: COUNT, SUM and MEAN (the mean of 0 and 1 is a share).

    Numbers are kept as integers so that sums are exact in any order: `decimals` says how many decimals of the column
    are kept (None and 0: whole numbers, such as minor units). FIRST, LAST and PREVIOUS give text when it is None.
    """

    name: str
    entity: str
    aggregate: Aggregate
    window: timedelta | None
    value: str | None = None
    where: str | None = None
    decimals: int | None = None
    unit: str = ""
    description: str = ""
    delay: timedelta = timedelta(0)

    @property
    def is_text(self) -> bool:
        """Whether the value is a text, of which the stream knows the hash."""
        return self.aggregate in PICKING and self.decimals is None

    @property
    def window_us(self) -> int | None:
        """The window in microseconds; None is ever."""
        return None if self.window is None else self.window // timedelta(microseconds=1)

    @property
    def delay_us(self) -> int:
        """The delay in microseconds; 0 is none."""
        return self.delay // timedelta(microseconds=1)


class FeatureSet:
    """Entities and features that hold together. `version` is the same exactly when the values mean the same."""

    def __init__(self, entities: Iterable[Entity], definitions: Iterable[FeatureDefinition]) -> None:
        """Raises InvalidFeatureSet, with the name of the feature or entity and what to change."""
        self.entities: tuple[Entity, ...] = tuple(entities)
        self.definitions: tuple[FeatureDefinition, ...] = tuple(definitions)
        _check_entities(self.entities)
        _check_names([definition.name for definition in self.definitions])
        known = {entity.name: entity for entity in self.entities}
        for definition in self.definitions:
            _check_definition(definition, known)
        self.version: str = _version(self.entities, self.definitions)
        own = {entity.name for entity in self.entities if not entity.told}
        self.version_untold: str = _version(
            tuple(entity for entity in self.entities if entity.name in own),
            tuple(definition for definition in self.definitions if definition.entity in own),
        )
        """The version of this set without what is told of events."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The features, in the order of their declaration."""
        return tuple(definition.name for definition in self.definitions)

    @cached_property
    def text_names(self) -> frozenset[str]:
        """The features whose values are texts."""
        return frozenset(definition.name for definition in self.definitions if definition.is_text)

    def of(self, entity: str) -> tuple[FeatureDefinition, ...]:
        """The features of one entity."""
        return tuple(definition for definition in self.definitions if definition.entity == entity)

    def places(self, entity: str) -> list[int]:
        """Where the features of one entity are among all."""
        return [place for place, definition in enumerate(self.definitions) if definition.entity == entity]


class FeatureColumns:
    """The values of every feature for every event of one batch.

    `matrix` float64, shape (features, rows); null is NaN. The rows of text features hold hashes (uint64 bits, 0 is
    null) and are read by `hashes`. `nulls` int64, shape (features,), says how many rows of a feature are null.
    """

    def __init__(self, feature_set: FeatureSet, matrix: Array, nulls: Array) -> None:
        self.feature_set = feature_set
        self.matrix = matrix
        self.nulls = nulls

    def values(self, name: str) -> Array:
        """The numbers of one feature, shape (rows,), float64; null is NaN."""
        return np.asarray(self.matrix[self.feature_set.names.index(name)])

    def hashes(self, name: str) -> Array:
        """The text hashes of one feature, shape (rows,), uint64; null is 0."""
        return np.asarray(self.matrix[self.feature_set.names.index(name)].view(np.uint64))

    def add_to(self, columns: Columns) -> None:
        """Add every feature to the columns of its batch, under its name."""
        texts, nulls = self.feature_set.text_names, self.nulls.tolist()
        for name, values, missing in zip(self.feature_set.names, self.matrix, nulls, strict=True):
            if name in texts:
                columns.add_hashes(name, values.view(np.uint64))
            else:
                columns.add(name, values, ~np.isnan(values) if missing else None)


def _version(entities: tuple[Entity, ...], definitions: tuple[FeatureDefinition, ...]) -> str:
    meaning: tuple[Any, ...] = (
        _SEMANTICS,
        [(entity.name, entity.columns) for entity in entities],
        [(d.name, d.entity, d.aggregate.value, d.window_us, d.value, d.where, d.decimals) for d in definitions],
    )
    # Only where there is one, so that the sets that have none keep the versions that decisions are pinned to.
    delays = [(d.name, d.delay_us) for d in definitions if d.delay_us]
    if delays:
        meaning = (*meaning, delays)
    if told := [entity.name for entity in entities if entity.told]:
        meaning = (*meaning, "told", told)
    return hashlib.sha256(repr(meaning).encode()).hexdigest()[:12]


def _check_names(names: list[str]) -> None:
    for name in names:
        if not _NAME.fullmatch(name):
            raise InvalidFeatureSet(
                f"The feature name {name!r} cannot be written in a condition. "
                "Use lower-case words joined by underscores and dots, such as account.count_10s."
            )
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise InvalidFeatureSet(f"Declared more than once: {', '.join(twice)}. Give every feature a name of its own.")


def _check_entities(entities: tuple[Entity, ...]) -> None:
    names = [entity.name for entity in entities]
    if len(set(names)) < len(names):
        raise InvalidFeatureSet(f"Two entities share a name among {', '.join(names)}. Give every entity its own.")
    for entity in entities:
        if not entity.columns or len(set(entity.columns)) < len(entity.columns):
            raise InvalidFeatureSet(
                f"The entity {entity.name} needs at least one column, each named once; it names {entity.columns}."
            )


def _check_definition(definition: FeatureDefinition, entities: Mapping[str, Entity]) -> None:
    name, aggregate, window = definition.name, definition.aggregate, definition.window
    if definition.entity not in entities:
        raise InvalidFeatureSet(
            f"{name} names the entity {definition.entity}, which is not declared. "
            f"Declare it, or use one of: {', '.join(sorted(entities))}."
        )
    if window is not None and not WINDOW_MIN <= window <= WINDOW_MAX:
        raise InvalidFeatureSet(
            f"{name} has a window of {window}. Choose one from {WINDOW_MIN} to {WINDOW_MAX}, or None for ever."
        )
    _check_told(definition, entities[definition.entity])
    _check_delay(definition)
    needs_value = aggregate in ARITHMETIC or aggregate in PICKING or aggregate is Aggregate.DISTINCT
    if needs_value and definition.value is None:
        raise InvalidFeatureSet(f"{name} is a {aggregate} and needs a value: name the column that it reads.")
    if aggregate is Aggregate.TIME_SINCE_PREVIOUS and definition.value is not None:
        raise InvalidFeatureSet(f"{name} measures time and reads no value. Leave `value` out.")
    decimals = definition.decimals
    if decimals is not None and not (0 <= decimals <= DECIMALS_MAX and (definition.value is not None)):
        raise InvalidFeatureSet(
            f"{name} has decimals={decimals}. Give 0 to {DECIMALS_MAX}, and only to a feature that reads a value."
        )


def _check_told(definition: FeatureDefinition, entity: Entity) -> None:
    told = FeatureDefinition(
        definition.name, entity.name, Aggregate.COUNT, definition.window, unit=definition.unit,
        description=definition.description,
    )  # fmt: skip
    if entity.told and (definition.window is None or definition != told):
        raise InvalidFeatureSet(
            f"{definition.name} is about what was told of {entity.name}, of which only a COUNT over a window is known. "
            "Give it a window, and leave `value`, `where`, `decimals` and `delay` out."
        )


def _check_delay(definition: FeatureDefinition) -> None:
    if not definition.delay:
        return
    name, delay = definition.name, definition.delay
    if definition.window is None or definition.aggregate not in DELAYED:
        raise InvalidFeatureSet(
            f"{name} has a delay of {delay}, which only {', '.join(sorted(DELAYED))} over a window can have. "
            "Give it a window and one of these aggregates, or leave `delay` out."
        )
    if delay < WINDOW_MIN or delay + definition.window > WINDOW_MAX:
        raise InvalidFeatureSet(
            f"{name} reaches {delay + definition.window} back, with a delay of {delay}. "
            f"Choose a delay of at least {WINDOW_MIN}, and at most {WINDOW_MAX} together with the window."
        )
