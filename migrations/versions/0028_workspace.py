"""What people keep of their SQL: saved queries with versions, runs with results, schedules with alerts."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0028_workspace"
down_revision = "0027_quarantine"

_TABLES = """
create table workspace_saved (tenant_id uuid not null, id uuid not null, name text not null, description text not
  null, folder text not null, tags text[] not null, owner_id uuid not null, sharing text not null, team_id uuid,
  version integer default 1 not null, created_at timestamptz not null, changed_at timestamptz not null, constraint
  pk_workspace_saved primary key (tenant_id, id));
create index ix_workspace_saved_owner on workspace_saved (tenant_id, owner_id);
create table workspace_saved_versions (tenant_id uuid not null, saved_id uuid not null, version integer not null,
  statement_sealed bytea not null, parameters jsonb not null, chart jsonb, changed_by uuid not null, changed_at
  timestamptz not null, constraint pk_workspace_saved_versions primary key (tenant_id, saved_id, version),
  constraint fk_workspace_saved_versions_tenant_id_saved_id foreign key (tenant_id, saved_id) references
  workspace_saved (tenant_id, id) on delete cascade);
create table workspace_favourites (tenant_id uuid not null, person_id uuid not null, saved_id uuid not null,
  constraint pk_workspace_favourites primary key (tenant_id, person_id, saved_id), constraint
  fk_workspace_favourites_tenant_id_saved_id foreign key (tenant_id, saved_id) references workspace_saved
  (tenant_id, id) on delete cascade);
create table workspace_runs (tenant_id uuid not null, id uuid not null, person_id text not null, role text not null,
  state text not null, statement_sealed bytea not null, parameters_sealed bytea not null, kinds jsonb not null,
  fingerprint bytea not null, saved_id uuid, saved_version integer, schedule_id uuid, rows_max integer not null,
  as_of timestamptz, asked_at timestamptz not null, started_at timestamptz, lease_until timestamptz, finished_at
  timestamptz, expires_at timestamptz, rows bigint, truncated boolean default false not null, result_bytes bigint,
  result_columns jsonb default '[]'::jsonb not null, cost jsonb default '{}'::jsonb not null, problem text default
  '' not null, error_sealed bytea, position integer, constraint pk_workspace_runs primary key (tenant_id, id));
create index ix_workspace_runs_person on workspace_runs (tenant_id, person_id, asked_at);
create index ix_workspace_runs_schedule on workspace_runs (tenant_id, schedule_id, asked_at);
create index ix_workspace_runs_state on workspace_runs (tenant_id, state);
create table workspace_results (tenant_id uuid not null, run_id uuid not null, part integer not null, rows integer
  not null, content_sealed bytea not null, constraint pk_workspace_results primary key (tenant_id, run_id, part),
  constraint fk_workspace_results_tenant_id_run_id foreign key (tenant_id, run_id) references workspace_runs
  (tenant_id, id) on delete cascade);
create table workspace_schedules (tenant_id uuid not null, id uuid not null, name text not null, saved_id uuid not
  null, owner_id uuid not null, cron text not null, timezone text not null, parameters_sealed bytea not null, alert
  jsonb, active boolean not null, version integer default 1 not null, created_at timestamptz not null, next_at
  timestamptz, last_run_id uuid, watch jsonb not null, problem text default '' not null, constraint
  pk_workspace_schedules primary key (tenant_id, id), constraint fk_workspace_schedules_tenant_id_saved_id foreign
  key (tenant_id, saved_id) references workspace_saved (tenant_id, id) on delete cascade);
create index ix_workspace_schedules_due on workspace_schedules (tenant_id, next_at);
create index ix_workspace_schedules_saved on workspace_schedules (tenant_id, saved_id);
"""
_NAMES = ("saved", "saved_versions", "favourites", "runs", "results", "schedules")


def upgrade() -> None:
    """Create the tables of the workspace. Schedules run in the jobs process, which therefore does what the API does."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    for name in _NAMES:
        every = "select, insert, update, delete"
        protect(op, f"workspace_{name}", api=every, worker=every)
    op.execute("reset role")
