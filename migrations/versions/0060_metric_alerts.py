"""Alerts on metrics with history and silences, and webhooks that they go to."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0060_metric_alerts"
down_revision = "0059_whose_rights"

_TABLES = """
create table dashboards_alerts (tenant_id uuid not null, id uuid not null, owner_id uuid not null, content_sealed bytea
  not null, active boolean not null, version integer default 1 not null, watch jsonb not null, value double precision,
  looked_at timestamptz, problem text default '' not null, constraint pk_dashboards_alerts primary key (tenant_id, id));
create index ix_dashboards_alerts_owner on dashboards_alerts (tenant_id, owner_id);
create table dashboards_happenings (tenant_id uuid not null, id uuid not null, alert_id uuid not null, at timestamptz
  not null, state text not null, value double precision, reason text not null, told boolean not null, constraint
  pk_dashboards_happenings primary key (tenant_id, id), constraint fk_dashboards_happenings_tenant_id_alert_id foreign
  key (tenant_id, alert_id) references dashboards_alerts (tenant_id, id) on delete cascade);
create index ix_dashboards_happenings_alert on dashboards_happenings (tenant_id, alert_id, at);
create table dashboards_silences (tenant_id uuid not null, id uuid not null, owner_id uuid not null, alert_id uuid,
  grouped text not null, until timestamptz not null, reason_sealed bytea not null, constraint pk_dashboards_silences
  primary key (tenant_id, id), constraint fk_dashboards_silences_tenant_id_alert_id foreign key (tenant_id, alert_id)
  references dashboards_alerts (tenant_id, id) on delete cascade);
create index ix_dashboards_silences_owner on dashboards_silences (tenant_id, owner_id, until);
create table notifications_hooks (tenant_id uuid not null, id uuid not null, name text not null, url_sealed bytea not
  null, secret_sealed bytea not null, created_by uuid not null, created_at timestamptz not null, constraint
  pk_notifications_hooks primary key (tenant_id, id));
alter table notifications_deliveries alter column person_id drop not null, add column hook_id uuid;
create index ix_notifications_deliveries_hook on notifications_deliveries (tenant_id, hook_id, created_at)
  where hook_id is not null;
"""


def upgrade() -> None:
    """Nobody watches a metric yet; what was sent before went to people."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(_TABLES)
    every = "select, insert, update, delete"
    for table in ("dashboards_alerts", "dashboards_happenings", "dashboards_silences", "notifications_hooks"):
        protect(op, table, api=every, worker=every)
    op.execute("reset role")
