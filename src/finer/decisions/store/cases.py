"""The SQL of cases: grouping alerts, the queue, and changes of one case."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from finer.decisions.tables.alerts import alert_totals, alerts
from finer.decisions.tables.cases import cases
from finer.decisions.types.alerts import AlertState, Assignment
from finer.decisions.types.cases import (
    Case,
    CaseFilter,
    CaseState,
    CaseSummary,
    ChecklistItem,
    GroupedAlert,
    Outcome,
    Priority,
    Subject,
    Typology,
)
from finer.decisions.types.policy import PolicyContent
from finer.kit.cursors import read_cursor
from finer.kit.lock_keys import LockKey
from finer.kit.reach import Reach
from finer.kit.reach_sql import condition
from finer.kit.row_sets import insert_all, update_all
from finer.kit.tx import Tx

_c = cases.c
_GROUPED = (
    alerts.c.id,
    alerts.c.state,
    alerts.c.action,
    alerts.c.rules,
    alerts.c.verdict["score"].as_float().label("score"),
    alerts.c.amount_usd_minor,
    alerts.c.occurred_at,
    alerts.c.customer_id,
    alerts.c.account_id,
    alerts.c.event_id,
)
_Named = tuple[Subject, str]
_NEWEST_FIRST = (_c.opened_at.desc(), _c.id.desc())


class CaseStore:
    """The cases of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant = tx.tenant

    def lock_grouping(self) -> bool:
        """Whether this transaction is the one that groups the tenant's alerts now."""
        query = sa.text("select pg_try_advisory_xact_lock(:lock, hashtext(:tenant))")
        return bool(
            self._connection.execute(
                query, {"lock": LockKey.ALERT_GROUPING.value, "tenant": str(self._tenant)}
            ).scalar_one()
        )

    def loose_alerts(self, limit: int) -> list[GroupedAlert]:
        """Open alerts without a case, the oldest first, kept from being judged meanwhile."""
        query = (
            sa.select(*_GROUPED)
            .where(alerts.c.tenant_id == self._tenant, alerts.c.case_id.is_(None), alerts.c.state == AlertState.OPEN)
            .order_by(alerts.c.raised_at, alerts.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [_grouped(row) for row in self._connection.execute(query)]

    def alerts_of(self, wanted: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[GroupedAlert]]:
        """The alerts of cases, by case, the oldest first."""
        query = (
            sa.select(alerts.c.case_id.label("of"), *_GROUPED)
            .where(alerts.c.tenant_id == self._tenant, alerts.c.case_id == sa.any_(_array(wanted, sa.Uuid)))
            .order_by(alerts.c.occurred_at, alerts.c.id)
        )
        found: dict[uuid.UUID, list[GroupedAlert]] = {one: [] for one in wanted}
        for row in self._connection.execute(query):
            found[row.of].append(_grouped(row))
        return found

    def join(self, joining: Mapping[uuid.UUID, Case]) -> None:
        """Put alerts that are in no case into cases, by alert; who works on a case works on its alerts."""
        columns = {
            "alert": _array(joining, sa.Uuid),
            "case": _array([case.id for case in joining.values()], sa.Uuid),
            "assignee": _array([case.assignment.assignee_id for case in joining.values()], sa.Uuid),
            "team": _array([case.assignment.team_id for case in joining.values()], sa.Uuid),
        }
        place = sa.select(*(sa.func.unnest(values).label(name) for name, values in columns.items())).subquery()
        self._connection.execute(
            alerts.update()
            .where(alerts.c.tenant_id == self._tenant, alerts.c.id == place.c.alert, alerts.c.case_id.is_(None))
            .values(case_id=place.c.case, assignee_id=place.c.assignee, team_id=place.c.team)
        )

    def open_of(
        self, subjects: Iterable[tuple[Subject, str]], since: datetime
    ) -> dict[tuple[Subject, str], list[Case]]:
        """The cases of subjects that are not closed and had their last alert since then, the newest first, locked."""
        found: dict[_Named, list[Case]] = {key: [] for key in subjects}
        query = (
            sa.select(cases)
            .where(
                _c.tenant_id == self._tenant,
                _c.subject_kind == sa.any_(_array({kind for kind, _ in found}, sa.Text)),
                _c.subject == sa.any_(_array([subject for _, subject in found], sa.Text)),
                _c.closed_at.is_(None),
                _c.last_alert_at >= since,
            )
            # Cases are locked in one order, so that nobody who locks several waits for whoever waits for them.
            .order_by(_c.id)
            .with_for_update()
        )
        for row in self._connection.execute(query):
            case = _case(row)
            found.get((case.subject_kind, case.subject), []).append(case)
        for each in found.values():
            each.sort(key=lambda case: (case.opened_at, case.id), reverse=True)
        return found

    def next_number(self) -> int:
        """The number of the next case; only who holds the lock of grouping asks for one."""
        query = sa.select(sa.func.coalesce(sa.func.max(_c.number), 0)).where(_c.tenant_id == self._tenant)
        return int(self._connection.execute(query).scalar_one()) + 1

    def add(self, new: Sequence[Case]) -> None:
        """New cases."""
        rows = []
        for case in new:
            values = msgspec.to_builtins(case, builtin_types=(uuid.UUID, datetime))
            assignment = values.pop("assignment")
            rows.append({"tenant_id": self._tenant, **values, **assignment})
        insert_all(self._tx, cases, rows)

    def judged_by_rule(self) -> dict[str, tuple[int, int]]:
        """By rule: how many of its alerts were confirmed, and how many judged either way."""
        confirmed = sa.func.sum(sa.case((alert_totals.c.state == AlertState.CONFIRMED, alert_totals.c.alerts), else_=0))
        query = (
            sa.select(alert_totals.c.rule, confirmed, sa.func.sum(alert_totals.c.alerts))
            .where(
                alert_totals.c.tenant_id == self._tenant,
                alert_totals.c.rule != "",
                alert_totals.c.state.in_([AlertState.CONFIRMED, AlertState.DISMISSED]),
            )
            .group_by(alert_totals.c.rule)
        )
        return {row[0]: (int(row[1]), int(row[2])) for row in self._connection.execute(query)}

    def find(self, identifier: uuid.UUID, *, lock: bool = False) -> Case | None:
        """One case; `lock` keeps others from changing it until this transaction ends."""
        query = sa.select(cases).where(_c.tenant_id == self._tenant, _c.id == identifier)
        row = self._connection.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else _case(row)

    def change(self, identifier: uuid.UUID, version: int, **values: Any) -> bool:
        """Change a case of that version; False when it is not at that version any more."""
        done = self._connection.execute(
            cases.update()
            .where(_c.tenant_id == self._tenant, _c.id == identifier, _c.version == version)
            .values(version=_c.version + 1, **values)
        )
        return done.rowcount == 1

    def change_open(self, changes: Iterable[tuple[Case, Mapping[str, Any]]]) -> None:
        """Change cases that this transaction has locked; all have values for the same columns."""
        update_all(self._tx, cases, [{"id": case.id, **values} for case, values in changes], counting="version")

    def rank_anew(self, before: PolicyContent, after: PolicyContent, now: datetime) -> None:
        """Let open cases have the priority and the due time of another policy, and their place in the queue by it."""
        priority: sa.ColumnElement[str] = _c.priority
        if before.priority_from_usd != after.priority_from_usd:
            least, loss = after.priority_from_usd, _c.expected_loss_usd_minor
            priority = sa.case(
                (loss >= least.urgent * 100, Priority.URGENT.value), (loss >= least.high * 100, Priority.HIGH.value),
                else_=Priority.NORMAL.value,
            )  # fmt: skip
        severity = {one.value: place for place, one in enumerate(Priority)}
        time = {one.value: after.due_minutes.after(one) for one in Priority}
        time_before = {one.value: before.due_minutes.after(one) for one in Priority}
        moved = _c.due_at + sa.case(time, value=priority) - sa.case(time_before, value=_c.priority)
        more_urgent = sa.case(severity, value=priority) > sa.case(severity, value=_c.priority)
        due = sa.case((more_urgent, sa.func.least(_c.due_at, now + sa.case(time, value=priority))), else_=moved)
        self._connection.execute(
            cases.update()
            .where(_c.tenant_id == self._tenant, _c.closed_at.is_(None))
            .where(sa.or_(priority != _c.priority, due != _c.due_at))
            .values(priority=priority, due_at=due, rank_at=_c.rank_at + (due - _c.due_at))
        )

    def page(self, wanted: CaseFilter, reach: Reach) -> list[Case]:
        """One page of the cases within reach: in the order of the queue, or the newest first."""
        query = sa.select(cases).where(_c.tenant_id == self._tenant, self._within(reach), *_conditions(wanted))
        key = _c.opened_at if wanted.newest else _c.rank_at
        if wanted.before is not None:
            cursor = read_cursor(wanted.before)
            here, there = sa.tuple_(key, _c.id), sa.tuple_(sa.literal(cursor.at), sa.literal(cursor.id))
            query = query.where(here < there if wanted.newest else here > there)
        order = _NEWEST_FIRST if wanted.newest else (_c.rank_at, _c.id)
        return [_case(row) for row in self._connection.execute(query.order_by(*order).limit(wanted.limit))]

    def first_untaken(self, teams: Sequence[uuid.UUID], skills: Sequence[Typology]) -> Case | None:
        """The first case of the queue that nobody works on and no other team has, locked; skills none is any."""
        query = (
            sa.select(cases)
            .where(
                _c.tenant_id == self._tenant,
                _c.closed_at.is_(None),
                _c.assignee_id.is_(None),
                sa.or_(_c.team_id.is_(None), _c.team_id.in_(teams)),
            )
            .order_by(_c.rank_at, _c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if skills:
            query = query.where(_c.typology.in_([*skills, Typology.GENERAL]))
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _case(row)

    def untaken(self, limit: int, reach: Reach) -> list[Case]:
        """The first cases of the queue that nobody works on, locked."""
        query = (
            sa.select(cases)
            .where(
                _c.tenant_id == self._tenant, _c.closed_at.is_(None), _c.assignee_id.is_(None), self._within(reach)
            )
            .order_by(_c.rank_at, _c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )  # fmt: skip
        return [_case(row) for row in self._connection.execute(query)]

    def summary(self, reach: Reach, person: uuid.UUID | None, now: datetime) -> CaseSummary:
        """The numbers above the queue."""

        def count(*terms: sa.ColumnElement[bool]) -> Any:
            return sa.func.count().filter(sa.and_(sa.true(), *terms))

        query = sa.select(
            count(),
            count(_c.assignee_id == person),
            count(_c.assignee_id.is_(None), _c.team_id.is_(None)),
            count(_c.due_at < now),
            sa.func.coalesce(sa.func.sum(_c.expected_loss_usd_minor), 0),
        ).where(_c.tenant_id == self._tenant, _c.closed_at.is_(None), self._within(reach))
        row = self._connection.execute(query).one()
        return CaseSummary(
            open=row[0], mine=row[1], unassigned=row[2], overdue=row[3], expected_loss_usd_minor=int(row[4])
        )

    def alerts_by_node(self, nodes: Sequence[tuple[str, str]]) -> dict[str, tuple[int, int]]:
        """Open and confirmed alerts of customers, accounts and devices, by `kind:value`."""
        found: dict[str, tuple[int, int]] = {}
        for kind in ("customer", "account", "device"):
            column = alerts.c[f"{kind}_id"]
            query = (
                sa.select(
                    column,
                    sa.func.count().filter(alerts.c.state == AlertState.OPEN),
                    sa.func.count().filter(alerts.c.state == AlertState.CONFIRMED),
                )
                .where(alerts.c.tenant_id == self._tenant, column.in_([value for of, value in nodes if of == kind]))
                .group_by(column)
            )
            found |= {f"{kind}:{row[0]}": (int(row[1]), int(row[2])) for row in self._connection.execute(query)}
        return found

    def miscounted(self) -> list[int]:
        """Numbers of cases whose counts differ from their alerts, or that are closed with an open one."""
        real = (
            sa.select(
                alerts.c.case_id,
                sa.func.count().label("n"),
                sa.func.count().filter(alerts.c.state == AlertState.OPEN).label("open"),
            )
            .where(alerts.c.tenant_id == self._tenant, alerts.c.case_id.is_not(None))
            .group_by(alerts.c.case_id)
            .subquery()
        )
        n, opened = sa.func.coalesce(real.c.n, 0), sa.func.coalesce(real.c.open, 0)
        wrong = sa.or_(n != _c.alerts, opened != _c.open_alerts, sa.and_(_c.closed_at.is_not(None), opened > 0))
        query = (
            sa.select(_c.number)
            .select_from(cases.outerjoin(real, real.c.case_id == _c.id))
            .where(_c.tenant_id == self._tenant, wrong)
            .order_by(_c.number)
            .limit(20)
        )
        return list(self._connection.execute(query).scalars())

    def strangers(self) -> list[int]:
        """Numbers of cases with an alert of another customer or account, or of no known case."""
        query = (
            sa.select(sa.func.coalesce(_c.number, 0))
            .select_from(
                alerts.outerjoin(cases, sa.and_(_c.id == alerts.c.case_id, _c.tenant_id == alerts.c.tenant_id))
            )
            .where(
                alerts.c.tenant_id == self._tenant,
                alerts.c.case_id.is_not(None),
                # An alert and its case can be parted from their customer at different times.
                sa.func.coalesce(alerts.c.customer_id, "").not_like("erased-%"),
                sa.func.coalesce(alerts.c.account_id, "").not_like("erased-%"),
                sa.or_(
                    _c.id.is_(None),
                    sa.and_(_c.subject_kind == Subject.CUSTOMER, alerts.c.customer_id.is_distinct_from(_c.subject)),
                    sa.and_(_c.subject_kind == Subject.ACCOUNT, alerts.c.account_id.is_distinct_from(_c.subject)),
                ),
            )
            .distinct()
            .limit(20)
        )
        return list(self._connection.execute(query).scalars())

    def _within(self, reach: Reach) -> sa.ColumnElement[bool]:
        return condition(reach, owner=_c.assignee_id, team=_c.team_id)


def _conditions(wanted: CaseFilter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.closed is not None:
        found.append(_c.closed_at.is_not(None) if wanted.closed else _c.closed_at.is_(None))
    for column, value in (
        (_c.state, wanted.state),
        (_c.priority, wanted.priority),
        (_c.typology, wanted.typology),
        (_c.assignee_id, wanted.assignee),
    ):
        if value is not None:
            found.append(column == value)
    if wanted.unassigned:
        found.append(_c.assignee_id.is_(None) & _c.team_id.is_(None))
    if wanted.overdue_at is not None:
        found.append(sa.and_(_c.closed_at.is_(None), _c.due_at < wanted.overdue_at))
    if wanted.text:
        text = wanted.text.strip().removeprefix("#")
        same = [_c[name] == text for name in wanted.text_columns]
        number = [_c.number == int(text)] if text.isdecimal() and len(text) < 18 else []
        found.append(sa.or_(sa.false(), *same, *number))
    return found


def _array(values: Iterable[Any], kind: type[sa.types.TypeEngine[Any]]) -> sa.ColumnElement[Any]:
    return sa.literal(list(values), sa.ARRAY(kind))


def _grouped(row: sa.Row[Any]) -> GroupedAlert:
    values = {name: value for name, value in row._mapping.items() if name != "of"}
    return GroupedAlert(**(values | {"amount_usd_minor": row.amount_usd_minor or 0}))


def _case(row: sa.Row[Any]) -> Case:
    return Case(
        id=row.id,
        number=row.number,
        state=CaseState(row.state),
        subject_kind=Subject(row.subject_kind),
        subject=row.subject,
        customer_id=row.customer_id,
        account_id=row.account_id,
        typology=Typology(row.typology),
        priority=Priority(row.priority),
        alerts=row.alerts,
        open_alerts=row.open_alerts,
        amount_usd_minor=row.amount_usd_minor,
        expected_loss_usd_minor=row.expected_loss_usd_minor,
        opened_at=row.opened_at,
        last_alert_at=row.last_alert_at,
        due_at=row.due_at,
        rank_at=row.rank_at,
        assignment=Assignment(assignee_id=row.assignee_id, team_id=row.team_id),
        outcome=None if row.outcome is None else Outcome(row.outcome),
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        checklist=msgspec.convert(row.checklist, list[ChecklistItem]),
        version=row.version,
    )
