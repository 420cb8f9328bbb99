"""A set of stable 64-bit hashes that answers for a whole array at once."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
_SLOTS_MIN = 16


class HashSet:
    """The hashes of the members of a list; never changed once it is made, so that threads may share it.

    A table of at most half full slots, probed one after the other. Hashes come from finer.kit.hashing, whose low bits
    are as good as its high ones; 0 stands for "no value" and is never a member.
    """

    __slots__ = ("_mask", "_slots", "size")

    def __init__(self, hashes: Array) -> None:
        """`hashes` uint64 of any shape (n,); repeated ones and 0 count once and not at all."""
        members = np.unique(np.asarray(hashes, np.uint64))
        members = members[members != 0]
        self.size = len(members)
        slots = max(_SLOTS_MIN, 1 << (2 * self.size).bit_length())
        self._mask = np.uint64(slots - 1)
        self._slots = np.zeros(slots, np.uint64)
        at = members & self._mask
        while len(members):
            free = self._slots[at] == 0
            # Where several aim at one free slot, the last stays, and the others go on to the next slot.
            self._slots[at[free]] = members[free]
            left = self._slots[at] != members
            members, at = members[left], (at[left] + np.uint64(1)) & self._mask

    def holds(self, hashes: Array) -> Array:
        """Which of the hashes are members, bool of the shape of `hashes` (uint64)."""
        at = hashes & self._mask
        found = self._slots[at]
        hits: Array = (found == hashes) & (hashes != 0)
        looking = np.flatnonzero((found != 0) & (hashes != 0) & ~hits)
        while len(looking):
            at_next = (at[looking] + np.uint64(1)) & self._mask
            at[looking] = at_next
            there = self._slots[at_next]
            hits[looking] = there == hashes[looking]
            looking = looking[(there != 0) & (there != hashes[looking])]
        return hits


EMPTY = HashSet(np.zeros(0, np.uint64))
