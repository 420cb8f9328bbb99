"""Alerts, awaited decisions and the totals of alerts."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0004_decisions"
down_revision = "0003_ingest"

_ALERTS = """
create table decisions_alerts (
  tenant_id uuid not null,
  id uuid not null,
  sequence bigint not null default nextval('decisions_alert_sequence'),
  partition integer not null,
  log_offset bigint not null,
  event_id text not null,
  state text not null default 'open',
  action text not null,
  occurred_at timestamptz not null,
  received_at timestamptz not null,
  raised_at timestamptz not null default clock_timestamp(),
  account_id text, customer_id text, card_last4 text,
  amount_minor bigint not null,
  currency text not null,
  amount_usd_minor bigint,
  merchant_name text, merchant_city text, merchant_country text, channel text, device_id text,
  rules text[] not null,
  verdict jsonb not null,
  resolved_by text,
  resolved_at timestamptz,
  note text not null default '',
  version integer not null default 1,
  constraint pk_decisions_alerts primary key (tenant_id, id),
  constraint uq_decisions_alerts_tenant_id_partition_log_offset unique (tenant_id, partition, log_offset),
  constraint ck_decisions_alerts_state check (state in ('open', 'confirmed_fraud', 'dismissed')),
  constraint ck_decisions_alerts_resolution check ((state = 'open') = (resolved_at is null))
)
"""


def upgrade() -> None:
    """Create the tables of decisions."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute("create sequence decisions_alert_sequence")
    op.execute(_ALERTS)
    op.execute("create index ix_decisions_alerts_sequence on decisions_alerts (tenant_id, sequence)")
    op.execute("create index ix_decisions_alerts_newest on decisions_alerts (tenant_id, state, raised_at, id)")
    op.execute("create index ix_decisions_alerts_amount on decisions_alerts (tenant_id, state, amount_usd_minor, id)")
    op.execute("create index ix_decisions_alerts_event on decisions_alerts (tenant_id, event_id)")
    op.execute(
        "create table decisions_decisions (tenant_id uuid not null, event_id text not null, id uuid not null, "
        "body_hash bytea not null, verdict jsonb not null, decided_at timestamptz not null default clock_timestamp(), "
        "alert_id uuid, constraint pk_decisions_decisions primary key (tenant_id, event_id), "
        "constraint uq_decisions_decisions_tenant_id_id unique (tenant_id, id))"
    )
    op.execute(
        "create table decisions_alert_totals (tenant_id uuid not null, day date not null, rule text not null, "
        "action text not null, state text not null, alerts bigint not null, amount_usd_minor bigint not null, "
        "constraint pk_decisions_alert_totals primary key (tenant_id, day, rule, action, state)) "
        "with (fillfactor = 50)"
    )
    protect(op, "decisions_alerts", api="select, update", worker="select, insert")
    protect(op, "decisions_decisions", api="select", worker="select, insert")
    protect(op, "decisions_alert_totals", api="select, insert, update", worker="select, insert, update")
    op.execute("grant usage on sequence decisions_alert_sequence to finer_api, finer_worker")
    op.execute("reset role")
