"""Dashboards of people with notes and digests, e-mail that waits to be sent, and answers found by their question."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0052_dashboards"
down_revision = "0048_wake_up"

_TABLES = """
create table dashboards_dashboards (tenant_id uuid not null, id uuid not null, owner_id uuid not null, sharing text
  not null, team_id uuid, content_sealed bytea not null, version integer default 1 not null, created_at timestamptz
  not null, changed_at timestamptz not null, constraint pk_dashboards_dashboards primary key (tenant_id, id));
create index ix_dashboards_dashboards_owner on dashboards_dashboards (tenant_id, owner_id);
create table dashboards_annotations (tenant_id uuid not null, id uuid not null, dashboard_id uuid not null, at
  timestamptz not null, text_sealed bytea not null, author_id uuid not null, created_at timestamptz not null,
  constraint pk_dashboards_annotations primary key (tenant_id, id), constraint
  fk_dashboards_annotations_tenant_id_dashboard_id foreign key (tenant_id, dashboard_id) references
  dashboards_dashboards (tenant_id, id) on delete cascade);
create index ix_dashboards_annotations_dashboard on dashboards_annotations (tenant_id, dashboard_id, at);
create table dashboards_digests (tenant_id uuid not null, id uuid not null, dashboard_id uuid not null, person_id uuid
  not null, cron text not null, timezone text not null, next_at timestamptz, last_at timestamptz, problem text default
  '' not null, constraint pk_dashboards_digests primary key (tenant_id, id), constraint uq_dashboards_digests_person
  unique (tenant_id, dashboard_id, person_id), constraint fk_dashboards_digests_tenant_id_dashboard_id foreign key
  (tenant_id, dashboard_id) references dashboards_dashboards (tenant_id, id) on delete cascade);
create index ix_dashboards_digests_due on dashboards_digests (tenant_id, next_at);
create table notifications_deliveries (tenant_id uuid not null, id uuid not null, person_id uuid not null, state text
  not null, message_sealed bytea, attempts integer default 0 not null, problem text default '' not null, created_at
  timestamptz not null, ended_at timestamptz, constraint pk_notifications_deliveries primary key (tenant_id, id));
create index ix_notifications_deliveries_created_at on notifications_deliveries (tenant_id, created_at);
create index ix_workspace_runs_question on workspace_runs (tenant_id, fingerprint, asked_at);
"""


def upgrade() -> None:
    """Nobody has a dashboard yet; no row of another table changes."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(_TABLES)
    every = "select, insert, update, delete"
    for table in ("dashboards_dashboards", "dashboards_annotations", "dashboards_digests", "notifications_deliveries"):
        protect(op, table, api=every, worker=every)
    op.execute("reset role")
