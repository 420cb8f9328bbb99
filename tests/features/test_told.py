"""What is told of events later: many rows, a bound on them, and declarations that do not hold together."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from finer.features.errors import InvalidFeatureSet
from finer.features.service import Engine, lake_query
from finer.features.types import Aggregate, Entity, FeatureDefinition, FeatureSet
from finer.kit.columns import Columns
from finer.kit.hashing import hash_strings
from finer.kit.snapshots import SnapshotRefused

SHOP = Entity("shop", ("shop",), told=True)
SECOND, MINUTE, HOUR = 1_000_000, timedelta(minutes=1), timedelta(hours=1)
SET = FeatureSet(
    [SHOP],
    [
        FeatureDefinition("shop.minute", "shop", Aggregate.COUNT, MINUTE),
        FeatureDefinition("shop.hour", "shop", Aggregate.COUNT, HOUR),
    ],
)


def hashes_of(shops: Any) -> dict[str, np.ndarray]:
    return {"shop": hash_strings(pa.array(np.asarray(shops).astype(str)))}


def step(engine: Engine, shops: Any, times: Any, tenant: int = 1) -> np.ndarray:
    batch = {"shop": pa.array(np.asarray(shops).astype(str)), "occurred_at": pa.array(times, pa.timestamp("us", "UTC"))}
    return engine.step(Columns(pa.RecordBatch.from_pydict(batch)), tenant).matrix


def test_many_rows_of_few_and_of_many_entities_in_any_order(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    engine = Engine(SET)
    shops, times = np.empty(0, np.int64), np.empty(0, np.int64)
    for shops_known in (1, 3, 5_000, 1, 40_000):
        more = random.integers(0, shops_known, 8_000)
        at = random.integers(0, 7_200, 8_000) * SECOND
        engine.tell(hashes_of(more), at, np.ones(8_000, np.int64), 1)
        shops, times = np.append(shops, more), np.append(times, at)
    engine.snapshot(tmp_path / "state", {})
    restored, _ = Engine.restore(tmp_path / "state", SET)
    asked, when = random.integers(0, 6, 400), random.integers(-10, 8_000, 400) * SECOND
    wanted = [
        [
            ((shops == shop) & (times <= at) & (times > at - width)).sum()
            for shop, at in zip(asked, when, strict=True)
        ]
        for width in (60 * SECOND, 3_600 * SECOND)
    ]  # fmt: skip
    assert max(wanted[1]) > 8_000
    for one in (engine, restored):
        np.testing.assert_array_equal(step(one, asked, when), wanted)
        assert step(one, asked, when, tenant=2).max() == 0
        assert one.metrics()["told"] == 40_000


def test_the_oldest_go_first_where_there_is_no_room_and_only_what_a_window_holds_is_lost() -> None:
    engine = Engine(SET, pool_events=4)
    for at, weight in ((0, 1), (3_000, 1), (4_000, 1), (4_000, -1)):
        engine.tell(hashes_of(["a"]), np.array([at * SECOND]), np.array([weight]), 1)
    assert engine.metrics()["truncated"] == 0
    engine.tell(hashes_of(["a"]), np.array([5_000 * SECOND]), np.array([1]), 1)
    assert engine.metrics()["truncated"] == 0  # the first was older than an hour
    assert step(engine, ["a"], [5_000 * SECOND]).tolist() == [[1], [2]]
    engine.tell(hashes_of(["b"] * 2), np.array([5_001 * SECOND] * 2), np.array([1, 1]), 1)
    # Three leave for two that came: what takes back leaves with what it takes back.
    assert engine.metrics()["truncated"] == 3
    assert step(engine, ["a", "b"], [5_001 * SECOND] * 2).tolist() == [[1, 2], [1, 2]]


@pytest.mark.parametrize(
    "changed",
    [{"window": None}, {"aggregate": Aggregate.SUM, "value": "amount"}, {"where": "night"}, {"delay": MINUTE}],
)
def test_what_is_told_is_counted_over_a_window_and_nothing_else(changed: dict[str, Any]) -> None:
    given: dict[str, Any] = {"name": "shop.n", "entity": "shop", "aggregate": Aggregate.COUNT, "window": MINUTE}
    with pytest.raises(InvalidFeatureSet, match="only a COUNT over a window"):
        FeatureSet([SHOP], [FeatureDefinition(**(given | changed))])


def test_what_is_told_is_another_meaning_and_the_query_asks_for_it() -> None:
    assert FeatureSet([Entity("shop", ("shop",))], SET.definitions).version != SET.version
    with pytest.raises(InvalidFeatureSet, match="Give the relation"):
        lake_query(SET, "events")


def test_a_state_from_before_anything_was_told_goes_on_and_is_told_all(tmp_path: Path) -> None:
    ordinary = FeatureDefinition("till.hour", "till", Aggregate.COUNT, HOUR)
    before = FeatureSet([Entity("till", ("shop",))], [ordinary])
    engine = Engine(before)
    step(engine, ["a", "a", "b"], [SECOND] * 3)
    engine.snapshot(tmp_path / "state", {})
    after = FeatureSet([*before.entities, SHOP], [ordinary, *SET.definitions])
    restored, _ = Engine.restore(tmp_path / "state", after)
    assert restored.metrics()["told"] == 0
    restored.tell(hashes_of(["a"]), np.array([SECOND]), np.array([1]), 1)
    assert step(restored, ["a", "b"], [2 * SECOND] * 2).tolist() == [[3, 2], [1, 0], [1, 0]]
    with pytest.raises(SnapshotRefused):
        Engine.restore(tmp_path / "state", FeatureSet([SHOP], SET.definitions))
