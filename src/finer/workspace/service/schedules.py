"""Schedules: saved queries that run by themselves, as their owner, and alerts on what they find."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec

from finer.identity.service import people, teams
from finer.identity.service.audit import record_audit
from finer.identity.service.authorisation import allowed, reach_of
from finer.identity.types.access import Permission
from finer.kit.actors import Actor
from finer.kit.errors import FinerError, NotFound
from finer.kit.ids import new_id, show_id
from finer.kit.jobs import defer
from finer.kit.runs import QUEUE
from finer.kit.tx import Tx
from finer.notifications import service as notifications
from finer.notifications.types import NewNotification, Severity
from finer.workspace.errors import CannotBeUsed, ChangedMeanwhile, ScheduleNotFound
from finer.workspace.rules import alerts, timing
from finer.workspace.rules.parameters import values_of
from finer.workspace.service import runs
from finer.workspace.service.saved import get_saved
from finer.workspace.store.schedules import ScheduleStore
from finer.workspace.types import NewRun, Plan, Run, RunState, Schedule, Watch, WatchState

PREFIX = "sch"
TASK = "finer.run_sql_schedule"
_OWNED_MAX = 100
_LINK = "/sql?tab=schedules"


def list_schedules(tx: Tx) -> list[Schedule]:
    """The caller's schedules, by name."""
    return ScheduleStore(tx).find(owner=_person(tx))


def get_schedule(tx: Tx, identifier: uuid.UUID) -> Schedule:
    """One schedule of the caller. Raises ScheduleNotFound."""
    found = ScheduleStore(tx).find(owner=_person(tx), identifier=identifier)
    if not found:
        raise ScheduleNotFound(f"You have no schedule {show_id(PREFIX, identifier)}.")
    return found[0]


def create_schedule(tx: Tx, plan: Plan) -> Schedule:
    """Let a saved query run by itself, as the caller. Raises SavedQueryNotFound, CannotBeUsed."""
    checked, next_at = _checked(tx, plan)
    store, owner = ScheduleStore(tx), _person(tx)
    store.one_at_once(owner)
    if len(store.find(owner=owner)) >= _OWNED_MAX:
        raise CannotBeUsed(f"You have {_OWNED_MAX} schedules already. Delete one first.")
    identifier = new_id()
    store.add(identifier, checked, owner, next_at)
    record_audit(tx, "sql:schedule", show_id(PREFIX, identifier), _audited(checked))
    return get_schedule(tx, identifier)


def change_schedule(tx: Tx, identifier: uuid.UUID, version: int, plan: Plan) -> Schedule:
    """Another plan. A new alert begins anew. Raises ScheduleNotFound, ChangedMeanwhile, CannotBeUsed."""
    before = get_schedule(tx, identifier)
    checked, next_at = _checked(tx, plan)
    watch = before.watch if before.plan.alert == checked.alert else Watch()
    if not ScheduleStore(tx).change(identifier, version, checked, next_at, watch):
        raise ChangedMeanwhile("It was changed since you opened it. Look at it again first.")
    if watch != before.watch or not checked.active:
        notifications.settle(tx, _key(identifier))
    record_audit(tx, "sql:schedule", show_id(PREFIX, identifier), _audited(checked))
    return get_schedule(tx, identifier)


def delete_schedule(tx: Tx, identifier: uuid.UUID) -> None:
    """Let it run no more. Raises ScheduleNotFound."""
    get_schedule(tx, identifier)
    ScheduleStore(tx).remove(identifier)
    notifications.settle(tx, _key(identifier))
    record_audit(tx, "sql:unschedule", show_id(PREFIX, identifier))


def next_time(cron: str, timezone: str, after: datetime) -> datetime:
    """When something on this schedule is due next after a moment. Raises CannotBeUsed."""
    return timing.next_time(cron, timezone, after)


def run_now(tx: Tx, identifier: uuid.UUID) -> Schedule:
    """Run it once more, soon, besides its times. Raises ScheduleNotFound."""
    found = get_schedule(tx, identifier)
    _defer(tx, found.id)
    return found


def defer_due(tx: Tx) -> int:
    """Ask for a job for every schedule of the firm that is due, and move it on to its next time."""
    store, now = ScheduleStore(tx), tx.now()
    taken = 0
    for one in store.find(due=now):
        try:
            following = timing.next_time(one.plan.cron, one.plan.timezone, now)
        except CannotBeUsed as error:
            store.pause(one.id, error.detail)
            continue
        if one.next_at is not None and store.move(one.id, one.next_at, following):
            _defer(tx, one.id)
            taken += 1
    return taken


def owner_of(tx: Tx, identifier: uuid.UUID) -> Actor | None:
    """As whom a schedule runs: its owner, with the role and teams of today.

    None, and the schedule is paused, when the owner is gone or may not run SQL any more. For jobs.
    """
    store = ScheduleStore(tx)
    found = next(iter(store.find(identifier=identifier)), None)
    if found is None:
        return None
    try:
        owner = people.get_user(tx, found.owner_id)
    except NotFound:
        store.pause(identifier, "Its owner is gone.")
        return None
    if owner.disabled_at is not None or allowed(owner.role, Permission.SQL_RUN) is None:
        store.pause(identifier, "Its owner may not run queries any more.")
        return None
    mine = tuple(sorted(teams.teams_of(tx, owner.id)))
    return Actor(kind="user", id=str(owner.id), name=owner.name, role=owner.role.value, teams=mine)


