"""Exports of the lake."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0030_lake"
down_revision = "0029_log_failures"

_EXPORTS = """
create table warehouse_exports (
  tenant_id uuid not null, id uuid not null, table_name text not null, format text not null, since timestamptz,
  until timestamptz, snapshot bigint, state text not null, asked_by text not null, role text not null,
  asked_at timestamptz not null, rows bigint not null default 0, rows_total bigint,
  bytes bigint, finished_at timestamptz, expires_at timestamptz, problem text,
  constraint pk_warehouse_exports primary key (tenant_id, id),
  constraint ck_warehouse_exports_state check (
    state in ('waiting', 'running', 'ready', 'failed', 'cancelled', 'expired')))
"""


def upgrade() -> None:
    """Create the table and its walls."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(_EXPORTS)
    op.execute("create index ix_warehouse_exports_asked_by on warehouse_exports (tenant_id, asked_by, id)")
    protect(
        op,
        "warehouse_exports",
        api="select, insert, update (state, finished_at)",
        worker="select, update, delete",
    )
    op.execute("reset role")
