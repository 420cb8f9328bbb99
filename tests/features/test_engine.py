"""The engine at its edges: a full pool, growth, tenants, refused snapshots, unsuitable batches."""

from __future__ import annotations

import math
import os
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from finer.features.errors import InvalidFeatureSet, UnsuitableColumn
from finer.features.service import Engine, SnapshotRefused
from finer.features.types import Aggregate, Entity, FeatureDefinition, FeatureSet
from finer.kit.columns import Columns
from finer.kit.hashing import hash_strings
from finer.kit.snapshots import child_finished, write_in_child

ACCOUNT = Entity("account", ("account_id",))
SECOND = 1_000_000
MINUTE = timedelta(minutes=1)
declare = FeatureDefinition
SET = FeatureSet(
    [ACCOUNT],
    [
        declare("account.count", "account", Aggregate.COUNT, MINUTE),
        declare("account.sum", "account", Aggregate.SUM, timedelta(seconds=10), value="amount"),
        declare("account.min", "account", Aggregate.MIN, MINUTE, value="amount"),
        declare("account.max", "account", Aggregate.MAX, timedelta(seconds=10), value="amount"),
        declare("account.distinct", "account", Aggregate.DISTINCT, MINUTE, value="amount"),
        declare("account.stddev", "account", Aggregate.STDDEV, MINUTE, value="amount"),
        declare("account.first", "account", Aggregate.FIRST, MINUTE, value="amount", decimals=0, where="odd"),
        declare("account.previous", "account", Aggregate.PREVIOUS, MINUTE, value="amount", decimals=0, where="odd"),
        declare("account.count_ever", "account", Aggregate.COUNT, None),
    ],
)


def columns_of(accounts: Any, times: Any, amounts: Any) -> Columns:
    batch = pa.RecordBatch.from_pydict(
        {
            "account_id": pa.array(accounts, pa.string()),
            "occurred_at": pa.array(times, pa.timestamp("us", "UTC")),
            "amount": pa.array(amounts, pa.int64()),
        }
    )
    columns = Columns(batch)
    columns.add("odd", np.asarray(amounts) % 2 == 1)
    return columns


def oracle(held: list[tuple[str, int, int, int]], ever: int) -> list[float]:
    """The values for the last of the events held, from their definition. Events: (account, time, offset, amount)."""
    account, now, offset, _ = held[-1]
    mine = sorted((e for e in held if e[0] == account and e[1] <= now), key=lambda e: (e[1], e[2]))
    minute = [e for e in mine if e[1] > now - 60 * SECOND]
    ten = [e for e in mine if e[1] > now - 10 * SECOND]
    amounts = [e[3] for e in minute]
    odd = [e[3] for e in minute if e[3] % 2 == 1]
    before = [e[3] for e in minute if e[3] % 2 == 1 and e[2] != offset]
    return [
        len(minute), sum(e[3] for e in ten), min(amounts), max(e[3] for e in ten), len(set(amounts)),
        float(np.std(amounts, ddof=1)) if len(amounts) > 1 else math.nan,
        odd[0] if odd else math.nan, before[-1] if before else math.nan, ever,
    ]  # fmt: skip


@pytest.mark.parametrize("pool", [1, 8, 64])
@pytest.mark.parametrize("lateness", [0, 5, 50])
def test_a_full_pool_loses_each_event_once(pool: int, lateness: int) -> None:
    random = Random(pool * 100 + lateness)
    engine = Engine(SET, pool_events=pool)
    held: list[tuple[str, int, int, int]] = []
    ever: dict[str, int] = {}
    lost = 0
    for start in range(0, 1200, 40):
        events = []
        for offset in range(start, start + 40):
            # One event in a hundred is dated far ahead or far back.
            odd_clock = random.choice([10**15, -(10**15)]) if random.random() < 0.01 else 0
            time = (offset - random.randint(0, lateness)) * SECOND // 2 + odd_clock
            events.append((random.choice("aab"), time, offset, random.randint(0, 9)))
        columns = columns_of([e[0] for e in events], [e[1] for e in events], [e[3] for e in events])
        values = engine.step(columns, 1).matrix
        for i, event in enumerate(events):
            if len(held) == pool:
                lost += held.pop(0)[1] > event[1] - 60 * SECOND
            held.append(event)
            ever[event[0]] = ever.get(event[0], 0) + 1
            np.testing.assert_allclose(values[:, i], oracle(held, ever[event[0]]), rtol=1e-12, err_msg=str(event))
    assert engine.metrics()["truncated"] == lost
    assert engine.metrics()["events"] == pool


