"""Extracts of the lake for BI tools."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0036_bi_extracts"
down_revision = "0035_provider_sessions"

_EXTRACTS = """
create table warehouse_extracts (
  tenant_id uuid not null, id uuid not null, name text not null, tables text[] not null, days integer,
  shown_as text not null, every_hours integer not null, login text not null, made_by text not null,
  made_at timestamptz not null, refreshed_at timestamptz, rows bigint, problem text not null default '',
  password_at timestamptz,
  constraint pk_warehouse_extracts primary key (tenant_id, id),
  constraint uq_warehouse_extracts_name unique (tenant_id, name),
  constraint ck_warehouse_extracts_every_hours check (every_hours between 1 and 168))
"""


def upgrade() -> None:
    """Create the table and its walls."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(_EXTRACTS)
    protect(
        op,
        "warehouse_extracts",
        api="select, insert, delete, update (password_at)",
        worker="select, update (refreshed_at, rows, problem)",
    )
    op.execute("reset role")
