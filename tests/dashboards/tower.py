"""A firm whose metrics are watched, on a clock that a test moves."""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from finer.app.job_types import Ground
from finer.app.runner import Runner
from finer.app.scheduled import JOBS
from finer.dashboards.service import alerts
from finer.dashboards.types import AlertState, Happening, MetricAlert, Silence, Watched
from finer.identity.types.access import Role, User
from finer.kit import runs
from finer.kit.actors import SYSTEM, Actor
from finer.kit.clock import FixedClock
from finer.kit.columns import Columns
from finer.kit.db import Database
from finer.kit.ids import new_id
from finer.kit.runs import JobRun
from finer.kit.tx import Tx
from finer.notifications import service as notifications
from finer.operations.service import rollups
from tests.support.identity import Firm

PLACED = Watched(metric="orders_placed", span="24h")


@dataclass
class Tower:
    """One firm, and the job that looks at its metrics every minute."""

    firm: Firm
    worker: Database
    clock: FixedClock
    people: dict[Role, User] = field(default_factory=dict)

    def actor(self, role: Role) -> Actor:
        """Somebody of that role, always the same person."""
        if role not in self.people:
            self.people[role] = self.firm.user(role, None)
        user = self.people[role]
        return Actor(kind="user", id=str(user.id), name=user.name, role=role.value)

    def tx(self, role: Role = Role.EXECUTIVE) -> AbstractContextManager[Tx]:
        """A transaction of that person."""
        return self.firm.tx(self.actor(role))

    def placed(
        self, count: int, at: datetime | None = None, country: str = "PH", kind: str = "placed", cost: int | None = None
    ) -> None:
        """Orders are placed, and in the sums at once; of another kind if that is given, and with a cost."""
        batch = pa.RecordBatch.from_pydict({
            "occurred_at": pa.array([at or self.clock.now()] * count, pa.timestamp("us", "UTC")),
            "type": [kind] * count, "country": [country] * count, "channel": ["web"] * count,
            "product_id": ["p"] * count, "currency": ["PHP"] * count, "amount_minor": [100] * count,
            "quantity": [1] * count, "unit_cost_minor": pa.array([cost] * count, pa.int64()),
        })  # fmt: skip
        with self.worker.transaction(self.firm.tenant.id, SYSTEM) as tx:
            rollups.add(tx, "order", Columns(batch), np.ones(count, np.bool_))

    def watch(self, condition: str = "value > 5", role: Role = Role.EXECUTIVE, **more: Any) -> uuid.UUID:
        """An alert of somebody of that role."""
        given: dict[str, Any] = {"name": "Orders", "watched": PLACED, "condition": condition} | more
        with self.tx(role) as tx:
            return alerts.create_alert(tx, MetricAlert(**given)).id

    def look(self, minutes: int, step: int = 1) -> None:
        """Time passes, and every step of it somebody looks."""
        for _ in range(0, minutes, step):
            self.clock.advance(timedelta(minutes=step))
            self.run("look_at_metrics")

    def run(self, job: str) -> JobRun:
        """The runs of a job that wait, or a new one, are carried out; the last of them."""
        with self.worker.transaction(self.firm.tenant.id, SYSTEM) as tx:
            waiting = [one.id for one in runs.under_way(tx) if one.job == job]
            asked = waiting or [one for one in [runs.start(tx, job)] if one is not None]
        ground = Ground(self.worker, self.worker.url, self.firm.settings)
        for one in asked:
            Runner(ground, JOBS).run(self.firm.tenant.id, one)
        with self.worker.transaction(self.firm.tenant.id, SYSTEM) as tx:
            found = runs.get(tx, asked[-1])
        assert found is not None
        return found

    def get(self, alert: uuid.UUID, role: Role = Role.EXECUTIVE) -> AlertState:
        """How it stands."""
        with self.tx(role) as tx:
            return alerts.get_alert(tx, alert)

    def history(self, alert: uuid.UUID) -> list[Happening]:
        """What became of it, the latest first."""
        with self.tx() as tx:
            return alerts.history(tx, alert)

    def silence(self, hours: int = 1, alert: uuid.UUID | None = None, group: str = "") -> uuid.UUID:
        """Nobody is told of it."""
        with self.tx() as tx:
            wanted = Silence(
                id=new_id(), alert_id=alert, group=group, until=tx.now() + timedelta(hours=hours), reason="release"
            )
            alerts.silence(tx, wanted)
        return wanted.id

    def bell(self, role: Role = Role.EXECUTIVE) -> list[tuple[str, bool]]:
        """The lines about alerts on metrics, and which are open."""
        with self.tx(role) as tx:
            found, _ = notifications.list_notifications(tx, limit=50)
        return [(one.title, one.settled_at is None) for one in found if one.kind == "metric_alert"]

    def deliveries(self) -> list[uuid.UUID]:
        """What was sent by e-mail or webhook, the earliest first."""
        with self.firm.tx() as tx:
            rows = tx.connection.exec_driver_sql("select id from notifications_deliveries order by created_at, id")
            return list(rows.scalars())
