"""Schedules that rest: for them no run is asked for, until somebody lets them go on."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.kit.tables import job_schedules
from finer.kit.tx import Tx

_EVERY_DAY = "every day"
_WEEK = ("Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_DAYS = {
    "* * *": _EVERY_DAY,
    "1 * *": "on the first of the month",
    "* * 1-5": "on working days",
    **{f"* * {number}": f"on {name}" for number, name in enumerate(_WEEK)},
}
"""By the last three parts of a cron expression: day of the month, month, day of the week."""


def pause(tx: Tx, job: str) -> None:
    """Let a schedule rest for this firm; asking again changes nothing."""
    new = insert(job_schedules).values(tenant_id=tx.tenant, job=job, paused_by=tx.actor.name, paused_at=tx.now())
    tx.connection.execute(new.on_conflict_do_nothing())


def resume(tx: Tx, job: str) -> None:
    """Let a schedule go on."""
    chosen = sa.and_(job_schedules.c.tenant_id == tx.tenant, job_schedules.c.job == job)
    tx.connection.execute(job_schedules.delete().where(chosen))


def paused(tx: Tx) -> dict[str, tuple[datetime, str]]:
    """The schedules that rest for this firm: since when, and by whom."""
    query = sa.select(job_schedules).where(job_schedules.c.tenant_id == tx.tenant)
    return {row.job: (row.paused_at, row.paused_by) for row in tx.connection.execute(query)}


def words(cron: str) -> str:
    """A cron expression as people say it; the expression itself when it is none of the usual ones."""
    minute, hour, *rest = cron.split()
    days = _DAYS.get(" ".join(rest))
    if days and hour.isdigit() and minute.isdigit():
        return f"{days} at {int(hour):02d}:{int(minute):02d}"
    if days != _EVERY_DAY or hour != "*":
        return f"by {cron}"
    if minute == "*":
        return "every minute"
    if minute.startswith("*/"):
        return f"every {minute[2:]} minutes"
    return f"every hour at minute {minute}" if minute.isdigit() else f"by {cron}"
