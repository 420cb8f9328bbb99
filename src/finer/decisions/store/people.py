"""What alerts and cases hold of one customer: to show it to them, and to part it from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from finer.decisions.store.alerts import read_alert
from finer.decisions.tables.alerts import alerts
from finer.decisions.tables.cases import case_actions, case_attachments, case_entries, case_reports, cases, judgements
from finer.decisions.types.alerts import Alert
from finer.kit.tx import Tx

PARTED = "erased-"
"""How the random name begins that stands for an erased id."""


class PersonStore:
    """What alerts and cases hold of the customers of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def alerts(self, customer_id: str, limit: int) -> list[Alert]:
        """Alerts about a customer, the latest first."""
        query = (
            sa.select(alerts)
            .where(alerts.c.tenant_id == self._tenant, alerts.c.customer_id == customer_id)
            .order_by(alerts.c.raised_at.desc())
            .limit(limit)
        )
        return [read_alert(row) for row in self._connection.execute(query)]

    def part(self, salt: str, *, customer_id: str) -> int:
        """Put random names in place of a customer's ids, and empty what else says who it was."""
        self._part_cases(salt, cases.c.customer_id == customer_id)
        return self._part(salt, alerts.c.customer_id == customer_id)

    def old(self, before: datetime, held: Sequence[str], salt: str | None) -> int:
        """Closed alerts from before then, but not of customers `held`, that still say who it was; parted with `salt`.

        Without a salt they are only counted.
        """

        def due(closed: sa.Column[datetime], customer: sa.Column[str | None]) -> sa.ColumnElement[bool]:
            return sa.and_(closed < before, customer.not_like(f"{PARTED}%"), customer.not_in(held))

        of_alerts = due(alerts.c.resolved_at, alerts.c.customer_id)
        if salt is not None:
            self._part_cases(salt, due(cases.c.closed_at, cases.c.customer_id))
            return self._part(salt, of_alerts)
        query = sa.select(sa.func.count()).select_from(alerts).where(alerts.c.tenant_id == self._tenant, of_alerts)
        return int(self._connection.execute(query).scalar_one())

    def _part(self, salt: str, condition: sa.ColumnElement[bool]) -> int:
        mine = sa.and_(alerts.c.tenant_id == self._tenant, condition)
        of_them = judgements.c.alert_id.in_(sa.select(alerts.c.id).where(mine))
        self._connection.execute(
            judgements.update().where(judgements.c.tenant_id == self._tenant, of_them).values(reason_sealed=None)
        )
        names = (alerts.c.customer_id, alerts.c.account_id, alerts.c.device_id)
        changed = self._connection.execute(
            alerts.update()
            .where(mine)
            .values(card_last4=None, note="", **{column.name: _renamed(salt, column) for column in names})
        )
        return changed.rowcount

    def _part_cases(self, salt: str, condition: sa.ColumnElement[bool]) -> None:
        mine = sa.and_(cases.c.tenant_id == self._tenant, condition)
        chosen = sa.select(cases.c.id).where(mine)

        def of(table: sa.Table) -> sa.ColumnElement[bool]:
            return sa.and_(table.c.tenant_id == self._tenant, table.c.case_id.in_(chosen))

        self._connection.execute(case_entries.update().where(of(case_entries)).values(text_sealed=None))
        self._connection.execute(case_attachments.delete().where(of(case_attachments)))
        self._connection.execute(case_reports.delete().where(of(case_reports)))
        about = {column.name: _renamed(salt, column) for column in (case_actions.c.target, case_actions.c.account_id)}
        self._connection.execute(
            case_actions.update().where(of(case_actions)).values(about | {"reason_sealed": None, "result": ""})
        )
        names = (cases.c.subject, cases.c.customer_id, cases.c.account_id)
        self._connection.execute(
            cases.update().where(mine).values({column.name: _renamed(salt, column) for column in names})
        )


def _renamed(salt: str, column: sa.Column[str | None] | sa.Column[str]) -> sa.ColumnElement[str]:
    digest = sa.func.encode(sa.func.sha256(sa.func.convert_to(sa.literal(salt).concat(column), "UTF8")), "hex")
    return sa.literal(PARTED).concat(sa.func.left(digest, 20))
