"""How current each table of the lake is. The lake itself is DuckLake's: it makes its own schemas lake_*."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0005_warehouse"
down_revision = "0004_decisions"


def upgrade() -> None:
    """Create the table of freshness."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(
        "create table warehouse_freshness (tenant_id uuid not null, table_name text not null, rows bigint not null, "
        "newest timestamptz, delay_s double precision not null, committed_at timestamptz not null, "
        "constraint pk_warehouse_freshness primary key (tenant_id, table_name)) with (fillfactor = 50)"
    )
    protect(op, "warehouse_freshness", api="select", worker="select, insert, update")
    op.execute("reset role")
