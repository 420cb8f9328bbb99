"""Seen ids: exact while recent, whatever the batches."""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finer.kit.deduplication import CONFLICT, DUPLICATE, NEW, Deduplicator
from finer.kit.snapshots import SnapshotRefused


def test_new_duplicate_conflict_inside_a_batch_and_across() -> None:
    seen = Deduplicator(100)
    ids = np.array([5, 5, 5, 0, 1, 9], np.uint64)
    prints = np.array([1, 1, 2, 3, 3, 0], np.uint32)
    assert seen.check(ids, prints).tolist() == [NEW, DUPLICATE, CONFLICT, NEW, DUPLICATE, NEW]
    assert seen.check(ids, prints).tolist() == [DUPLICATE, DUPLICATE, CONFLICT, DUPLICATE, DUPLICATE, DUPLICATE]
    assert seen.check(ids[:0], prints[:0]).tolist() == []


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    capacity=st.integers(1, 20),
    events=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 1)), max_size=200),
    cuts=st.lists(st.integers(0, 200), max_size=4),
)
def test_the_last_distinct_ids_are_always_known(capacity: int, events: list[tuple[int, int]], cuts: list[int]) -> None:
    seen = Deduplicator(capacity)
    edges = sorted({0, len(events), *(cut for cut in cuts if cut < len(events))})
    status: list[int] = []
    for start, end in pairwise(edges):
        part = events[start:end]
        status += seen.check(
            np.array([e[0] for e in part], np.uint64), np.array([e[1] for e in part], np.uint32)
        ).tolist()
    recent: OrderedDict[int, int] = OrderedDict()
    ever: dict[int, set[int]] = {}
    for (key, content), found in zip(events, status, strict=True):
        if key in recent:
            assert found == (DUPLICATE if recent[key] == content else CONFLICT)
        else:
            assert found == NEW or key in ever
        if found == NEW:
            recent.pop(key, None)
            recent[key] = content
            if len(recent) > capacity:
                recent.popitem(last=False)
        ever.setdefault(key, set()).add(content)


def test_many_ids_in_small_generations() -> None:
    seen = Deduplicator(1000)
    ids = np.arange(1, 50_001, dtype=np.uint64)
    prints = np.zeros(50_000, np.uint32)
    assert not seen.check(ids, prints).any()
    assert (seen.check(ids[-1000:], prints[-1000:]) == DUPLICATE).all()
    assert not seen.check(ids[:1000], prints[:1000]).any()


def test_snapshot_and_restore(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    ids = random.integers(0, 2**64, 30_000, dtype=np.uint64)
    prints = random.integers(0, 2**32, 30_000, dtype=np.uint32)
    seen = Deduplicator(8_000)
    seen.check(ids[:20_000], prints[:20_000])
    seen.snapshot(tmp_path / "seen", {"offset": 20_000})
    restored, notes = Deduplicator.restore(tmp_path / "seen", 8_000)
    assert notes == {"offset": 20_000}
    for start in range(0, 30_000, 3_000):
        part = slice(start, start + 3_000)
        assert np.array_equal(restored.check(ids[part], prints[part]), seen.check(ids[part], prints[part]))


def test_a_damaged_snapshot_is_refused(tmp_path: Path) -> None:
    seen = Deduplicator(10)
    seen.check(np.array([1, 2], np.uint64), np.array([1, 2], np.uint32))
    seen.snapshot(tmp_path / "seen", {})
    path = tmp_path / "seen" / "0.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(SnapshotRefused, match="damaged or cut off"):
        Deduplicator.restore(tmp_path / "seen", 10)
