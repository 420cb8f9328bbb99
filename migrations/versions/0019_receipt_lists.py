"""Receipts of one contract, newest first, without reading those of the others."""

from __future__ import annotations

from alembic import op

revision = "0019_receipt_lists"
down_revision = "0018_proposals"


def upgrade() -> None:
    """Index receipts by contract."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute("create index ix_ingest_receipts_contract on ingest_receipts (tenant_id, contract, id)")
    op.execute("reset role")
