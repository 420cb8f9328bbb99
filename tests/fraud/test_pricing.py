"""Pricing: a rule held to what the lake keeps says what it would have done, and how sure that is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.app.job_types import Ground
from finer.app.pricing import price_rule
from finer.fraud.rules.price import slices, total, wilson
from finer.fraud.service import rules
from finer.fraud.types import Price, RuleText
from finer.kit import runs
from finer.kit.clock import FixedClock
from finer.kit.ids import read_id
from finer.kit.runs import Run, RunCancelled
from finer.kit.settings import Settings
from finer.warehouse.service import lake as warehouse
from finer.warehouse.types import Label
from tests.fraud.desk import NOON, Desk, Lake, payment, text
from tests.identity.conftest import clock, clocked, firm, other_firm, settings

__all__ = ["clock", "clocked", "firm", "other_firm", "settings"]


@pytest.fixture
def ground(desk: Desk, database_url: str, tmp_path: Path, clock: FixedClock) -> Ground:
    """What the job stands on; the lake holds ten payments, four of them judged."""
    clock.advance(NOON - clock.now() + timedelta(hours=1))
    stands_on = Ground(desk.database, database_url, Settings(data_dir=str(tmp_path), lake_flush_s=0.05))
    writer = warehouse.LakeWriter(database_url, stands_on.settings)
    desk.lake = cast(Lake, writer)
    desk.pipeline._lake = writer
    desk.send(payment(number, 100 * number, channel="web" if number % 2 else "pos") for number in range(1, 11))
    desk.work()
    assert writer.flush(240)
    writer.close()
    access = warehouse.LakeAccess(database_url, stands_on.settings)
    # The ninth was judged twice: what is known last counts. The third is judged only later.
    for number, verdict, hours in (
        (6, "confirmed_fraud", 0), (7, "dismissed", 0), (9, "dismissed", 0), (9, "confirmed_fraud", 1),
        (2, "confirmed_fraud", 0), (3, "confirmed_fraud", 9),
    ):  # fmt: skip
        label = Label(
            event_id=f"e{number}", occurred_at=NOON, verdict=verdict, source="test",
            known_at=clock.now() + timedelta(hours=hours - 2),
        )  # fmt: skip
        warehouse.append_labels(access, desk.firm.tenant.id, [label])
    return stands_on


def priced(desk: Desk, ground: Ground, written: RuleText, cancelled: bool = False) -> Price:
    """What a backtest of a draft finds."""
    with desk.firm.tx(desk.writer) as tx:
        draft = rules.create(tx, "tried", written, "")
        begun = rules.begin_price(tx, draft.id, 1, 30, 2).price
        assert begun is not None
        if cancelled:
            runs.begin(tx, read_id("run", begun.run))
            rules.cancel_price(tx, draft.id)
        record = runs.get(tx, read_id("run", begun.run))
        assert record is not None
    run = Run(record, desk.firm.tenant.id)
    try:
        price_rule(ground, run)
    except RunCancelled:
        assert cancelled
    with desk.firm.tx(desk.writer) as tx:
        found = rules.get_version(tx, draft.id).price
    assert found is not None
    return found


def test_a_price_counts_hits_labels_and_money_as_they_were_known(desk: Desk, ground: Ground) -> None:
    found = priced(desk, ground, text("amount_usd >= 550"))
    assert (found.state, found.problem) == ("done", "")
    assert (found.events, found.hits, found.fraud, found.legitimate, found.fraud_known) == (10, 5, 2, 1, 3)
    assert found.marginal == 3  # 600, 700 and 800: above that, a built-in rule reviews them already
    assert found.saved_usd_minor == 60_000
    assert found.hurt == 2
    assert found.precision is not None
    assert found.precision.value == pytest.approx(2 / 3)
    assert found.recall is not None
    assert found.recall.value == pytest.approx(2 / 3)
    assert found.alerts_per_day == pytest.approx(3 / 30)
    by_channel = {(one.by, one.value): (one.hits, one.fraud) for one in found.segments}
    assert by_channel["channel", "web"] == (2, 1)
    assert by_channel["channel", "pos"] == (3, 1)
    sure = {(one.by, one.value): one.precision for one in found.segments}["channel", "pos"]
    assert sure is not None
    assert (sure.value, sure.low is not None and 0 < sure.low < 1) == (1, True)


def test_a_price_is_of_the_same_path_as_live_payments(desk: Desk, ground: Ground) -> None:
    condition = "account.count_10s >= 1 and local_hour = 12 and merchant_country = 'PH' and amount_minor % 20000 = 0"
    assert priced(desk, ground, text(condition)).hits == 5


def test_an_empty_lake_says_nothing_and_a_cancelled_price_says_so(
    desk: Desk, database_url: str, tmp_path: Path
) -> None:
    empty = Ground(desk.database, database_url, Settings(data_dir=str(tmp_path)))
    found = priced(desk, empty, text("amount_usd > 5"))
    assert (found.state, found.events) == ("done", 0)


def test_a_price_that_somebody_cancels_stops(desk: Desk, ground: Ground) -> None:
    assert priced(desk, ground, text("amount_usd > 5"), cancelled=True).state == "cancelled"


@given(st.integers(0, 500), st.integers(1, 500))
def test_bounds_of_a_share_hold_it(hits: int, more: int) -> None:
    found = wilson(hits, hits + more)
    assert found.low is not None
    assert found.value is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high


def test_bounds_are_those_of_the_textbook() -> None:
    # Wilson (1927), as Newcombe (1998, table I) gives it for 81 of 263.
    found = wilson(81, 263)
    assert (round(found.low or 0, 4), round(found.high or 0, 4)) == (0.2553, 0.3662)
    assert wilson(0, 0).value is None


def test_a_sum_is_as_sure_as_its_parts_are_even() -> None:
    even, uneven = total(np.full(100, 1000)), total(np.array([99_000] + [10] * 99))
    assert even.value == 100_000
    assert 70_000 < (even.low or 0) < 90_000
    assert 110_000 < (even.high or 0) < 130_000
    assert (uneven.low or 0) < 5_000
    many = total(np.full(10_000, 10))
    assert (round(many.low or 0), round(many.high or 0)) == (98_040, 101_960)
    assert total(np.zeros(0)).high == 0


def test_a_period_is_taken_day_by_day() -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    parts = slices(since, since + timedelta(days=2, hours=1))
    assert (len(parts), parts[0][0], parts[-1][1]) == (3, since, since + timedelta(days=2, hours=1))
    assert all(one[1] == other[0] for one, other in pairwise(parts))
