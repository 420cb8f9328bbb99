"""Sums of records: equal to adding them up one by one, once each, in the minute in which they happened."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.kit.actors import SYSTEM
from finer.kit.clock import FixedClock
from finer.kit.columns import Columns
from finer.kit.tx import Tx
from finer.operations import invariants
from finer.operations.rules.grouping import MEASURED, group
from finer.operations.service import reconciliation, rollups
from finer.operations.store.rollups import RollupStore
from finer.operations.types.sums import DAY_S, HOUR_S, MINUTE_S, OTHER
from tests.operations.conftest import Floor, order
from tests.support.identity import Firm

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

_RECORDS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["placed", "paid", "returned"]),
        st.sampled_from([None, "", "PH", "SG"]),
        st.sampled_from([None, "web", "app"]),
        st.sampled_from(["p1", "p2"]),
        st.sampled_from(["USD", "PHP"]),
        st.integers(-(2**62), 2**62),
        st.integers(-(10**9), 10**9),
        st.one_of(st.none(), st.integers(0, 10**18)),
        st.booleans(),
    ),
    max_size=60,
)


@given(_RECORDS)
def test_the_sums_of_a_batch_are_those_of_its_fresh_records(records: list[tuple[Any, ...]]) -> None:
    names = (
        "minute",
        "type",
        "country",
        "channel",
        "product_id",
        "currency",
        "amount_minor",
        "quantity",
        "unit_cost_minor",
        "fresh",
    )
    columns = {name: [record[place] for record in records] for place, name in enumerate(names)}
    batch = pa.RecordBatch.from_pydict(
        {
            "occurred_at": pa.array(
                [minute * 60_000_000 + 7 for minute in columns["minute"]], pa.timestamp("us", "UTC")
            ),
            **{name: pa.array(columns[name], pa.string()) for name in names[1:6]},
            "amount_minor": pa.array(columns["amount_minor"], pa.int64()),
            **{name: pa.array(columns[name], pa.int64()) for name in names[7:9]},
        }
    )
    found = group(Columns(batch), MEASURED["order"], np.array(columns["fresh"], np.bool_))
    expected: Counter[tuple[Any, ...]] = Counter()
    amounts: Counter[tuple[Any, ...]] = Counter()
    costs: Counter[tuple[Any, ...]] = Counter()
    for minute, kind, country, channel, product, currency, amount, units, unit_cost, fresh in records:
        if fresh:
            for key in (
                (minute, "place", kind, currency, country or "", channel or "", ""),
                (minute, "product", kind, currency, "", "", product),
            ):
                expected[key] += 1
                amounts[key] += amount
                if unit_cost is not None:
                    costs[*key, "records"] += 1
                    costs[*key, "amount"] += amount
                    costs[*key, "cost"] += units * unit_cost
    if found is None:
        assert not expected
        return
    keys = list(zip(
        found.minutes, found.grains, found.kinds, found.currencies, found.regions, found.channels, found.products,
        strict=True,
    ))  # fmt: skip
    # A text that is missing and one that is empty are two groups of a batch, and one sum.
    counted: Counter[tuple[Any, ...]] = Counter()
    added: Counter[tuple[Any, ...]] = Counter()
    known: Counter[tuple[Any, ...]] = Counter()
    sums = zip(keys, found.records, found.amounts, found.costed, found.costed_amounts, found.costs, strict=True)
    for key, count, amount, costed, costed_amount, cost in sums:
        counted[key] += count
        added[key] += amount
        known.update({(*key, "records"): costed, (*key, "amount"): costed_amount, (*key, "cost"): cost})
    assert counted == expected
    assert all(added[key] == amounts[key] for key in expected)
    assert known == costs


def test_a_record_counts_once_and_in_the_minute_in_which_it_happened(floor: Floor) -> None:
    late = NOW - timedelta(hours=30)
    floor.send("order", [order(1, NOW), order(2, NOW), order(3, NOW - timedelta(minutes=1), channel="app")])
    floor.send("order", [order(1, NOW), order(4, late)])
    assert floor.sums("order", MINUTE_S) == Counter()
    floor.keep()
    assert not floor.keeper.tick()
    assert floor.sums("order", MINUTE_S, "channel") == {
        (NOW, "web"): 2, (NOW - timedelta(minutes=1), "app"): 1, (late, "web"): 1,
    }  # fmt: skip
    assert floor.sums("order", HOUR_S, "product", grain="product")[NOW, "p1"] == 2
    assert floor.sums("order", DAY_S).total() == 4
    # Sums of minutes for two days, of products by the hour and the day only.
    assert not floor.sums("order", MINUTE_S, grain="product")


def test_what_happened_before_minutes_are_kept_counts_in_its_day(floor: Floor) -> None:
    floor.send("order", [order(1, NOW - timedelta(days=400))])
    floor.keep()
    assert not floor.sums("order", MINUTE_S)
    assert not floor.sums("order", HOUR_S)
    assert floor.sums("order", DAY_S).total() == 1


def test_a_worker_that_begins_anew_adds_nothing_twice(floor: Floor) -> None:
    floor.send("order", [order(1, NOW)])
    floor.keep()
    floor.keeper.close()
    floor.start()
    floor.send("order", [order(2, NOW)])
    floor.keep()
    assert floor.sums("order", DAY_S).total() == 2


def test_an_addition_that_fails_is_made_anew_and_leaves_nothing(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    floor.send("order", [order(1, NOW), order(2, NOW)])
    with monkeypatch.context() as broken:
        broken.setattr(rollups, "add", _fails)
        with pytest.raises(ZeroDivisionError):
            floor.keep()
    assert not floor.sums("order", DAY_S)
    floor.keep()
    assert floor.sums("order", DAY_S).total() == 2


def _fails(*_: Any) -> int:
    return 1 // 0


def test_what_is_too_much_for_one_transaction_is_added_in_smaller_ones(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, tried = rollups.add, []

    def starved(tx: Tx, contract: str, columns: Columns, fresh: Any) -> int:
        tried.append(len(fresh))
        if len(fresh) > 1500:
            raise TimeoutError("the transaction took too long")
        return add(tx, contract, columns, fresh)

    monkeypatch.setattr(rollups, "add", starved)
    for first in (0, 1000):
        floor.send("order", [order(first + number, NOW) for number in range(1000)])
    for _ in range(3):
        with pytest.raises(TimeoutError):
            floor.keep()
    floor.keep()
    assert floor.sums("order", DAY_S).total() == 2000
    assert tried == [2000, 2000, 2000, 1000, 1000]


def test_payments_and_activity_are_summed_up_by_what_they_are(floor: Floor) -> None:
    paid = {
        "event_id": "t1", "occurred_at": NOW.isoformat(), "customer_id": "c1", "amount": 12.5, "currency": "PHP",
        "type": "refund", "status": "settled", "merchant_country": "PH", "mcc": "5411", "channel": "pos",
    }  # fmt: skip
    floor.send("transaction", [paid])
    seen = {"event_id": "a1", "occurred_at": NOW.isoformat(), "session_id": "s", "kind": "search", "country": "SG"}
    floor.send("activity", [seen])
    floor.keep()
    assert floor.sums("transaction", DAY_S, "kind", "status", "currency", "region", "channel") == {
        (NOW.replace(hour=0), "refund", "settled", "PHP", "PH", "pos"): 1
    }
    assert floor.sums("transaction", DAY_S, "product", grain="product") == {(NOW.replace(hour=0), "5411"): 1}
    assert floor.sums("activity", DAY_S, "kind", "region") == {(NOW.replace(hour=0), "search", "SG"): 1}
    with floor.firm.tx() as tx:
        assert RollupStore(tx).values("transaction", "product") == ["5411"]


def test_values_beyond_the_room_are_counted_together(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    from finer.operations.store import rollups as store

    monkeypatch.setitem(store._ROOMS, "region", 2)
    floor.send("order", [order(number, NOW, country=f"Land {number}") for number in range(5)])
    floor.keep()
    floor.send(
        "order", [order(10, NOW, country="Land 9"), order(11, NOW, country="Land 0"), order(12, NOW, country="")]
    )
    floor.keep()
    by_region = Counter({key[1]: value for key, value in floor.sums("order", DAY_S, "region").items()})
    assert by_region.total() == 8
    assert by_region[OTHER] == 4
    assert by_region[""] == 1
    assert len(by_region) == 4


def test_sums_of_minutes_and_hours_are_forgotten_and_days_stay(floor: Floor, clock: FixedClock) -> None:
    floor.send("order", [order(1, NOW)])
    floor.keep()
    clock.advance(timedelta(days=4))
    with floor.database.transaction(floor.firm.tenant.id, SYSTEM) as tx:
        assert rollups.forget_old(tx) == 1
        assert invariants.lengths_agree(tx) == []
    clock.advance(timedelta(days=60))
    with floor.database.transaction(floor.firm.tenant.id, SYSTEM) as tx:
        assert rollups.forget_old(tx) == 2
    assert floor.sums("order", DAY_S).total() == 1


def test_lengths_that_do_not_agree_are_told(floor: Floor) -> None:
    floor.send("order", [order(1, NOW), order(2, NOW - timedelta(hours=5))])
    floor.keep()
    with floor.database.transaction(floor.firm.tenant.id, SYSTEM) as tx:
        assert invariants.lengths_agree(tx) == []
        tx.connection.exec_driver_sql("update operations_rollups set records = records + 1 where step_s = 60")
        assert any("do not agree at 2026-03-02 09:00" in sentence for sentence in invariants.lengths_agree(tx))


def test_a_sum_that_the_lake_does_not_confirm_is_told(floor: Floor) -> None:
    floor.send("order", [order(1, NOW)])
    floor.keep()
    asked: list[str] = []

    def nothing(statement: str, _: dict[str, Any]) -> list[dict[str, Any]]:
        asked.append(statement)
        return []

    def the_same(statement: str, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        if " as begins" not in statement:
            return [{"records": 0}]
        row = {"kind": "placed", "status": "", "currency": "PHP", "records": 1, "quantity": 2, "amount": 2000,
               "costed": 0, "costed_amount": 0, "cost": 0, "region": "Philippines", "channel": "web",
               "product": "p1"}  # fmt: skip
        return [{"begins": at, **row} for at in arguments.get("buckets", [0])]

    with floor.database.transaction(floor.firm.tenant.id, SYSTEM) as tx:
        held = reconciliation.expected(tx)
        assert reconciliation.differences(held, the_same) == []
        found = reconciliation.differences(held, nothing)
        assert len(found) == 5
        assert found[0] == (
            "Sums of order (placed, PHP) altogether are (1, 2, 2000, 0, 0, 0), the lake says (0, 0, 0, 0, 0, 0) "
            "(records, units, amount; with a cost: records, amount, cost). The job rebuild_sums makes them anew."
        )
    assert all("log_offset >= " in statement or "where false" in statement for statement in asked)


def test_firms_do_not_see_each_others_sums(floor: Floor, other_firm: Firm) -> None:
    floor.send("order", [order(1, NOW)])
    floor.keep()
    with other_firm.tx() as tx:
        assert tx.connection.exec_driver_sql("select count(*) from operations_rollups").scalar() == 0
        assert tx.connection.exec_driver_sql("select count(*) from operations_values").scalar() == 0
