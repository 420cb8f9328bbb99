"""Quality: what is watched of each contract, what was observed, and what was not as usual."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0037_quality"
down_revision = "0036_bi_extracts"

_TABLES = """
create table quality_watches (
  tenant_id uuid not null, contract text not null, layout jsonb not null, usual jsonb not null,
  progress jsonb not null, first_at timestamptz not null,
  constraint pk_quality_watches primary key (tenant_id, contract));
create table quality_monitors (
  tenant_id uuid not null, id uuid not null, contract text not null, kind text not null, field text not null,
  place integer not null, enabled boolean not null default true, sensitivity text not null default 'normal',
  muted_until timestamptz, relearn_from timestamptz, relearned_at timestamptz, version integer not null default 1,
  constraint pk_quality_monitors primary key (tenant_id, id),
  constraint uq_quality_monitors_tenant_id_contract_kind_field unique (tenant_id, contract, kind, field),
  constraint uq_quality_monitors_tenant_id_contract_place unique (tenant_id, contract, place),
  constraint ck_quality_monitors_sensitivity check (sensitivity in ('low', 'normal', 'high')));
create table quality_observations (
  tenant_id uuid not null, contract text not null, step_s integer not null, at timestamptz not null,
  layout integer not null, received bigint not null, quarantined bigint not null, processed bigint not null,
  duplicates bigint not null, rows bigint not null, delay_s double precision, nulls bigint[] not null,
  bins bigint[] not null, measured real[] not null, lows real[] not null, highs real[] not null,
  spreads real[] not null, unusual integer[] not null,
  constraint pk_quality_observations primary key (tenant_id, contract, step_s, at));
create index ix_quality_observations_at on quality_observations (tenant_id, step_s, at);
create table quality_incidents (
  tenant_id uuid not null, id uuid not null, contract text not null, state text not null, severity text not null,
  since timestamptz not null, opened_at timestamptz not null, last_at timestamptz not null, closed_at timestamptz,
  parts jsonb not null, keys jsonb not null, note text not null default '', changed_by text not null default '',
  changed_at timestamptz, version integer not null default 1,
  constraint pk_quality_incidents primary key (tenant_id, id),
  constraint ck_quality_incidents_state check (
    (closed_at is null) = (state in ('open', 'acknowledged'))
    and state in ('open', 'acknowledged', 'settled', 'resolved', 'expected')));
create index ix_quality_incidents_opened_at on quality_incidents (tenant_id, opened_at, id);
create index ix_quality_incidents_open on quality_incidents (tenant_id, contract) where closed_at is null
"""
# People act on monitors and incidents, and what they say is normal has to be learned anew; all else is the watcher's.
_GRANTS = {
    "quality_watches": ("select, update (layout, usual, progress)", "select, insert, update, delete"),
    "quality_monitors": ("select, update", "select, insert, update, delete"),
    "quality_observations": ("select", "select, insert, update, delete"),
    "quality_incidents": ("select, update", "select, insert, update, delete"),
}


def upgrade() -> None:
    """Create the tables of quality and their walls."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    for statement in _TABLES.split(";\n"):
        op.execute(statement)
    for table, (api, worker) in _GRANTS.items():
        protect(op, table, api=api, worker=worker)
    op.execute("reset role")
