"""Schedules that rest: for them no run is asked for, until somebody lets them go on."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.kit.tables import job_schedules
from finer.kit.tx import Tx


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
    if rest != ["*", "*", "*"]:
        return f"by {cron}"
    if hour == "*" and minute == "*":
        return "every minute"
    if hour == "*" and minute.startswith("*/"):
        return f"every {minute[2:]} minutes"
    if hour == "*" and minute.isdigit():
        return f"every hour at minute {minute}"
    if hour.isdigit() and minute.isdigit():
        return f"every day at {int(hour):02d}:{int(minute):02d}"
    return f"by {cron}"