def test_everything_grows() -> None:
    """Far more accounts, events and distinct values than the first arrays hold; the pool stops where it may."""
    random = np.random.default_rng(5)
    count, accounts = 60_000, 20_000
    engine = Engine(SET, pool_events=1 << 14, lateness=timedelta(0))
    account = random.integers(0, accounts, count)
    times = np.arange(count) * 5_000
    amounts = random.integers(0, 1_000_000, count)
    found = []
    for start in range(0, count, 7_000):
        part = slice(start, start + 7_000)
        found.append(engine.step(columns_of(account[part].astype(str), times[part], amounts[part]), 1).matrix.copy())
    values = np.concatenate(found, axis=1)
    seen: dict[int, list[int]] = {}
    for i in range(count):
        mine = seen.setdefault(int(account[i]), [])
        mine.append(i)
        recent = [j for j in mine if times[j] > times[i] - 60 * SECOND]
        assert values[0, i] == len(recent)
        assert values[4, i] == len({int(amounts[j]) for j in recent})
        assert values[8, i] == len(mine)
    metrics = engine.metrics()
    assert metrics["truncated"] == 0
    assert metrics["entities"] == len(seen)
    assert metrics["events"] == 1 << 14


def test_tenants_share_nothing() -> None:
    engine = Engine(SET)
    assert engine.step(columns_of(["a"] * 3, [0, 1, 2], [1, 2, 3]), 7).values("account.count").tolist() == [1, 2, 3]
    assert engine.step(columns_of(["a"], [3], [1]), 8).values("account.count").tolist() == [1]
    assert engine.step(columns_of(["a"], [3], [1]), 7).values("account.count").tolist() == [4]


def test_what_is_forgotten_begins_anew_and_nothing_else_changes() -> None:
    random = np.random.default_rng(5)
    # Hundreds of keys in a table of a thousand pairs: those that are taken out stand in runs with others.
    names = np.array([f"a{n}" for n in range(640)])
    engine, gone = Engine(SET, pool_events=1 << 12), names[:320]
    renamed = Engine(SET, pool_events=1 << 12)
    engine.forget({"account_id": hash_strings(pa.array(gone))}, 1)  # nobody knows them yet
    for turn in range(8):
        accounts, amounts = names[random.integers(0, 640, 2_000)], random.integers(0, 5, 2_000)
        times = (turn * 2_000 + np.arange(2_000)) * SECOND // 100
        if turn == 4:
            engine.forget({"account_id": hash_strings(pa.array(gone))}, 1)
        # To the other engine those accounts had another name until then.
        others = np.where(np.isin(accounts, gone), np.char.add("was-", accounts), accounts) if turn < 4 else accounts
        found = engine.step(columns_of(accounts, times, amounts), 1).matrix
        np.testing.assert_array_equal(found, renamed.step(columns_of(others, times, amounts), 1).matrix)
    assert engine.metrics() == renamed.metrics()


def test_null_keys_and_skipped_rows_get_null_and_leave_no_trace() -> None:
    engine = Engine(SET)
    columns = columns_of(["a", None, "a", "a"], [0, 0, 0, 0], [1, 1, 1, 1])
    engine.step(columns, 1, np.array([False, False, True, False]))
    assert columns.values("account.count")[[0, 3]].tolist() == [1, 2]
    valid = columns.valid("account.count")
    assert valid is not None
    assert valid.tolist() == [True, False, False, True]


