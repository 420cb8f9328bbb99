"""Refused records of mapped files know their mapping, so that they go the same way again when they are released."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0031_mapped_records"
down_revision = "0030_lake"

_TABLE = """
create table ingest_mappings (
  tenant_id uuid not null, id uuid not null, document text not null, created_at timestamptz not null,
  constraint pk_ingest_mappings primary key (tenant_id, id))
"""


def upgrade() -> None:
    """Keep each mapping once, and let refused records name it; those that exist have none and stay as they are."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(_TABLE)
    protect(op, "ingest_mappings", api="select, insert", worker="select, insert, delete")
    op.execute("alter table ingest_quarantined_records add column mapping_id uuid")
    op.execute("reset role")
