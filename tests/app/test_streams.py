"""What a live stream sends a viewer that comes back: what changed, or that too much did."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from finer.app import streams
from finer.app.streams import _ALERTS_PER_TICK, AlertMessage, alert_snapshot, notification_snapshot
from finer.decisions.service import alerts as decisions
from finer.identity.types.access import Permission
from finer.kit.actors import SYSTEM
from finer.kit.db import Database
from finer.notifications import service as notifications
from finer.notifications.types import NewNotification, Severity
from tests.support.alerts import raise_alerts
from tests.support.identity import Firm


def test_more_changes_than_are_sent_one_by_one_are_told_as_a_resync(
    database: Database, worker_database: Database, firm: Firm
) -> None:
    services: Any = SimpleNamespace(database=database)
    with firm.tx() as tx:
        before = decisions.last_sequence(tx)
    raise_alerts(worker_database, firm, _ALERTS_PER_TICK)
    messages, reached = alert_snapshot(services, firm.tenant.id, before)
    assert len([one for one in messages if isinstance(one, AlertMessage)]) == _ALERTS_PER_TICK
    raise_alerts(worker_database, firm, 1)
    messages, beyond = alert_snapshot(services, firm.tenant.id, before)
    assert beyond is not None
    assert reached is not None
    assert beyond > reached
    assert messages[0] == f"id: {beyond}\nevent: resync\ndata: {{}}\n\n".encode()
    assert not any(isinstance(one, AlertMessage) for one in messages)
    messages, again = alert_snapshot(services, firm.tenant.id, beyond)
    assert again == beyond
    assert len(messages) == 1  # the sums


def test_the_bell_is_told_the_same(database: Database, firm: Firm) -> None:
    services: Any = SimpleNamespace(database=database)
    _, before = notification_snapshot(services, firm.tenant.id, None)
    for number in range(streams._NOTIFICATIONS_PER_TICK + 1):
        with database.transaction(firm.tenant.id, SYSTEM) as tx:
            notifications.notify(
                tx,
                NewNotification(
                    kind="test", severity=Severity.INFO, title=f"{number}", text="", link="/",
                    permission=Permission.JOBS_READ,
                ),
            )  # fmt: skip
    messages, reached = notification_snapshot(services, firm.tenant.id, before)
    assert messages == [f"id: {reached}\nevent: resync\ndata: {{}}\n\n".encode()]
    assert notification_snapshot(services, firm.tenant.id, reached) == ([], reached)