def test_an_empty_batch_and_a_warm_start() -> None:
    engine = Engine(SET)
    engine.warm()
    assert engine.step(columns_of([], [], []), 1).matrix.shape == (9, 0)
    assert engine.metrics()["entities"] == 0


def test_snapshot_from_a_child(tmp_path: Path) -> None:
    engine = Engine(SET)
    engine.step(columns_of(["a", "b", "a"], [0, 1, 2], [1, 2, 3]), 1)
    pid = write_in_child(lambda: engine.snapshot(tmp_path / "state", {"offset": 3}))
    engine.step(columns_of(["a"], [3], [4]), 1)
    while (written := child_finished(pid)) is None:
        os.sched_yield()
    assert written
    restored, notes = Engine.restore(tmp_path / "state", SET)
    assert notes == {"offset": 3}
    again = restored.step(columns_of(["a"], [3], [4]), 1)
    assert again.values("account.count").tolist() == [3]
    assert again.values("account.distinct").tolist() == [3]


def test_a_snapshot_is_replaced_whole(tmp_path: Path) -> None:
    engine = Engine(SET)
    for offset in range(3):
        engine.step(columns_of(["a"], [offset], [1]), 1)
        engine.snapshot(tmp_path / "state", {"offset": offset})
    assert Engine.restore(tmp_path / "state", SET)[1] == {"offset": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_refused_snapshots(tmp_path: Path) -> None:
    engine = Engine(SET)
    engine.step(columns_of(["a"], [0], [1]), 1)
    place = tmp_path / "state"
    with pytest.raises(SnapshotRefused, match="no snapshot"):
        Engine.restore(place, SET)
    engine.snapshot(place, {})
    other = FeatureSet(SET.entities, SET.definitions[:-1])
    with pytest.raises(SnapshotRefused, match="Replay the log"):
        Engine.restore(place, other)
    for path in sorted(place.iterdir()):
        whole = path.read_bytes()
        damages = [whole[:-1], whole + b"x", bytes([whole[0] ^ 1]) + whole[1:]] if whole else [b"x"]
        for damaged in damages:
            path.write_bytes(damaged)
            with pytest.raises(SnapshotRefused):
                Engine.restore(place, SET)
        path.unlink()
        with pytest.raises(SnapshotRefused):
            Engine.restore(place, SET)
        path.write_bytes(whole)
    Engine.restore(place, SET)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"entity": "card"}, "not declared"),
        ({"window": timedelta(days=91)}, "window"),
        ({"window": timedelta(0)}, "window"),
        ({"aggregate": Aggregate.SUM}, "needs a value"),
        ({"aggregate": Aggregate.TIME_SINCE_PREVIOUS, "value": "amount"}, "no value"),
        ({"name": "Account Count"}, "cannot be written"),
        ({"decimals": 2}, "decimals"),
        ({"delay": MINUTE, "window": None}, "only count, mean, sum over a window"),
        ({"delay": MINUTE, "aggregate": Aggregate.MAX, "value": "amount"}, "only count, mean, sum over a window"),
        ({"delay": timedelta(days=90)}, "reaches 90 days"),
        ({"delay": -MINUTE}, "at least"),
    ],
)
def test_declarations_that_do_not_hold_together(changed: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"name": "account.n", "entity": "account", "aggregate": Aggregate.COUNT, "window": MINUTE}
    with pytest.raises(InvalidFeatureSet, match=said):
        FeatureSet([ACCOUNT], [FeatureDefinition(**(given | changed))])


def test_a_name_twice() -> None:
    with pytest.raises(InvalidFeatureSet, match="more than once"):
        FeatureSet([ACCOUNT], [SET.definitions[0], SET.definitions[0]])
    with pytest.raises(InvalidFeatureSet, match="share a name"):
        FeatureSet([ACCOUNT, ACCOUNT], [])
    with pytest.raises(InvalidFeatureSet, match="at least one column"):
        FeatureSet([Entity("account", ())], [])


