"""Schedules run as their owner, at their time; alerts fire, wait, remind and settle."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from finer.identity.service import people
from finer.identity.types.access import Role
from finer.kit.actors import SYSTEM
from finer.notifications import service as notifications
from finer.workspace.errors import CannotBeUsed, ChangedMeanwhile, ScheduleNotFound
from finer.workspace.rules import alerts, timing
from finer.workspace.service import runs, saved, schedules
from finer.workspace.types import (
    AlertRule,
    AlertTest,
    Draft,
    ParameterDefinition,
    ParameterKind,
    Plan,
    Schedule,
    Sharing,
    Watch,
    WatchState,
)
from tests.workspace.conftest import Desk

_NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def _plan(desk: Desk, statement: str = "select 20 as n", role: Role = Role.DATA_ENGINEER, **more: Any) -> Schedule:
    with desk.tx(role) as tx:
        found = saved.create_saved(
            tx,
            Draft(
                name=f"Plan {uuid.uuid4().hex[:6]}",
                statement=statement,
                sharing=Sharing.TENANT,
                parameters=(ParameterDefinition(name="least", kind=ParameterKind.NUMBER, default=10),)
                if ":least" in statement
                else (),
            ),
        )
        fields: dict[str, Any] = {"name": "", "saved_id": found.id, "cron": "0 9 * * 1-5"} | more
        return schedules.create_schedule(tx, Plan(**fields))


def _bell(desk: Desk, schedule: Schedule) -> list[tuple[str, str, bool]]:
    with desk.tx() as tx:
        found, _ = notifications.list_notifications(tx, limit=200)
    return [(one.title, one.text, one.settled_at is None) for one in found if one.title.startswith(schedule.plan.name)]


def test_an_alert_fires_once_and_settles_when_its_cause_is_gone(desk: Desk) -> None:
    rule = AlertRule(test=AlertTest.ANY_ROW, condition="n > 15", severity="critical")
    plan = _plan(desk, "select case when :least > 0 then 20 else 1 end as n", alert=rule, parameters={"least": 1})
    for _ in range(2):
        desk.queries.run_schedule(desk.firm.tenant.id, plan.id)
    with desk.tx() as tx:
        found = schedules.get_schedule(tx, plan.id)
        assert found.watch.state is WatchState.FIRING
        assert found.last_run_id is not None
        assert runs.read_page(tx, found.last_run_id, 0, 1).rows == [[20]]
    assert [title.rsplit(" ", 1)[1] for title, _, _ in _bell(desk, plan)] == ["fires"]
    with desk.tx() as tx:
        calm = Plan(
            name=plan.plan.name, saved_id=plan.plan.saved_id, cron="* * * * *", parameters={"least": 0}, alert=rule
        )
        schedules.change_schedule(tx, plan.id, found.version, calm)
    desk.queries.run_schedule(desk.firm.tenant.id, plan.id)
    with desk.tx() as tx:
        assert schedules.get_schedule(tx, plan.id).watch.state is WatchState.OK
    told = {title.rsplit(" ", 1)[1]: is_open for title, _, is_open in _bell(desk, plan)}
    assert told == {"fires": False, "settled": True}


def test_a_schedule_without_alert_says_that_its_result_is_ready(desk: Desk) -> None:
    plan = _plan(desk)
    desk.queries.run_schedule(desk.firm.tenant.id, plan.id)
    assert [(title.rsplit(" ", 1)[1], text) for title, text, _ in _bell(desk, plan)] == [("ready", "1 rows.")]


def test_a_query_that_fails_is_told_once(desk: Desk) -> None:
    plan = _plan(desk, "select error('no luck') as n from orders")
    for _ in range(2):
        desk.queries.run_schedule(desk.firm.tenant.id, plan.id)
    with desk.tx() as tx:
        found = schedules.get_schedule(tx, plan.id)
    assert found.watch.state is WatchState.ERROR
    assert "no luck" in found.watch.reason
    assert len(_bell(desk, plan)) == 1


def test_a_schedule_runs_with_the_rights_that_its_owner_has_today(desk: Desk) -> None:
    plan = _plan(desk, "select full_name from customer_profiles", Role.CREDIT_OFFICER)
    owner = desk.people[Role.CREDIT_OFFICER]
    with desk.firm.tx() as tx:
        people.disable_user(tx, email=owner.email)
    desk.queries.run_schedule(desk.firm.tenant.id, plan.id)
    with desk.tx(Role.CREDIT_OFFICER) as tx:
        found = schedules.get_schedule(tx, plan.id)
    assert (found.plan.active, found.next_at, found.last_run_id) == (False, None, None)
    assert "owner" in found.problem
    del desk.people[Role.CREDIT_OFFICER]


def test_what_is_due_becomes_one_job(desk: Desk) -> None:
    plan = _plan(desk)
    with desk.firm.database.transaction(desk.firm.tenant.id, SYSTEM) as tx:
        tx.connection.exec_driver_sql(
            "update workspace_schedules set next_at = %s where id = %s", (tx.now() - timedelta(minutes=1), plan.id)
        )
        assert schedules.defer_due(tx) == 1
        assert schedules.defer_due(tx) == 0
        jobs = "select count(*) from procrastinate_jobs where task_name = %s and args->>'schedule' = %s"
        assert tx.connection.exec_driver_sql(jobs, (schedules.TASK, str(plan.id))).scalar_one() == 1
        tx.connection.rollback()


def test_only_its_owner_sees_and_changes_a_schedule(desk: Desk) -> None:
    plan = _plan(desk)
    with desk.tx(Role.RISK_ANALYST) as tx:
        assert plan.id not in {one.id for one in schedules.list_schedules(tx)}
        for act in (schedules.get_schedule, schedules.delete_schedule, schedules.run_now):
            with pytest.raises(ScheduleNotFound):
                act(tx, plan.id)
    with desk.tx() as tx:
        changed = schedules.change_schedule(tx, plan.id, 1, plan.plan)
        assert changed.version == 2
        with pytest.raises(ChangedMeanwhile):
            schedules.change_schedule(tx, plan.id, 1, plan.plan)
        schedules.delete_schedule(tx, plan.id)
        with pytest.raises(ScheduleNotFound):
            schedules.get_schedule(tx, plan.id)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"cron": "every day"}, "cron"),
        ({"cron": "61 * * * *"}, "no schedule"),
        ({"cron": "0 0 31 2 *"}, "no schedule"),
        ({"timezone": "Mars/Olympus"}, "time zone"),
        ({"parameters": {"other": 1}}, "no parameter"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(desk: Desk, more: dict[str, Any], says: str) -> None:
    with pytest.raises(CannotBeUsed, match=says):
        _plan(desk, **more)


def test_a_condition_is_held_against_the_latest_result(desk: Desk) -> None:
    with desk.tx() as tx:
        found = saved.create_saved(tx, Draft(name="checked", statement="select 1 as n, 'a' as word"))
    desk.ask("", saved_id=found.id)
    for condition, says in (("m > 1", "m"), ("word > 1", "text"), ("n >", "condition")):
        rule = AlertRule(test=AlertTest.ANY_ROW, condition=condition)
        with desk.tx() as tx, pytest.raises(CannotBeUsed, match=says):
            schedules.create_schedule(tx, Plan(name="", saved_id=found.id, cron="* * * * *", alert=rule))


def test_tests_of_alerts() -> None:
    table = pa.table({"n": [1, 5, None], "word": ["a", "b", "c"], "day": pa.array([_NOW.date()] * 3)})

    def held(test: AlertTest, condition: str, of: pa.Table = table) -> bool:
        return alerts.holds(AlertRule(test=test, condition=condition), of)[0]

    assert held(AlertTest.ANY_ROW, "n > 4 and word = 'b'")
    assert not held(AlertTest.ANY_ROW, "n > 5")
    assert not held(AlertTest.ALL_ROWS, "n >= 1")
    assert held(AlertTest.ALL_ROWS, "day >= date '2026-03-01'")
    assert held(AlertTest.FIRST_ROW, "n = 1")
    assert not held(AlertTest.FIRST_ROW, "n = 5")
    assert held(AlertTest.ROW_COUNT, "row_count = 3")
    empty = table.slice(0, 0)
    assert not held(AlertTest.ALL_ROWS, "n > 0", empty)
    assert not held(AlertTest.FIRST_ROW, "n > 0", empty)
    assert held(AlertTest.ROW_COUNT, "row_count = 0", empty)


def test_an_alert_waits_reminds_and_settles() -> None:
    rule = AlertRule(test=AlertTest.ANY_ROW, condition="n > 1", pending_minutes=10, cooldown_minutes=30)
    watch, story = Watch(), []
    for minutes, held in (
        (0, True),
        (5, True),
        (10, True),
        (20, True),
        (40, True),
        (45, False),
        (50, True),
        (55, False),
    ):
        watch, told, over = alerts.judged(rule, watch, held, "because", _NOW + timedelta(minutes=minutes))
        story.append((minutes, watch.state.value, told, over))
    assert story == [
        (0, "pending", False, False),
        (5, "pending", False, False),
        (10, "firing", True, False),
        (20, "firing", False, False),
        (40, "firing", True, False),
        (45, "ok", False, True),
        (50, "pending", False, False),
        (55, "ok", False, False),
    ]


def test_times_go_by_the_clock_on_the_wall() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert timing.next_time("0 9 * * *", "Europe/London", before) == datetime(2026, 3, 29, 8, tzinfo=UTC)
    assert timing.next_time("0 9 * * *", "Asia/Manila", before) == datetime(2026, 3, 29, 1, tzinfo=UTC)
