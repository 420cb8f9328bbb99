"""Runs of jobs, and the schedules that rest."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0023_job_runs"
down_revision = "0022_contract_versions"

_TABLES = """
create table kit_job_runs (
  tenant_id uuid not null, id uuid not null, job text not null, state text not null, cause text not null, day date,
  due_at timestamptz, missed integer not null default 0, arguments jsonb not null, asked_by text not null,
  asked_at timestamptz not null, started_at timestamptz, ended_at timestamptz, attempts integer not null default 0,
  done bigint, total bigint, counts jsonb not null default '{}', error text not null default '',
  lines jsonb not null default '[]', cancel_asked boolean not null default false,
  constraint pk_kit_job_runs primary key (tenant_id, id));
create unique index uq_kit_job_runs_due on kit_job_runs (tenant_id, job, due_at)
  where cause in ('schedule', 'catch_up');
create index ix_kit_job_runs_asked_at on kit_job_runs (tenant_id, asked_at, id);
create index ix_kit_job_runs_job on kit_job_runs (tenant_id, job, asked_at, id);
create table kit_job_schedules (
  tenant_id uuid not null, job text not null, paused_by text not null, paused_at timestamptz not null,
  constraint pk_kit_job_schedules primary key (tenant_id, job))
"""


def upgrade() -> None:
    """Create the tables and their walls."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    for statement in _TABLES.split(";\n"):
        op.execute(statement)
    protect(op, "kit_job_runs", api="select, insert, update", worker="select, insert, update, delete")
    protect(op, "kit_job_schedules", api="select, insert, delete", worker="select")
    op.execute("reset role")
