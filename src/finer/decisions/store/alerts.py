"""The SQL of decisions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from finer.decisions.tables.alerts import alert_totals, alerts, decisions
from finer.decisions.types.alerts import (
    Alert,
    AlertFilter,
    AlertsPerMinute,
    AlertState,
    Assignment,
    Decision,
    NewAlert,
    Raised,
    Resolution,
    Verdict,
)
from finer.kit.cursors import read_cursor
from finer.kit.lock_keys import LockKey
from finer.kit.money import Money
from finer.kit.reach import Reach
from finer.kit.reach_sql import condition
from finer.kit.tx import Tx

_COLUMNS = (
    "id uuid, partition int, log_offset bigint, event_id text, action text, occurred_at timestamptz, "
    "received_at timestamptz, account_id text, customer_id text, card_last4 text, amount_minor bigint, "
    "currency text, amount_usd_minor bigint, merchant_name text, merchant_city text, merchant_country text, "
    "channel text, device_id text, rules text[], verdict jsonb"
)
_NAMES = ", ".join(part.split()[0] for part in _COLUMNS.split(", "))

# The totals are written from the rows really inserted, in the same statement: they cannot differ from the alerts.
_INSERT_ALERTS = f"""
with added as (
  insert into decisions_alerts (tenant_id, {_NAMES})
  select %(tenant)s, {_NAMES} from jsonb_to_recordset(%(rows)s::jsonb) as r({_COLUMNS})
  on conflict (tenant_id, partition, log_offset) do nothing
  returning raised_at, rules, action, state, coalesce(amount_usd_minor, 0) as usd
), counted as (
  select (raised_at at time zone 'UTC')::date as day, rule, action, state, count(*) as n, sum(usd) as usd
  from added, unnest(rules || array['']) as rule group by 1, 2, 3, 4
)
insert into decisions_alert_totals as t (tenant_id, day, rule, action, state, alerts, amount_usd_minor)
select %(tenant)s, day, rule, action, state, n, usd from counted order by day, rule, action, state
on conflict (tenant_id, day, rule, action, state) do update
set alerts = t.alerts + excluded.alerts, amount_usd_minor = t.amount_usd_minor + excluded.amount_usd_minor
"""  # noqa: S608 - constant column names only

_MOVE_TOTALS = """
insert into decisions_alert_totals as t (tenant_id, day, rule, action, state, alerts, amount_usd_minor)
select tenant_id, (raised_at at time zone 'UTC')::date as day, rule, action, s.state, sum(s.sign),
       sum(s.sign * coalesce(amount_usd_minor, 0))
from decisions_alerts, unnest(rules || array['']) as rule, (values (%(old)s, -1), (%(state)s, 1)) as s(state, sign)
where tenant_id = %(tenant)s and id = any(%(ids)s)
group by tenant_id, day, rule, action, s.state order by day, rule, action, s.state
on conflict (tenant_id, day, rule, action, state) do update
set alerts = t.alerts + excluded.alerts, amount_usd_minor = t.amount_usd_minor + excluded.amount_usd_minor
"""

_INSERT_DECISIONS = """
insert into decisions_decisions (tenant_id, event_id, id, body_hash, verdict, decided_at, alert_id)
select %(tenant)s, event_id, id, decode(body_hash, 'hex'), verdict, decided_at, alert_id
from jsonb_to_recordset(%(rows)s::jsonb)
  as r(event_id text, id uuid, body_hash text, verdict jsonb, decided_at timestamptz, alert_id uuid)
