"""The public interface of features: the engine for the stream, and the query for the lake."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from finer.features.rules.engine import WindowState
from finer.features.rules.memory import aligned
from finer.features.store import lake_query
from finer.features.types import FeatureColumns, FeatureSet
from finer.kit.columns import Columns
from finer.kit.snapshots import SnapshotRefused, read_snapshot, write_snapshot

__all__ = ["Engine", "FeatureColumns", "FeatureSet", "SnapshotRefused", "lake_query"]

Array = np.ndarray[Any, np.dtype[Any]]
_KIND = "features"
DEFAULT_POOL_EVENTS = 1 << 22
DEFAULT_LATENESS = timedelta(minutes=10)


class Engine:
    """Sliding windows of a feature set, kept incrementally over a stream. One thread steps it.

    Memory: `pool_events` bounds the events kept per entity that has windows (24 bytes and 8 per value each); the
    number of entities is not bounded. An event that has to go while a window holds it is lost to the windows once
    and counted in `metrics()["truncated"]`. Events stay `lateness` longer than the longest window, for late ones.
    """

    def __init__(
        self,
        feature_set: FeatureSet,
        pool_events: int = DEFAULT_POOL_EVENTS,
        lateness: timedelta = DEFAULT_LATENESS,
    ) -> None:
        """An empty state. The first step of a fresh installation compiles; `warm` does that ahead."""
        self.feature_set = feature_set
        self._state = WindowState(feature_set, pool_events, lateness)

    def step(
        self, columns: Columns, tenant_seed: int, skip: Array | None = None, times: str = "occurred_at"
    ) -> FeatureColumns:
        """Take a batch in the order of its rows, and add every feature to its columns under its name.

        `tenant_seed` (64 bits) sets the tenant's entities apart; rows with `skip` (bool, shape (rows,)), such as
        duplicates, change nothing and get null; `times` names the event time. Raises UnsuitableColumn before anything
        changes when a column is missing or has the wrong type.
        """
        values = self._state.step(columns, tenant_seed, skip, times)
        values.add_to(columns)
        return values

    def tell(self, hashes: Mapping[str, Array], times: Array, weights: Array, tenant_seed: int) -> None:
        """Take in what became known of earlier events, for the entities that are `told`; the next step counts it.

        `hashes` are the texts of the columns of those entities by name, uint64, 0 for null; `times` since when it is
        known, int64 microseconds since 1970 UTC; `weights` int64, 1, or -1 with the time of the 1 that it takes back.
        All are of shape (rows,). Raises KeyError when a column is missing.
        """
        self._state.tell(hashes, times, weights, tenant_seed)

    def forget(self, hashes: Mapping[str, Array], tenant_seed: int) -> None:
        """Let entities begin anew: all of those that are made of just these columns, with these values.

        `hashes` are the texts of the columns by name, uint64, shape (entities,), 0 for null, which is no entity.
        """
        self._state.forget(hashes, tenant_seed)

    def warm(self) -> None:
        """Load or compile the kernels, without touching the state."""
        nothing = pa.RecordBatch.from_pydict({"occurred_at": pa.array([], pa.timestamp("us", "UTC"))})
        columns = Columns(nothing)
        texts = np.empty(0, np.uint64)
        for entity in self.feature_set.entities:
            for name in entity.columns:
                columns.add_hashes(name, texts)
        for definition in self.feature_set.definitions:
            if definition.where is not None:
                columns.add(definition.where, np.empty(0, np.bool_))
            if definition.value is not None and definition.value not in columns:
                if definition.is_text:
                    columns.add_hashes(definition.value, texts)
                else:
                    columns.add(definition.value, np.empty(0, np.int64))
        WindowState(self.feature_set, 1, timedelta(0)).step(columns, 0, None, "occurred_at")

    def metrics(self) -> dict[str, int]:
        """truncated, late (events since the state began), entities, events, told (rows held now), bytes (in use)."""
        return self._state.metrics()

    def snapshot(self, directory: Path, notes: Mapping[str, Any]) -> None:
        """Write the state; `notes` (plain JSON values, such as log offsets) come back from `restore`."""
        write_snapshot(directory, _KIND, self.feature_set.version, self._state.arrays(), notes)

    @classmethod
    def restore(
        cls,
        directory: Path,
        feature_set: FeatureSet,
        pool_events: int = DEFAULT_POOL_EVENTS,
        lateness: timedelta = DEFAULT_LATENESS,
    ) -> tuple[Engine, dict[str, Any]]:
        """The state as it was written, and its notes.

        One of the same set without what is told of events, as it was before that was added, is taken with nothing told:
        `metrics()["told"]` is 0, and all of it has to be told.

        Raises SnapshotRefused when there is none, it is damaged, or belongs to another version of the feature set;
        then replay the log into a new engine.
        """
        try:
            arrays, notes = read_snapshot(directory, _KIND, feature_set.version, _memory)
        except SnapshotRefused:
            if feature_set.version_untold == feature_set.version:
                raise
            arrays, notes = read_snapshot(directory, _KIND, feature_set.version_untold, _memory)
        engine = cls(feature_set, pool_events, lateness)
        engine._state.load(arrays)
        return engine, notes


def _memory(size: int) -> Array:
    return aligned(-(-size // 8)).view(np.uint8)[:size]
