"""Runs of jobs on a schedule: when they were due, whether they were done, and which nobody waits for any more."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from finer.kit.runs import RunState
from finer.kit.tables import job_runs
from finer.kit.tx import Tx


def give_up_waiting(tx: Tx, job: str, before: datetime, says: str) -> int:
    """Runs of a job that still wait, due before then, are skipped and say why; returns how many."""
    chosen = sa.and_(
        job_runs.c.tenant_id == tx.tenant,
        job_runs.c.job == job,
        job_runs.c.state == RunState.WAITING,
        job_runs.c.due_at < before,
    )
    skipped = job_runs.update().where(chosen).values(state=RunState.SKIPPED, ended_at=tx.now(), error=says)
    return tx.connection.execute(skipped).rowcount


def succeeded_between(tx: Tx, job: str, since: datetime, until: datetime) -> bool:
    """Whether a run of a job that was due in a period has succeeded."""
    found = sa.select(job_runs.c.id).where(
        job_runs.c.tenant_id == tx.tenant,
        job_runs.c.job == job,
        job_runs.c.state == RunState.SUCCEEDED,
        job_runs.c.due_at >= since,
        job_runs.c.due_at < until,
    )
    return tx.connection.execute(found.limit(1)).first() is not None


def last_due(tx: Tx) -> dict[str, datetime]:
    """When the latest run of each job was due."""
    query = sa.select(job_runs.c.job, sa.func.max(job_runs.c.due_at)).where(
        job_runs.c.tenant_id == tx.tenant, job_runs.c.due_at.is_not(None)
    )
    return {row[0]: row[1] for row in tx.connection.execute(query.group_by(job_runs.c.job))}
