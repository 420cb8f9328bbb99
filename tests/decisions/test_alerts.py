"""Alerts are raised once, listed page by page, resolved once, and their totals always agree with them."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from finer.decisions.errors import AlertAlreadyResolved, AlertNotFound, EventIdReused
from finer.decisions.invariants import one_alert_per_event, totals_equal_alerts
from finer.decisions.service import alerts as service
from finer.decisions.types.alerts import ActionWord, AlertFilter, AlertState, Decision, FiredRule, NewAlert, Verdict
from finer.facts.decisions import AlertResolved
from finer.kit.actors import SYSTEM
from finer.kit.db import Database, connect
from finer.kit.errors import InvalidInput
from finer.kit.ids import new_id
from finer.kit.tx import Tx

_AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def _verdict(action: ActionWord = "block") -> Verdict:
    return Verdict(
        action=action,
        rules=[FiredRule("high_amount", "High amount", "review")],
        reasons=["The amount is high."],
        features={"account.count_10s": 4.0, "account.mean_30d": None},
        score=0.5,
        rule_pack="p1",
        feature_set="f1",
        model=None,
    )


def _alert(
    offset: int, *, action: ActionWord = "block", usd: int | None = 90_000, event: str | None = None
) -> NewAlert:
    return NewAlert(
        id=new_id(),
        partition=0,
        log_offset=offset,
        event_id=event or f"e{offset}",
        action=action,
        occurred_at=_AT + timedelta(seconds=offset),
        received_at=_AT + timedelta(seconds=offset + 1),
        account_id="a1",
        customer_id="c1",
        card_last4="1234",
        amount_minor=5_000_000,
        currency="PHP",
        amount_usd_minor=usd,
        merchant_name="Sari-sari 50% Store",
        merchant_city="Manila",
        merchant_country="PH",
        channel="pos",
        device_id=None,
        rules=["high_amount"],
        verdict=_verdict(action),
    )


def _raise(worker: Database, tenant: uuid.UUID, *alerts: NewAlert) -> None:
    with worker.transaction(tenant, SYSTEM) as tx:
        service.record_verdicts(tx, alerts, [])


def test_raising_an_alert_again_changes_nothing(
    worker_database: Database, database: Database, tenant: uuid.UUID
) -> None:
    _raise(worker_database, tenant, _alert(1), _alert(2))
    _raise(worker_database, tenant, _alert(2), _alert(3))
    with database.transaction(tenant, SYSTEM) as tx:
        summary = service.summarise(tx)
        assert (summary.open, summary.open_usd_minor, summary.blocked_today) == (3, 270_000, 3)
        assert totals_equal_alerts(tx) == []
        assert one_alert_per_event(tx) == []
        assert {alert.event_id for alert in service.changed_alerts(tx, 0)} == {"e1", "e2", "e3"}


def test_pages_give_every_alert_once_in_either_order(
    worker_database: Database, database: Database, tenant: uuid.UUID
) -> None:
    _raise(worker_database, tenant, *(_alert(i, usd=None if i % 5 == 0 else i % 7 * 100) for i in range(23)))
    for by_amount in (False, True):
        seen: list[str] = []
        before: str | None = None
        while True:
            with database.transaction(tenant, SYSTEM) as tx:
                page, before = service.list_alerts(tx, AlertFilter(limit=5, before=before, by_amount=by_amount))
            seen += [alert.event_id for alert in page]
            if before is None:
                break
        assert sorted(seen) == sorted(f"e{i}" for i in range(23))


def test_filters(worker_database: Database, database: Database, tenant: uuid.UUID) -> None:
    _raise(worker_database, tenant, _alert(1), _alert(2, action="review", usd=100))
    with database.transaction(tenant, SYSTEM) as tx:

        def found(**wanted: object) -> set[str]:
            return {alert.event_id for alert in service.list_alerts(tx, AlertFilter(**wanted))[0]}  # type: ignore[arg-type]

        assert found(action="review") == {"e2"}
        assert found(rule="high_amount") == {"e1", "e2"}
        assert found(rule="nothing") == set()
        assert found(min_amount_usd_minor=5000) == {"e1"}
        assert found(text="e1") == {"e1"}
        assert found(text="50% store") == {"e1", "e2"}
        assert found(text="50_") == set()
        assert found(state=AlertState.DISMISSED) == set()
        assert found(since=datetime.now(UTC) + timedelta(days=1)) == set()


def test_an_alert_is_resolved_once(worker_database: Database, database: Database, tenant: uuid.UUID) -> None:
    _raise(worker_database, tenant, _alert(1), _alert(2, action="review"))
    with database.transaction(tenant, SYSTEM) as tx:
        first, second = (service.list_alerts(tx, AlertFilter(text=name))[0][0] for name in ("e1", "e2"))
        before = service.last_sequence(tx)
        done = service.resolve_alert(tx, first.id, AlertState.CONFIRMED, "Called the customer.", first.version)
        assert (done.state, done.version, done.resolution is not None) == (AlertState.CONFIRMED, 2, True)
        fact = tx.facts[0]
        assert isinstance(fact, AlertResolved)
        assert (fact.event_id, fact.verdict) == ("e1", "confirmed_fraud")
        with pytest.raises(AlertAlreadyResolved, match="Finer has already set"):
            service.resolve_alert(tx, first.id, AlertState.DISMISSED, "", first.version)
        service.resolve_alert(tx, second.id, AlertState.DISMISSED, "", second.version)
        summary = service.summarise(tx)
        assert (summary.open, summary.confirmed, summary.dismissed) == (0, 1, 1)
        assert summary.protected_usd_minor == 90_000
        assert summary.by_rule[0].confirmed == 1
        assert totals_equal_alerts(tx) == []
        assert [alert.event_id for alert in service.changed_alerts(tx, before)] == ["e1", "e2"]


def test_another_tenant_sees_and_changes_nothing(
    worker_database: Database, database: Database, tenant: uuid.UUID
) -> None:
    _raise(worker_database, tenant, _alert(1))
    with database.transaction(tenant, SYSTEM) as tx:
        alert = service.list_alerts(tx, AlertFilter())[0][0]
    with database.transaction(uuid.uuid4(), SYSTEM) as tx:
        assert service.list_alerts(tx, AlertFilter())[0] == []
        assert service.summarise(tx).open == 0
        with pytest.raises(AlertNotFound):
            service.resolve_alert(tx, alert.id, AlertState.DISMISSED, "", alert.version)


def test_a_cursor_that_is_none_is_refused(tx: Tx) -> None:
    with pytest.raises(InvalidInput, match="not a cursor"):
        service.list_alerts(tx, AlertFilter(before="nonsense"))


def test_the_first_decision_of_an_event_stands(
    worker_database: Database, database: Database, tenant: uuid.UUID
) -> None:
    def decision(body: bytes) -> Decision:
        return Decision(
            id=new_id(),
            event_id="e1",
            body_hash=service.content_hash(body),
            verdict=_verdict("approve"),
            decided_at=_AT,
            alert_id=None,
        )

    for body in (b"one", b"two"):
        with worker_database.transaction(tenant, SYSTEM) as tx:
            service.record_verdicts(tx, [], [decision(body)])
    with database.transaction(tenant, SYSTEM) as tx:
        (found,) = service.decisions_of(tx, ["e1", "e2"])
        assert service.get_decision(tx, found.id) == found
    assert service.same_body(found, service.content_hash(b"one")) is found
    with pytest.raises(EventIdReused, match="another content"):
        service.same_body(found, service.content_hash(b"two"))


def test_a_live_stream_misses_no_alert_that_commits_late(
    worker_database: Database, database: Database, database_url: str, tenant: uuid.UUID
) -> None:
    _raise(worker_database, tenant, _alert(1, action="review"))
    with database.transaction(tenant, SYSTEM) as tx:
        since = service.last_sequence(tx)
        (known,) = service.list_alerts(tx, AlertFilter())[0]

    def resolve() -> None:
        with database.transaction(tenant, SYSTEM) as tx:
            service.resolve_alert(tx, known.id, AlertState.DISMISSED, "", known.version)

    with ThreadPoolExecutor(1) as pool:
        with worker_database.transaction(tenant, SYSTEM) as slow:
            # The worker's batch takes its numbers first; the analyst must not commit before it.
            service.record_verdicts(slow, [_alert(2)], [])
            analyst = pool.submit(resolve)
            with connect(database_url) as watcher:
                waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
                while not analyst.done() and watcher.execute(waiting).fetchone() == (0,):
                    pass
            with database.transaction(tenant, SYSTEM, read_only=True) as tx:
                assert service.changed_alerts(tx, since) == []
        analyst.result(timeout=30)
    with database.transaction(tenant, SYSTEM, read_only=True) as tx:
        assert [alert.event_id for alert in service.changed_alerts(tx, since)] == ["e2", "e1"]