on conflict (tenant_id, event_id) do nothing
"""


class DecisionStore:
    """Alerts and awaited decisions of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant = tx.tenant

    def add_alerts(self, new: Sequence[NewAlert]) -> None:
        """Insert alerts and their totals; one that was raised before (same log offset) changes nothing."""
        rows = msgspec.json.encode(new).decode()
        self._in_order()
        self._tx.write(_INSERT_ALERTS, {"tenant": self._tenant, "rows": rows})

    def add_decisions(self, new: Sequence[Decision]) -> None:
        """Insert awaited decisions; the first one of an event id stands."""
        rows = [
            {
                "event_id": one.event_id,
                "id": one.id,
                "body_hash": one.body_hash.hex(),
                "verdict": one.verdict,
                "decided_at": one.decided_at,
                "alert_id": one.alert_id,
            }
            for one in new
        ]
        self._tx.write(_INSERT_DECISIONS, {"tenant": self._tenant, "rows": msgspec.json.encode(rows).decode()})

    def decisions(self, event_ids: Sequence[str]) -> list[Decision]:
        """The awaited decisions of these events."""
        return self._decisions(decisions.c.event_id.in_(event_ids))

    def decision(self, identifier: uuid.UUID) -> Decision | None:
        """An awaited decision by its id."""
        return next(iter(self._decisions(decisions.c.id == identifier)), None)

    def _decisions(self, condition: sa.ColumnElement[bool]) -> list[Decision]:
        query = sa.select(decisions).where(decisions.c.tenant_id == self._tenant, condition)
        return [
            Decision(
                id=row.id,
                event_id=row.event_id,
                body_hash=bytes(row.body_hash),
                verdict=msgspec.convert(row.verdict, Verdict),
                decided_at=row.decided_at,
                alert_id=row.alert_id,
            )
            for row in self._connection.execute(query)
        ]

    def alert(self, identifier: uuid.UUID) -> Alert | None:
        """One alert."""
        row = self._connection.execute(
            sa.select(alerts).where(alerts.c.tenant_id == self._tenant, alerts.c.id == identifier)
        ).one_or_none()
        return None if row is None else read_alert(row)

    def alerts(self, wanted: AlertFilter, reach: Reach) -> list[Alert]:
        """One page of the alerts within reach, newest or largest first."""
        query = sa.select(alerts).where(*self._chosen(wanted, reach))
        key: Any = sa.func.coalesce(alerts.c.amount_usd_minor, 0) if wanted.by_amount else alerts.c.raised_at
        if wanted.before is not None:
            cursor = read_cursor(wanted.before)
            value = cursor.value if wanted.by_amount else cursor.at
            query = query.where(sa.tuple_(key, alerts.c.id) < sa.tuple_(sa.literal(value), sa.literal(cursor.id)))
        query = query.order_by(key.desc(), alerts.c.id.desc()).limit(wanted.limit)
        return [read_alert(row) for row in self._connection.execute(query)]

    def raised(self, since: datetime | None, before: Raised | None, limit: int) -> list[Raised]:
        """The alerts that were raised since then, the latest first, from behind `before` on."""
        chosen, key = [alerts.c.tenant_id == self._tenant], sa.tuple_(alerts.c.raised_at, alerts.c.id)
        if since is not None:
            chosen.append(alerts.c.raised_at >= since)
        if before is not None:
            chosen.append(key < sa.tuple_(sa.literal(before.raised_at), sa.literal(before.id)))
        query = sa.select(*(alerts.c[name] for name in Raised.__struct_fields__)).where(*chosen)
        query = query.order_by(alerts.c.raised_at.desc(), alerts.c.id.desc()).limit(limit)
        return [Raised(*row) for row in self._connection.execute(query)]

    def count(self, wanted: AlertFilter, reach: Reach, most: int) -> int:
        """How many alerts within reach the filter has, counted up to `most`."""
        inner = sa.select(alerts.c.id).where(*self._chosen(wanted, reach)).limit(most).subquery()
        return int(self._connection.execute(sa.select(sa.func.count()).select_from(inner)).scalar_one())

    def _chosen(self, wanted: AlertFilter, reach: Reach) -> list[sa.ColumnElement[bool]]:
        within = condition(reach, owner=alerts.c.assignee_id, team=alerts.c.team_id)
        return [alerts.c.tenant_id == self._tenant, within, *_conditions(wanted)]

    def alerts_of_case(self, case: uuid.UUID) -> list[Alert]:
        """The alerts of a case, the latest first."""
        query = sa.select(alerts).where(alerts.c.tenant_id == self._tenant, alerts.c.case_id == case)
        return [read_alert(row) for row in self._connection.execute(query.order_by(alerts.c.occurred_at.desc()))]

    def alerts_of_events(self, event_ids: Sequence[str]) -> list[Alert]:
        """The alerts of these payments."""
        chosen = alerts.c.event_id == sa.any_(sa.literal(list(event_ids), sa.ARRAY(sa.Text)))
        query = sa.select(alerts).where(alerts.c.tenant_id == self._tenant, chosen).order_by(alerts.c.id)
        return [read_alert(row) for row in self._connection.execute(query)]

    def hold_loose(self, event_ids: Sequence[str]) -> None:
        """Let alerts of these payments that are in no case join none until this transaction ends."""
        chosen = alerts.c.event_id == sa.any_(sa.literal(list(event_ids), sa.ARRAY(sa.Text)))
        query = sa.select(alerts.c.id).where(alerts.c.tenant_id == self._tenant, alerts.c.case_id.is_(None), chosen)
        self._connection.execute(query.order_by(alerts.c.id).with_for_update())

    def changed_alerts(self, after_sequence: int, limit: int) -> list[Alert]:
        """Alerts that are new or changed since a sequence number, the latest `limit` of them, oldest first."""
        query = (
            sa.select(alerts)
            .where(alerts.c.tenant_id == self._tenant, alerts.c.sequence > after_sequence)
            .order_by(alerts.c.sequence.desc())
            .limit(limit)
        )
        return [read_alert(row) for row in reversed(self._connection.execute(query).all())]

    def last_sequence(self) -> int:
        """The highest sequence number in use, 0 without alerts."""
        query = sa.select(sa.func.coalesce(sa.func.max(alerts.c.sequence), 0)).where(alerts.c.tenant_id == self._tenant)
        return int(self._connection.execute(query).scalar_one())

    def _in_order(self) -> None:
        """Let changes of this tenant's alerts commit in the order of their sequence numbers.

        A live stream reads on from the highest number that it has seen: one that committed late would be passed over.
        """
        self._tx.write("select pg_advisory_xact_lock(%s, hashtext(%s))", (LockKey.ALERT_ORDER.value, str(self._tenant)))

    def order_changes(self) -> None:
        """Take the turn of a transaction that judges alerts of a case, before anything of the case is locked."""
        self._in_order()

    def resolve(self, identifier: uuid.UUID, version: int, state: AlertState, by: str, at: datetime, note: str) -> bool:
        """Close an open alert of that version; False when it is not open at that version any more."""
        self._in_order()
        chosen = sa.and_(alerts.c.id == identifier, alerts.c.version == version)
        return bool(self._judge(chosen, AlertState.OPEN, state, by, at, note))

    def judge(
        self, identifiers: Sequence[uuid.UUID], old: AlertState, new: AlertState, by: str, at: datetime, note: str
    ) -> list[uuid.UUID]:
        """Put alerts from one state into another; those that are in it. Returns which they were."""
        self._in_order()
        return self._judge(alerts.c.id.in_(identifiers), old, new, by, at, note)

    def _judge(
        self, chosen: sa.ColumnElement[bool], old: AlertState, new: AlertState, by: str, at: datetime, note: str
    ) -> list[uuid.UUID]:
        opened = new is AlertState.OPEN
        done = self._connection.execute(
            alerts.update()
            .where(alerts.c.tenant_id == self._tenant, alerts.c.state == old, chosen)
            .values(
                state=new,
                resolved_by=None if opened else by,
                resolved_at=None if opened else at,
                note="" if opened else note,
                version=alerts.c.version + 1,
                sequence=sa.func.nextval("decisions_alert_sequence"),
            )
            .returning(alerts.c.id)
        )
        ids = list(done.scalars())
        if ids and old is not new:
            moved = {"tenant": self._tenant, "ids": ids, "old": str(old), "state": str(new)}
            self._connection.exec_driver_sql(_MOVE_TOTALS, moved)
        return ids

    def assign(self, identifier: uuid.UUID, version: int, to: Assignment) -> bool:
        """Give an alert of that version to somebody; False when it is not at that version any more."""
        self._in_order()
        done = self._connection.execute(
            alerts.update()
            .where(alerts.c.tenant_id == self._tenant, alerts.c.id == identifier, alerts.c.version == version)
            .values(
                assignee_id=to.assignee_id,
                team_id=to.team_id,
                version=alerts.c.version + 1,
                sequence=sa.func.nextval("decisions_alert_sequence"),
            )
        )
        return done.rowcount == 1

    def assign_case(self, case: uuid.UUID, to: Assignment) -> None:
        """Give the open alerts of a case to whoever works on it."""
        self._in_order()
        self._connection.execute(
            alerts.update()
            .where(alerts.c.tenant_id == self._tenant, alerts.c.case_id == case, alerts.c.state == AlertState.OPEN)
            .values(
                assignee_id=to.assignee_id,
                team_id=to.team_id,
                version=alerts.c.version + 1,
                sequence=sa.func.nextval("decisions_alert_sequence"),
            )
        )

    def totals(self) -> list[sa.Row[Any]]:
        """(day, rule, action, state, alerts, amount_usd_minor) of all days; rule '' counts every alert once."""
        query = sa.select(
            alert_totals.c.day,
            alert_totals.c.rule,
            alert_totals.c.action,
            alert_totals.c.state,
            alert_totals.c.alerts,
            alert_totals.c.amount_usd_minor,
        ).where(alert_totals.c.tenant_id == self._tenant)
        return list(self._connection.execute(query))

    def per_minute(self, now: datetime, minutes: int) -> list[AlertsPerMinute]:
        """Alerts raised in each of the last `minutes` minutes that had any."""
        minute = sa.func.date_trunc("minute", alerts.c.raised_at).label("minute")
        query = (
            sa.select(minute, sa.func.count().label("alerts"))
            .where(alerts.c.tenant_id == self._tenant, alerts.c.raised_at > now - timedelta(minutes=minutes))
            .where(alerts.c.state.in_([str(state) for state in AlertState]))
            .group_by(minute)
            .order_by(minute)
        )
        return [AlertsPerMinute(row.minute, row.alerts) for row in self._connection.execute(query)]

    def recount(self) -> list[sa.Row[Any]]:
        """Where the totals differ from the alerts themselves; for invariants."""
        return list(
            self._connection.exec_driver_sql(
                """
                with real as (
                  select (raised_at at time zone 'UTC')::date as day, rule, action, state, count(*) as n,
                         sum(coalesce(amount_usd_minor, 0)) as usd
                  from decisions_alerts, unnest(rules || array['']) as rule
                  where tenant_id = %(tenant)s group by 1, 2, 3, 4
                )
                select coalesce(r.day, t.day) as day, coalesce(r.rule, t.rule) as rule,
                       coalesce(r.state, t.state) as state, coalesce(r.n, 0) as real, coalesce(t.alerts, 0) as kept
                from real r full join (select * from decisions_alert_totals where tenant_id = %(tenant)s) t
                  using (day, rule, action, state)
                where coalesce(r.n, 0) <> coalesce(t.alerts, 0)
                   or coalesce(r.usd, 0) <> coalesce(t.amount_usd_minor, 0)
                """,
                {"tenant": self._tenant},
            )
        )

    def repeated_events(self) -> list[str]:
        """Event ids with more than one alert; for invariants."""
        query = (
            sa.select(alerts.c.event_id)
            .where(alerts.c.tenant_id == self._tenant)
            .group_by(alerts.c.event_id)
            .having(sa.func.count() > 1)
            .limit(20)
        )
        return [row.event_id for row in self._connection.execute(query)]


