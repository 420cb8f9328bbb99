"""Which events were seen already, by id, and whether their content is the same. Bounded memory, exact while recent.

Two generations of an open-addressing table from id hash to a 32-bit fingerprint of the content. New ids go to the
younger; when that has taken `capacity` ids, the older one is emptied and becomes the younger. So an id is known for
at least the `capacity` distinct events after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numba as nb
import numpy as np

from finer.kit.hashing import mix
from finer.kit.snapshots import read_snapshot, write_snapshot

Array = np.ndarray[Any, np.dtype[Any]]

NEW, DUPLICATE, CONFLICT = 0, 1, 2
_KIND, _VERSION = "deduplication", "1"
_ONE = np.uint64(1)
_FIRST_SLOTS = 1 << 12
_SALT = np.uint64(0xA0761D6478BD642F)


@nb.njit(cache=True, nogil=True, inline="always")
def _find(ids: Array, key: np.uint64, mask: np.uint64) -> np.uint64:
    """The slot of a key, or the free one where it belongs."""
    at = mix(key ^ _SALT) & mask
    while ids[at] != 0 and ids[at] != key:
        at = (at + _ONE) & mask
    return at


@nb.njit(cache=True, nogil=True)
def _check(
    ids: Array, prints: Array, young_ids: Array, young_prints: Array, old_ids: Array, old_prints: Array, room: int,
    status: Array,
) -> tuple[int, int]:  # fmt: skip
    """Take ids until `room` new ones are in the younger table; returns (ids taken, new ones among them)."""
    young_mask, old_mask = np.uint64(len(young_ids) - 1), np.uint64(len(old_ids) - 1)
    added = 0
    for i in range(len(ids)):
        key = ids[i] if ids[i] != 0 else _ONE
        at = _find(young_ids, key, young_mask)
        if young_ids[at] == key:
            status[i] = DUPLICATE if young_prints[at] == prints[i] else CONFLICT
            continue
        before = _find(old_ids, key, old_mask)
        if old_ids[before] == key:
            status[i] = DUPLICATE if old_prints[before] == prints[i] else CONFLICT
            continue
        if added == room:
            return i, added
        young_ids[at], young_prints[at] = key, prints[i]
        added += 1
        status[i] = NEW
    return len(ids), added


@nb.njit(cache=True, nogil=True)
def _move(ids: Array, prints: Array, larger_ids: Array, larger_prints: Array) -> None:
    """Put every id of a table into a larger empty one."""
    mask = np.uint64(len(larger_ids) - 1)
    for i in range(len(ids)):
        if ids[i] != 0:
            at = _find(larger_ids, ids[i], mask)
            larger_ids[at], larger_prints[at] = ids[i], prints[i]


class Deduplicator:
    """The ids that one worker has seen. One thread uses it."""

    def __init__(self, capacity: int = 8 << 20) -> None:
        """`capacity`: ids per generation, at least 1; the tables grow with what comes, to 18 to 36 bytes each."""
        self.capacity = max(1, capacity)
        self._ids = [np.zeros(_FIRST_SLOTS, np.uint64) for _ in range(2)]
        self._prints = [np.zeros(_FIRST_SLOTS, np.uint32) for _ in range(2)]
        self._young = 0
        self._count = 0

    def check(self, ids: Array, fingerprints: Array) -> Array:
        """Take a batch in order: status uint8 of each, shape (n,): NEW, DUPLICATE, or CONFLICT.

        `ids` uint64 (n,): hash of the event id mixed with tenant and stream; `fingerprints` uint32 (n,) of the content.
        CONFLICT is an id seen before with another content; the first content stays.
        """
        status = np.empty(len(ids), np.uint8)
        done = 0
        ids, fingerprints = np.ascontiguousarray(ids, np.uint64), np.ascontiguousarray(fingerprints, np.uint32)
        while True:
            self._make_room(min(len(ids) - done, self.capacity - self._count))
            young, old = self._young, 1 - self._young
            taken, added = _check(
                ids[done:], fingerprints[done:], self._ids[young], self._prints[young], self._ids[old],
                self._prints[old], self.capacity - self._count, status[done:],
            )  # fmt: skip
            self._count += added
            done += taken
            if done == len(ids):
                return status
            # As large as the other one: a steady stream fills it alike.
            self._ids[old] = np.zeros(len(self._ids[young]), np.uint64)
            self._prints[old] = np.zeros(len(self._ids[young]), np.uint32)
            self._young, self._count = old, 0

    def _make_room(self, more: int) -> None:
        """Double the younger table until it stays at most two thirds full."""
        young = self._young
        while (self._count + more) * 3 > len(self._ids[young]) * 2:
            ids, prints = self._ids[young], self._prints[young]
            self._ids[young] = np.zeros(2 * len(ids), np.uint64)
            self._prints[young] = np.zeros(2 * len(ids), np.uint32)
            _move(ids, prints, self._ids[young], self._prints[young])

    def snapshot(self, directory: Path, notes: Mapping[str, Any]) -> None:
        """Write the state; `notes` (plain JSON values) come back from `restore`."""
        arrays: dict[str, Array] = {}
        for name, which in (("young", self._young), ("old", 1 - self._young)):
            used = np.flatnonzero(self._ids[which])
            arrays[f"{name}_ids"], arrays[f"{name}_prints"] = self._ids[which][used], self._prints[which][used]
        write_snapshot(directory, _KIND, _VERSION, arrays, notes)

    @classmethod
    def restore(cls, directory: Path, capacity: int = 8 << 20) -> tuple[Deduplicator, dict[str, Any]]:
        """The state as it was written, and its notes. Raises SnapshotRefused; then replay the log."""
        arrays, notes = read_snapshot(directory, _KIND, _VERSION)
        restored = cls(max(capacity, len(arrays["young_ids"]), len(arrays["old_ids"])))
        # The older generation first: taken in order, it ends up as the older one again.
        for name in ("old", "young"):
            restored._young, restored._count = 1 - restored._young, 0
            restored.check(arrays[f"{name}_ids"], arrays[f"{name}_prints"])
        return restored, notes
