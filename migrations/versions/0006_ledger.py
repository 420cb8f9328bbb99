"""Dated exchange rates."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0006_ledger"
down_revision = "0005_warehouse"


def upgrade() -> None:
    """Create the tables of the ledger."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(
        "create table ledger_exchange_rates (tenant_id uuid not null, currency text not null, day date not null, "
        "usd_per_unit numeric not null check (usd_per_unit > 0), "
        "constraint pk_ledger_exchange_rates primary key (tenant_id, currency, day))"
    )
    protect(op, "ledger_exchange_rates", api="select, insert, update", worker="select")
    op.execute("reset role")
