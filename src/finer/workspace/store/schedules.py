"""Schedules and where their alerts stand."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from finer.kit.crypto.fields import seal, unseal_all
from finer.kit.turns import one_at_once
from finer.kit.tx import Tx
from finer.workspace.tables import schedules
from finer.workspace.types import AlertRule, Plan, Schedule, Watch

_PARAMETERS = "workspace_schedules.parameters_sealed"


class ScheduleStore:
    """The schedules of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection, self._tenant = tx.connection, tx.tenant

    def one_at_once(self, owner: uuid.UUID) -> None:
        """Wait until no other request of somebody adds here, and let others wait until this transaction ends."""
        one_at_once(self._connection, "schedules", self._tenant, owner)

    def add(self, identifier: uuid.UUID, plan: Plan, owner: uuid.UUID, next_at: datetime | None) -> None:
        """A new schedule."""
        self._connection.execute(
            schedules.insert().values(
                tenant_id=self._tenant, id=identifier, owner_id=owner, version=1, created_at=self._tx.now(),
                next_at=next_at, watch=msgspec.to_builtins(Watch()), **self._facts(identifier, plan),
            )
        )  # fmt: skip

    def change(self, identifier: uuid.UUID, version: int, plan: Plan, next_at: datetime | None, watch: Watch) -> bool:
        """Another plan in the place of `version`; False when somebody else changed it first."""
        return self._update(
            schedules.c.version == version, identifier, version=version + 1, next_at=next_at, problem="",
            watch=msgspec.to_builtins(watch), **self._facts(identifier, plan),
        )  # fmt: skip

    def move(self, identifier: uuid.UUID, due: datetime, next_at: datetime | None) -> bool:
        """Take a run that is due; False when another process has taken it."""
        return self._update(schedules.c.next_at == due, identifier, next_at=next_at)

    def note(self, identifier: uuid.UUID, run: uuid.UUID, watch: Watch) -> None:
        """Note how the latest run went."""
        self._update(sa.true(), identifier, last_run_id=run, watch=msgspec.to_builtins(watch))

    def pause(self, identifier: uuid.UUID, problem: str) -> None:
        """Run it no more, and say why."""
        self._update(sa.true(), identifier, active=False, next_at=None, problem=problem)

    def remove(self, identifier: uuid.UUID) -> None:
        """Delete a schedule."""
        self._connection.execute(
            schedules.delete().where(schedules.c.tenant_id == self._tenant, schedules.c.id == identifier)
        )

    def find(
        self, *, owner: uuid.UUID | None = None, identifier: uuid.UUID | None = None, due: datetime | None = None
    ) -> list[Schedule]:
        """Schedules by owner, id, or those that are due by a moment; by name."""
        query = sa.select(schedules).where(schedules.c.tenant_id == self._tenant)
        if owner is not None:
            query = query.where(schedules.c.owner_id == owner)
        if identifier is not None:
            query = query.where(schedules.c.id == identifier)
        if due is not None:
            query = query.where(schedules.c.active, schedules.c.next_at <= due)
        rows = self._connection.execute(query.order_by(schedules.c.name, schedules.c.id)).all()
        given = unseal_all(self._tx, _PARAMETERS, [(row.id, bytes(row.parameters_sealed)) for row in rows])
        return [
            Schedule(
                id=row.id,
                plan=Plan(
                    name=row.name, saved_id=row.saved_id, cron=row.cron, timezone=row.timezone, active=row.active,
                    parameters=msgspec.json.decode(parameters or "{}"),
                    alert=None if row.alert is None else msgspec.convert(row.alert, AlertRule),
                ),
                owner_id=row.owner_id, version=row.version, created_at=row.created_at, next_at=row.next_at,
                last_run_id=row.last_run_id, watch=msgspec.convert(row.watch, Watch), problem=row.problem,
            )
            for row, parameters in zip(rows, given, strict=True)
        ]  # fmt: skip

    def _update(self, when: sa.ColumnElement[bool], identifier: uuid.UUID, **values: Any) -> bool:
        mine = (schedules.c.tenant_id == self._tenant) & (schedules.c.id == identifier) & when
        return self._connection.execute(schedules.update().where(mine).values(**values)).rowcount == 1

    def _facts(self, identifier: uuid.UUID, plan: Plan) -> dict[str, Any]:
        given = msgspec.json.encode(plan.parameters).decode()
        return {
            "name": plan.name, "saved_id": plan.saved_id, "cron": plan.cron, "timezone": plan.timezone,
            "active": plan.active, "alert": msgspec.to_builtins(plan.alert),
            "parameters_sealed": seal(self._tx, _PARAMETERS, identifier, given),
        }  # fmt: skip
