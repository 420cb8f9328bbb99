"""The state of all entities of a feature set, and the step that takes one batch through it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import numpy as np

from finer.features.errors import UnsuitableColumn
from finer.features.rules.kernel import run_ever, run_windows
from finer.features.rules.memory import aligned, begin_keys, extend_keys, find_places, move_ring, rehash, remove_keys
from finer.features.rules.plan import EntityPlan, is_number, plan
from finer.features.rules.sliding import CAPACITY, EVENTS, HEAD, LATE, REFERENCES, TRUNCATED
from finer.features.rules.told import ToldState
from finer.features.types import Aggregate, FeatureColumns, FeatureDefinition, FeatureSet
from finer.kit.columns import Columns

Array = np.ndarray[Any, np.dtype[Any]]

POOL_MAX = 1 << 29  # sequence numbers have 31 bits, and a link may be two rings old
_FIRST_ROWS, _FIRST_EVENTS, _FIRST_INDEX, _FIRST_COUNTERS = 1024, 4096, 2048, 1024
# Beyond these an event time or a value means nothing, and differences between two of them would overflow.
_TIME_LIMIT = np.int64(1 << 60)
_VALUE_LIMIT = 1 << 61
_NO_SKIP = np.empty(0, np.bool_)
_META = 8
_Inputs = tuple[Array, Array, Array]


class EntityState:
    """Index, rows, event pool and distinct values of one entity. Everything grows by doubling."""

    def __init__(self, entity_plan: EntityPlan, pool_events: int, lateness_us: int) -> None:
        self.plan = entity_plan
        self.entity = entity_plan.entity
        self.limit = pool_events
        self.lateness_us = lateness_us
        self.entities = 0
        self.index = aligned(2 * _FIRST_INDEX).view(np.uint64)
        self.rows = aligned(_FIRST_ROWS * entity_plan.width)
        self.meta = np.zeros(_META, np.int64)
        self.meta[CAPACITY] = min(_FIRST_EVENTS, pool_events) if entity_plan.pooled else 0
        self.pool = aligned(int(self.meta[CAPACITY]) * entity_plan.depth)
        self.counters = np.zeros(2 * _FIRST_COUNTERS if entity_plan.counts_distinct else 4, np.uint64)

    def step(self, batch: _Batch, inputs: _Inputs, out: Array, bits: Array, nulls: Array) -> None:
        """Take the batch through the state; writes this entity's rows of `out`, float64 (features, rows)."""
        own = self.plan
        n = len(batch.times)
        keys, flags, values = inputs
        self._make_room(n, batch.times)
        places = np.empty(n, np.int32)
        self.entities = find_places(self.index, keys, batch.skip, self.entities, self.rows, own.blank, places)
        if not own.pooled:
            run_ever(
                places, batch.times, flags, values, self.rows, own.width, self.counters, self.meta, own.ever,
                own.early, own.early_scales, own.late, own.late_scales, out, bits, nulls,
            )  # fmt: skip
            return
        self.counters = run_windows(
            places, batch.times, flags, values, self.rows, own.width, own.windowed_width, own.blank,
            self.pool, self.pool.view(np.int32), own.depth, self.counters, self.meta,
            own.windows, own.sum_starts, own.sums, own.scan_starts, own.scans, own.latest, own.ever,
            own.early, own.early_scales, own.late, own.late_scales, out, bits, nulls, own.pooled_sources,
        )  # fmt: skip

    def _make_room(self, n: int, times: Array) -> None:
        """Grow what the next n events could fill."""
        wanted = self.entities + n
        while wanted * 8 > len(self.index) // 2 * 5:
            larger = aligned(2 * len(self.index)).view(np.uint64)
            rehash(self.index, larger)
            self.index = larger
        width = self.plan.width
        if wanted * width > len(self.rows):
            rows = aligned(max(2 * len(self.rows), wanted * width))
            rows[: self.entities * width] = self.rows[: self.entities * width]
            self.rows = rows
        if self.plan.counts_distinct:
            # One new value per distinct aggregate and event; a late event makes its own room.
            while (int(self.meta[REFERENCES]) + n * len(self.plan.sums) + n * len(self.plan.ever)) * 8 > len(
                self.counters
            ) * 3:
                counters = aligned(2 * len(self.counters)).view(np.uint64)
                rehash(self.counters, counters)
                self.counters = counters
        if self.plan.pooled:
            while self._pool_too_small(n, times):
                self._grow_pool()

    def _pool_too_small(self, n: int, times: Array) -> bool:
        """Whether the next n events would push out one that a window may still want, and the ring may grow."""
        capacity, events = int(self.meta[CAPACITY]), int(self.meta[EVENTS])
        leaving = events + n - capacity
        if leaving <= 0 or capacity >= self.limit:
            return False
        if leaving > events:
            return True
        youngest = (int(self.meta[HEAD]) - events + leaving - 1) & (capacity - 1)
        # The middle of the batch stands for now: one odd clock must not decide what is kept.
        now = int(times[n // 2])
        wanted_for = int(self.plan.windows[-1]) + self.lateness_us
        return int(self.pool[youngest * self.plan.depth]) > now - wanted_for

    def _grow_pool(self) -> None:
        old, depth = int(self.meta[CAPACITY]), self.plan.depth
        larger = aligned(2 * old * depth)
        move_ring(self.pool, larger, depth, int(self.meta[HEAD]), int(self.meta[EVENTS]))
        self.pool = larger
        self.meta[CAPACITY] = 2 * old

    def forget(self, keys: Array) -> None:
        """Let entities begin anew; what was kept of them leaves with the oldest events."""
        remove_keys(self.index, keys)

    def arrays(self) -> dict[str, Array]:
        """The state as arrays, without the room that is not used yet."""
        return {
            "index": self.index,
            "rows": self.rows[: self.entities * self.plan.width],
            "pool": self.pool,
            "counters": self.counters,
            "meta": np.append(self.meta, self.entities),
        }

    def load(self, arrays: dict[str, Array]) -> None:
        """Take over the arrays of another state with the same plan."""
        self.meta, self.entities = arrays["meta"][:-1].copy(), int(arrays["meta"][-1])
        self.index, self.pool, self.counters = arrays["index"], arrays["pool"], arrays["counters"]
        self.rows = arrays["rows"]
        # A pool that has outgrown this engine's limit stays as it is: it holds events that windows want.
        self.limit = max(self.limit, int(self.meta[CAPACITY]))

    def nbytes(self) -> int:
        """Bytes of state in use."""
        used = self.index.nbytes + self.entities * self.plan.width * 8 + self.counters.nbytes
        return used + min(int(self.meta[EVENTS]), int(self.meta[CAPACITY])) * self.plan.depth * 8


class _Batch:
    """What the entities share of one batch: times, keys, flags and values, each made once."""

    def __init__(self, columns: Columns, seed: int, skip: Array, times: str) -> None:
        self.columns = columns
        self.seed = _seed(seed)
        self.skip = _owned(skip)
        self.times = np.clip(columns.values(times), -_TIME_LIMIT, _TIME_LIMIT).astype(np.int64, copy=False)
        if (missing := columns.valid(times)) is not None:
            self.skip = ~missing if len(skip) == 0 else skip | ~missing
        self._numbers: dict[tuple[str, int | None], tuple[Array, Array | None]] = {}
        self._known: dict[tuple[str, ...], Array] = {}

    def keys(self, names: tuple[str, ...]) -> Array:
        """Keys of an entity, shape (n,), uint64, 0 for null; the same for entities of the same columns."""
        found = self._known.get(names)
        if found is None:
            for name in names:
                if name not in self.columns:
                    raise UnsuitableColumn(f"The batch has no column {name}, which an entity is made of. Add it.")
            found = self._known[names] = _keys([self.columns.hashes(name) for name in names], self.seed)
        return found

    def inputs(self, own: EntityPlan) -> _Inputs:
        """Keys uint64 (n,), flags int32 (n,) with bit i for predicate i, and values int64 (sources, n)."""
        n = len(self.times)
        values = np.empty((len(own.sources), n), np.int64)
        for place, source in enumerate(own.sources):
            values[place] = self.number(source, own)[0]
        flags = np.ones(n, np.int32)
        for bit, (where, value) in enumerate(own.predicates):
            if bit == 0:
                continue
            holds = self._where(where) if where is not None else None
            known = self.number(value, own)[1] if value is not None else None
            picked = holds if known is None else known if holds is None else holds & known
            flags |= np.int32(1 << bit) if picked is None else picked.astype(np.int32) << np.int32(bit)
        return self.keys(own.entity.columns), flags, values

    def _where(self, name: str) -> Array:
        if name not in self.columns:
            raise UnsuitableColumn(f"The batch has no column {name}, by which a feature picks events. Add it.")
        holds, valid = self.columns.values(name), self.columns.valid(name)
        if holds.dtype != np.bool_:
            raise UnsuitableColumn(f"The column {name} picks events and must be boolean, but it is {holds.dtype}.")
        return holds if valid is None else holds & valid

    def number(self, source: tuple[str, int | None], own: EntityPlan) -> tuple[Array, Array | None]:
        """A value column as whole numbers (or bits of hashes), and which rows have one (None: all)."""
        if source not in self._numbers:
            self._numbers[source] = self._convert(*source, own.users[source])
        return self._numbers[source]

    def _convert(self, name: str, decimals: int | None, users: list[FeatureDefinition]) -> tuple[Array, Array | None]:
        if name not in self.columns:
            raise UnsuitableColumn(f"The batch has no column {name}, which {users[0].name} reads. Add it.")
        if self.columns.holds_texts(name):
            for definition in users:
                if is_number(definition):
                    raise UnsuitableColumn(f"{definition.name} needs numbers, but the column {name} holds texts.")
            hashes = self.columns.hashes(name)
            return hashes.view(np.int64), None if hashes.all() else hashes != 0
        for definition in users:
            if definition.is_text:
                raise UnsuitableColumn(
                    f"{definition.name} would give texts, but the column {name} holds numbers. "
                    "Declare it with decimals=0 for whole numbers."
                )
        values, valid = self.columns.values(name), self.columns.valid(name)
        if values.dtype.kind == "f":
            if decimals is None and any(d.aggregate is not Aggregate.COUNT for d in users):
                raise UnsuitableColumn(
                    f"{users[0].name} reads {name}, which holds fractions. Declare how many decimals to keep, "
                    "for example decimals=2."
                )
            return _rounded(values, valid, decimals or 0)
        whole = values.astype(np.int64, copy=False)
        return whole * 10**decimals if decimals else whole, valid


def _keys(hashes: list[Array], seed: np.uint64) -> Array:
    """Keys of the entities that these columns make, shape (n,), uint64, 0 for null."""
    out = np.empty(len(hashes[0]), np.uint64)
    begin_keys(_owned(hashes[0]), seed, out)
    for more in hashes[1:]:
        extend_keys(_owned(more), out)
    return out


def _rounded(values: Array, valid: Array | None, decimals: int) -> tuple[Array, Array | None]:
    """Fractions as whole numbers of the last decimal kept; what is not finite or too large has no value."""
    values = np.rint(values * 10.0**decimals)
    sound = np.abs(values) < float(_VALUE_LIMIT)  # false for NaN as well
    valid = sound if valid is None else valid & sound
    return np.where(sound, values, 0.0).astype(np.int64), None if valid.all() else valid


def _seed(tenant_seed: int) -> np.uint64:
    return np.uint64(tenant_seed & 0xFFFFFFFFFFFFFFFF)


def _owned(array: Array) -> Array:
    """The array, writable and contiguous: a kernel is compiled anew for every other kind."""
    return array if array.flags.writeable and array.flags.c_contiguous else array.copy()


class WindowState:
    """Every entity of a feature set. One thread steps it."""

    def __init__(self, feature_set: FeatureSet, pool_events: int, lateness: timedelta) -> None:
        """`pool_events` bounds the events kept for windows, per entity; it is rounded up to a power of two.

        The pool grows towards the bound while it would lose events of a window, kept `lateness` longer so that late
        events find their windows whole.
        """
        self.feature_set = feature_set
        limit = 1 << max(0, min(pool_events, POOL_MAX) - 1).bit_length()
        self.states = [
            EntityState(entity_plan, limit, lateness // timedelta(microseconds=1)) for entity_plan in plan(feature_set)
        ]
        self.told = [
            ToldState(entity, feature_set.places(entity.name), list(feature_set.of(entity.name)), limit)
            for entity in feature_set.entities
            if entity.told and feature_set.of(entity.name)
        ]

    def tell(self, hashes: Mapping[str, Array], times: Array, weights: Array, tenant_seed: int) -> None:
        """Take in what was told of earlier events; see `finer.features.service.Engine.tell`."""
        times = np.clip(times, -_TIME_LIMIT, _TIME_LIMIT)
        for state in self.told:
            columns = [np.asarray(hashes[name], np.uint64) for name in state.entity.columns]
            state.tell(_keys(columns, _seed(tenant_seed)), times, weights)

    def forget(self, hashes: Mapping[str, Array], tenant_seed: int) -> None:
        """Let entities begin anew; see `finer.features.service.Engine.forget`."""
        parts: tuple[EntityState | ToldState, ...] = (*self.states, *self.told)
        for part in parts:
            names = part.entity.columns
            if set(names) == set(hashes):
                part.forget(_keys([np.asarray(hashes[name], np.uint64) for name in names], _seed(tenant_seed)))

    def step(self, columns: Columns, tenant_seed: int, skip: Array | None, times: str) -> FeatureColumns:
        """Values of every feature for every row; rows with `skip` leave no trace and get null."""
        batch = _Batch(columns, tenant_seed, _NO_SKIP if skip is None else skip, times)
        count = len(self.feature_set.definitions)
        matrix = np.empty((count, columns.rows))
        nulls = np.zeros(count, np.int64)
        # Everything that can be wrong with the batch shows here, before any state has changed.
        inputs = [batch.inputs(state.plan) for state in self.states]
        wanted = [batch.keys(state.entity.columns) for state in self.told]
        for state, own in zip(self.states, inputs, strict=True):
            state.step(batch, own, matrix, matrix.view(np.int64), nulls)
        for told, keys in zip(self.told, wanted, strict=True):
            told.step(keys, batch.times, batch.skip, matrix, nulls)
        return FeatureColumns(self.feature_set, matrix, nulls)

    def metrics(self) -> dict[str, int]:
        """Counts over all entities.

        `truncated`: events that a window lost for want of room, `late`: events that arrived out of order, both since
        the state began; `entities`; `events` and rows that were `told` held now; `bytes` of state in use.
        """
        return {
            "truncated": sum(int(state.meta[TRUNCATED]) for state in self.states)
            + sum(told.truncated for told in self.told),
            "late": sum(int(state.meta[LATE]) for state in self.states),
            "entities": sum(state.entities for state in self.states),
            "events": sum(int(state.meta[EVENTS]) for state in self.states),
            "told": sum(told.rows for told in self.told),
            "bytes": sum(state.nbytes() for state in self.states) + sum(told.nbytes() for told in self.told),
        }

    def arrays(self) -> dict[str, Array]:
        """The whole state, array by name."""
        return {f"{name}.{what}": array for name, part in self._parts() for what, array in part.arrays().items()}

    def load(self, arrays: dict[str, Array]) -> None:
        """Take over arrays made by `arrays` of a state with the same feature set; they are not copied."""
        for entity, part in self._parts():
            prefix = f"{entity}."
            own = {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}
            # Nothing was told yet where the set did not ask for it.
            if own or isinstance(part, EntityState):
                part.load(own)

    def _parts(self) -> Iterator[tuple[str, EntityState | ToldState]]:
        """What there is of each entity, by its name."""
        yield from ((state.plan.entity.name, state) for state in self.states)
        yield from ((told.entity.name, told) for told in self.told)
