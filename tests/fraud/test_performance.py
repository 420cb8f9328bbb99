"""Performance: how right what decides was, by what was known at a moment, with every number's rows behind it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from finer.fraud.errors import PeriodNotAcceptable
from finer.fraud.service import performance
from finer.fraud.types import OutcomeKind, Performance, Source
from finer.kit.clock import FixedClock
from finer.kit.errors import MomentToCome
from finer.kit.settings import Settings
from finer.warehouse.errors import LakeEmpty
from finer.warehouse.service import lake as warehouse
from finer.warehouse.types import Label
from tests.fraud.desk import NOON, Desk, Lake, payment, text
from tests.identity.conftest import clock, clocked, firm, other_firm, settings
from tests.support.identity import Firm

__all__ = ["clock", "clocked", "firm", "other_firm", "settings"]
HOUR = timedelta(hours=1)
Read = Callable[[uuid.UUID, str, dict[str, Any]], list[dict[str, Any]] | None]


@pytest.fixture
def read(desk: Desk, database_url: str, tmp_path: Path, clock: FixedClock) -> Iterator[Read]:
    """A way to ask the lake; it holds eight payments decided by one blocking and the built-in rules, some judged."""
    clock.advance(NOON - clock.now() + HOUR)
    desk.live("blocks_web", text("channel = 'web' and amount_usd > 100"))
    kept = Settings(data_dir=str(tmp_path), lake_flush_s=0.05)
    writer = warehouse.LakeWriter(database_url, kept)
    desk.lake = cast(Lake, writer)
    desk.pipeline._lake = writer
    plain = [payment(number, 50) for number in range(5)]
    blocked = payment(5, 200, channel="web")
    again = payment(6, 200, channel="web", account_id="a5", customer_id="c5")
    good = payment(7, 900, channel="web")
    desk.send([*plain, blocked, again, good])
    desk.work()
    assert writer.flush(240)
    writer.close()
    access = warehouse.LakeAccess(database_url, kept)
    # The good one was called fraud first; the last word on the second plain payment comes from outside, later.
    for number, verdict, hours, source in (
        (5, "confirmed_fraud", 1, "user:1"), (6, "confirmed_fraud", 1, "user:1"), (7, "confirmed_fraud", 1, "user:1"),
        (7, "dismissed", 3, "user:2"), (2, "confirmed_fraud", 5, "chargeback"),
    ):  # fmt: skip
        label = Label(
            event_id=f"e{number}", occurred_at=NOON, verdict=verdict, source=source, known_at=clock.now() + hours * HOUR
        )
        warehouse.append_labels(access, desk.firm.tenant.id, [label])
    clock.advance(10 * HOUR)
    yield from reading(database_url, kept)


def reading(url: str, kept: Settings) -> Iterator[Read]:
    """Asks a lake as the app does."""
    reader = warehouse.LakeReader(url, kept)

    def ask(tenant: uuid.UUID, statement: str, arguments: dict[str, Any]) -> list[dict[str, Any]] | None:
        try:
            rows: list[dict[str, Any]] = reader.read(tenant, statement, arguments).to_pylist()
        except LakeEmpty:
            return None
        return rows

    yield ask
    reader.close()


def measured(desk: Desk, read: Read, hours_ago: float = 0) -> Performance:
    """What is known now, or was some hours ago."""
    with desk.firm.tx(desk.writer) as tx:
        of = performance.period(tx.now(), NOON - HOUR, None, tx.now() - hours_ago * HOUR)
        return performance.measure(performance.asked_of(tx), read, of, 10)


def behind(desk: Desk, read: Read, outcome: OutcomeKind, source: Source = "all", name: str = "") -> list[str]:
    """The events behind a number."""
    with desk.firm.tx(desk.writer) as tx:
        of = performance.period(tx.now(), NOON - HOUR, None, None)
        return sorted(one.event_id for one in performance.payments(tx.tenant, read, of, source, name, outcome))


def test_what_is_known_counts_once_and_has_its_rows(desk: Desk, read: Read, other_firm: Firm) -> None:
    """One lake for all of it: making one takes longest."""
    found = measured(desk, read)
    check_everything_together(found)
    check_what_was_tried_again(found)
    check_high_value(desk, read)
    assert found.decision_time.judged == 3
    before = measured(desk, read, hours_ago=8)
    # The good one was still called fraud, and the last word from outside was not there.
    assert (before.fraud_known, before.sources[0].fraud, before.sources[0].legitimate) == (3, 3, 0)
    assert before.protected_usd_minor == 20_000 + 90_000
    nothing = measured(desk, read, hours_ago=9.5)
    assert (nothing.payments, nothing.fraud_known, nothing.waiting) == (8, 0, 3)
    assert nothing.sources[0].precision.value is None
    # Nobody has judged anything: that none was judged good is not known to be few.
    assert {(one.false_positives.value, one.false_positives.high) for one in nothing.sources} == {(None, None)}
    check_rows(desk, read)
    unlabelled = measured(
        desk, lambda tenant, query, more: None if "from labels" in query else read(tenant, query, more)
    )
    assert (unlabelled.payments, unlabelled.sources[0].hits, unlabelled.fraud_known) == (8, 3, 0)
    with other_firm.tx() as tx:
        of = performance.period(tx.now(), NOON - HOUR, None, None)
        assert performance.measure(performance.asked_of(tx), read, of, 10).payments == 0


def check_everything_together(found: Performance) -> None:
    """All that decides, each payment once."""
    whole = found.sources[0]
    assert (found.payments, found.fraud_known) == (8, 3)
    assert (whole.source, whole.hits, whole.blocks, whole.fraud, whole.legitimate) == ("all", 3, 3, 2, 1)
    assert whole.precision.value == pytest.approx(2 / 3)
    assert whole.recall.value == pytest.approx(2 / 3)
    assert whole.false_positives.value == pytest.approx(1 / 5)
    assert found.waiting == 0
    assert [(day.payments, day.alerts, day.judged, day.fraud, day.caught) for day in found.days] == [(8, 3, 3, 3, 2)]


def check_what_was_tried_again(found: Performance) -> None:
    """A second try protects nothing more, and rules share what is protected."""
    assert (found.protected_usd_minor, found.repeated_usd_minor) == (20_000, 20_000)
    assert found.missed_usd_minor == 5_000
    rules = [one for one in found.sources if one.source == "rule"]
    assert sum(one.protected_usd_minor for one in rules) == found.protected_usd_minor


def check_high_value(desk: Desk, read: Read) -> None:
    """Of payments above 800 USD it is known which were not just approved."""
    with desk.firm.tx(desk.writer) as tx:
        of = performance.period(tx.now(), NOON - HOUR, None, None)
        (day,) = performance.high_value(performance.asked_of(tx), read, of)
    assert (day.payments, day.covered) == (1, 1)


def check_rows(desk: Desk, read: Read) -> None:
    """Every number has its payments behind it."""
    assert behind(desk, read, "hits") == ["e5", "e6", "e7"]
    assert behind(desk, read, "fraud") == ["e5", "e6"]
    assert behind(desk, read, "missed") == ["e2"]
    assert behind(desk, read, "legitimate") == ["e7"]
    assert behind(desk, read, "protected", "rule", "blocks_web") == ["e5", "e6"]
    assert behind(desk, read, "hits", "rule", "high_amount") == ["e7"]
    assert behind(desk, read, "hits", "model", "none") == []
    with desk.firm.tx(desk.writer) as tx:
        of = performance.period(tx.now(), NOON - HOUR, None, None)
        first = performance.payments(tx.tenant, read, of, "all", "", "hits", limit=2)
        after = (first[-1].occurred_at, first[-1].event_id)
        rest = performance.payments(tx.tenant, read, of, "all", "", "hits", limit=2, after=after)
    assert [one.event_id for one in (*first, *rest)] == ["e7", "e6", "e5"]


def test_an_empty_lake_is_zeros_and_a_bad_period_is_refused(desk: Desk, database_url: str, tmp_path: Path) -> None:
    asking = reading(database_url, Settings(data_dir=str(tmp_path)))
    read = next(asking)
    with desk.firm.tx(desk.writer) as tx:
        found = performance.measure(performance.asked_of(tx), read, performance.period(tx.now(), None, None, None), 10)
        assert (found.payments, found.days, found.sources[0].hits) == (0, [], 0)
        assert (
            performance.high_value(performance.asked_of(tx), read, performance.period(tx.now(), None, None, None)) == []
        )
        with pytest.raises(PeriodNotAcceptable, match="ends before"):
            performance.period(tx.now(), tx.now() + HOUR, None, None)
        with pytest.raises(MomentToCome):
            performance.period(tx.now(), None, None, tx.now() + HOUR)
        with pytest.raises(PeriodNotAcceptable, match="400 days"):
            performance.period(tx.now(), tx.now() - timedelta(days=500), None, None)
        first = datetime.min.replace(tzinfo=UTC)
        for until, as_of in ((first, None), (None, first)):
            with pytest.raises(PeriodNotAcceptable, match="before 1970"):
                performance.period(tx.now(), None, until, as_of)