def begin(tx: Tx, identifier: uuid.UUID) -> Run | None:
    """Ask a schedule's question, as its owner; None when it cannot be asked, of which the owner is told."""
    found = get_schedule(tx, identifier)
    asked = NewRun(
        saved_id=found.plan.saved_id, schedule_id=identifier, parameters=found.plan.parameters,
        rows_max=runs.ROWS_MAX, fresh=True,
    )  # fmt: skip
    try:
        return runs.submit(tx, asked)
    except FinerError as error:
        _failed(tx, found, found.last_run_id, error.detail)
        return None


def judge(tx: Tx, identifier: uuid.UUID, run_id: uuid.UUID) -> Schedule:
    """Look at the result of a schedule's run, as its owner: where its alert stands, and who is told."""
    found, run = get_schedule(tx, identifier), runs.get_run(tx, run_id)
    if run.state is not RunState.DONE:
        _failed(tx, found, run_id, run.error or "It was cancelled.")
        return get_schedule(tx, identifier)
    rule = found.plan.alert
    if rule is None:
        ScheduleStore(tx).note(identifier, run_id, Watch(reason=f"{run.rows or 0:,} rows."))
        notifications.settle(tx, _key(identifier))
        _tell(tx, found, "info", f"{found.plan.name} is ready", f"{run.rows or 0:,} rows.", _run_link(run_id))
        return get_schedule(tx, identifier)
    try:
        held, reason = alerts.holds(rule, runs.read_table(tx, run_id))
    except FinerError as error:
        _failed(tx, found, run_id, error.detail)
        return get_schedule(tx, identifier)
    watch, told, over = alerts.judged(rule, found.watch, held, reason, tx.now())
    ScheduleStore(tx).note(identifier, run_id, watch)
    if watch.state is WatchState.OK:
        notifications.settle(tx, _key(identifier))
    if told:
        _tell(tx, found, rule.severity, f"{found.plan.name} fires", reason, _run_link(run_id), _key(identifier))
    if over:
        _tell(tx, found, "info", f"{found.plan.name} is settled", reason, _run_link(run_id))
    return get_schedule(tx, identifier)


def _failed(tx: Tx, found: Schedule, run_id: uuid.UUID | None, error: str) -> None:
    reason = error[:500]
    watch = Watch(state=WatchState.ERROR, since=found.watch.since, told_at=found.watch.told_at, reason=reason)
    if run_id is not None:
        ScheduleStore(tx).note(found.id, run_id, watch)
    if found.watch.state is not WatchState.ERROR:
        _tell(tx, found, "warning", f"{found.plan.name} could not run", reason, _LINK, _key(found.id))


def _tell(tx: Tx, found: Schedule, severity: str, title: str, text: str, link: str, key: str | None = None) -> None:
    notifications.notify(
        tx,
        NewNotification(
            kind="sql_schedule", severity=Severity(severity), title=title[:200], text=text[:1000], link=link,
            user=found.owner_id, key=key,
        ),
    )  # fmt: skip


def _run_link(run_id: uuid.UUID) -> str:
    return f"/sql?run={show_id(runs.PREFIX, run_id)}"


def _key(identifier: uuid.UUID) -> str:
    return f"sql-schedule:{identifier}"


def _defer(tx: Tx, identifier: uuid.UUID) -> None:
    arguments = {"tenant": str(tx.tenant), "schedule": str(identifier)}
    defer(tx, TASK, arguments, queue=QUEUE, lock=f"{TASK}:{identifier}")


def _person(tx: Tx) -> uuid.UUID:
    reach_of(tx.actor, Permission.SQL_RUN)
    return uuid.UUID(tx.actor.id)


def _audited(plan: Plan) -> dict[str, object]:
    return {"saved": show_id("sav", plan.saved_id), "cron": plan.cron, "alert": plan.alert is not None}


def _checked(tx: Tx, plan: Plan) -> tuple[Plan, datetime | None]:
    """A plan that can be carried out, and when it is due first. Raises SavedQueryNotFound, CannotBeUsed."""
    found = get_saved(tx, plan.saved_id)
    name = plan.name.strip() or found.name
    following = timing.next_time(plan.cron, plan.timezone, tx.now())
    values_of(found.statement, found.parameters, plan.parameters)
    if plan.alert is not None:
        _check_alert(tx, plan)
    return msgspec.structs.replace(plan, name=name), following if plan.active else None


def _check_alert(tx: Tx, plan: Plan) -> None:
    """Hold the condition against the newest result of the query, when there is one."""
    latest = next((run for run in runs.list_runs(tx, saved_id=plan.saved_id, limit=10) if run.columns), None)
    assert plan.alert is not None  # noqa: S101 - the caller looked
    if latest is not None:
        try:
            schema = runs.read_table(tx, latest.id).schema
        except FinerError:
            return
        alerts.compiled(plan.alert, schema)