def _conditions(wanted: AlertFilter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.state is not None:
        found.append(alerts.c.state == wanted.state)
    if wanted.action is not None:
        found.append(alerts.c.action == wanted.action)
    if wanted.rule is not None:
        found.append(alerts.c.rules.contains([wanted.rule]))
    if wanted.assignee is not None:
        found.append(alerts.c.assignee_id == wanted.assignee)
    if wanted.unassigned:
        found.append(alerts.c.assignee_id.is_(None) & alerts.c.team_id.is_(None))
    if wanted.text:
        text = wanted.text.strip()
        found.append(sa.or_(sa.false(), *(_holds(name, text) for name in wanted.text_columns)))
    if wanted.min_amount_usd_minor is not None:
        found.append(alerts.c.amount_usd_minor >= wanted.min_amount_usd_minor)
    if wanted.since is not None:
        found.append(alerts.c.raised_at >= wanted.since)
    if wanted.until is not None:
        found.append(alerts.c.raised_at < wanted.until)
    return found


def _holds(name: str, text: str) -> sa.ColumnElement[bool]:
    column = alerts.c[name]
    return column.icontains(text, autoescape=True) if name == "merchant_name" else column == text


def read_alert(row: sa.Row[Any]) -> Alert:
    """The alert of a row."""
    return Alert(
        id=row.id,
        sequence=row.sequence,
        state=AlertState(row.state),
        action=row.action,
        event_id=row.event_id,
        occurred_at=row.occurred_at,
        raised_at=row.raised_at,
        account_id=row.account_id,
        customer_id=row.customer_id,
        card_last4=row.card_last4,
        amount=Money(row.amount_minor, row.currency),
        amount_usd=None if row.amount_usd_minor is None else Money(row.amount_usd_minor, "USD"),
        merchant_name=row.merchant_name,
        merchant_city=row.merchant_city,
        merchant_country=row.merchant_country,
        channel=row.channel,
        device_id=row.device_id,
        verdict=msgspec.convert(row.verdict, Verdict),
        assignment=Assignment(assignee_id=row.assignee_id, team_id=row.team_id),
        resolution=None if row.resolved_at is None else Resolution(row.resolved_by or "", row.resolved_at, row.note),
        case_id=row.case_id,
        version=row.version,
    )