def test_the_version_is_the_meaning() -> None:
    described = [FeatureDefinition(d.name, d.entity, d.aggregate, d.window, d.value, d.where, d.decimals, "x", "y")
                 for d in SET.definitions]  # fmt: skip
    assert FeatureSet([ACCOUNT], described).version == SET.version
    assert FeatureSet([ACCOUNT], described[1:]).version != SET.version
    delayed = msgspec.structs.replace(SET.definitions[0], delay=MINUTE)
    assert FeatureSet([ACCOUNT], [delayed, *described[1:]]).version != SET.version


def test_batches_that_a_feature_cannot_read_change_nothing() -> None:
    engine = Engine(SET)
    good = columns_of(["a"], [0], [1])
    for name in ("odd", "account_id", "amount"):
        kept = [column for column in ("account_id", "occurred_at", "amount") if column != name]
        columns = Columns(good.batch.select(kept))
        if name != "odd":
            columns.add("odd", np.ones(1, np.bool_))
        with pytest.raises(UnsuitableColumn, match=name):
            engine.step(columns, 1)
    fractions = columns_of(["a"], [0], [1])
    fractions.add("amount", np.array([1.5]))
    with pytest.raises(UnsuitableColumn, match="decimals"):
        engine.step(fractions, 1)
    texts = columns_of(["a"], [0], [1])
    texts.add_hashes("amount", np.array([7], np.uint64))
    with pytest.raises(UnsuitableColumn, match="numbers"):
        engine.step(texts, 1)
    numbers = columns_of(["a"], [0], [1])
    numbers.add("odd", np.ones(1))
    with pytest.raises(UnsuitableColumn, match="boolean"):
        engine.step(numbers, 1)
    country = FeatureDefinition("account.country", "account", Aggregate.PREVIOUS, None, value="amount")
    with pytest.raises(UnsuitableColumn, match="decimals=0"):
        Engine(FeatureSet([ACCOUNT], [country])).step(good, 1)
    assert engine.step(good, 1).values("account.count_ever").tolist() == [1]
    assert engine.metrics()["entities"] == 1


def test_events_without_a_time_are_left_out() -> None:
    engine = Engine(SET)
    columns = columns_of(["a", "a"], [None, 5], [1, 1])
    engine.step(columns, 1)
    assert columns.values("account.count")[1] == 1


def test_a_clock_that_is_ahead_or_behind_moves_only_its_own_events() -> None:
    """A device 20 hours ahead, and one a day behind, between events whose clock is right."""
    engine = Engine(SET)
    hours = 3600 * SECOND
    times = [100 * SECOND, 100 * SECOND + 20 * hours, 101 * SECOND, 102 * SECOND - 24 * hours + 24 * hours, SECOND,
             103 * SECOND, 101 * SECOND + 20 * hours]  # fmt: skip
    values = engine.step(columns_of(["a"] * len(times), times, [1] * len(times)), 1).values("account.count")
    # What is ahead is in no window before its time comes, throws nothing out of one, and is counted at its own time.
    assert values.tolist() == [1, 1, 2, 3, 1, 4, 2]


def test_an_adversarial_order_of_values_stays_linear() -> None:
    """Rising values make every departure take the minimum along; two stacks keep that at constant cost."""
    feature = FeatureDefinition("account.min", "account", Aggregate.MIN, timedelta(seconds=20), value="amount")
    engine = Engine(FeatureSet([ACCOUNT], [feature]))
    count = 40_000
    amounts = np.arange(count)
    values = engine.step(columns_of(["a"] * count, amounts * 1_000, amounts), 1).values("account.min")
    assert np.array_equal(values, np.maximum(amounts - 19_999, 0))
