"""Sums of records by minute, hour and day, and the ages of open orders."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0045_operations"
down_revision = "0040_cases"

_TABLES = (
    """
create table operations_rollups (
  tenant_id uuid not null, contract text not null, grain text not null, step_s int not null,
  bucket timestamptz not null, kind text not null, status text not null, currency text not null, region text not null,
  channel text not null, product text not null, records bigint not null,
  quantity bigint not null, amount_minor numeric(38, 0) not null,
  constraint pk_operations_rollups
    primary key (tenant_id, contract, grain, step_s, bucket, kind, status, currency, region, channel, product),
  constraint ck_operations_rollups_grain check (grain in ('place', 'product')),
  constraint ck_operations_rollups_step_s check (step_s in (60, 3600, 86400)))
""",
    """
create table operations_values (
  tenant_id uuid not null, contract text not null, dimension text not null, value text not null,
  constraint pk_operations_values primary key (tenant_id, contract, dimension, value),
  constraint ck_operations_values_dimension check (dimension in ('region', 'channel', 'product')))
""",
    """
create table operations_beginnings (
  tenant_id uuid not null, contract text not null, partition int not null, from_offset bigint not null,
  constraint pk_operations_beginnings primary key (tenant_id, contract, partition))
""",
    """
create table operations_order_ages (
  tenant_id uuid not null, as_of timestamptz not null, document jsonb not null,
  constraint pk_operations_order_ages primary key (tenant_id))
""",
)


def upgrade() -> None:
    """Create the tables and their walls."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    for statement in _TABLES:
        op.execute(statement)
    protect(op, "operations_rollups", api="select", worker="select, insert, update, delete")
    protect(op, "operations_values", api="select", worker="select, insert")
    protect(op, "operations_beginnings", worker="select, insert")
    protect(op, "operations_order_ages", api="select", worker="select, insert, update")
    op.execute("reset role")
