"""Receipts, quarantined records, duplicates found by the worker, and counts over time."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0003_ingest"
down_revision = "0002_identity"

_RECEIPTS = """
create table ingest_receipts (
  tenant_id uuid not null,
  id uuid not null,
  contract text not null,
  source text not null,
  stream text not null,
  partition integer not null,
  first_offset bigint,
  received integer not null,
  logged integer not null,
  quarantined integer not null,
  unknown_fields text[] not null,
  problems jsonb not null,
  received_at timestamptz not null,
  idempotency_key text,
  body_hash bytea,
  constraint pk_ingest_receipts primary key (tenant_id, id),
  constraint uq_ingest_receipts_tenant_id_idempotency_key unique (tenant_id, idempotency_key),
  constraint ck_ingest_receipts_account check (received = logged + quarantined),
  constraint ck_ingest_receipts_offset check ((logged = 0) = (first_offset is null))
)
"""

_QUARANTINED = """
create table ingest_quarantined_records (
  tenant_id uuid not null,
  id uuid not null,
  receipt_id uuid not null,
  contract text not null,
  line bigint not null,
  state text not null default 'open',
  field text not null,
  rule text not null,
  rules text[] not null,
  errors jsonb not null,
  raw bytea not null,
  raw_bytes bigint not null,
  raw_sha256 bytea not null,
  received_at timestamptz not null,
  constraint pk_ingest_quarantined_records primary key (tenant_id, id),
  constraint ck_ingest_quarantined_records_state check (state in ('open', 'released', 'discarded'))
)
"""

_OUTCOMES = """
create table ingest_outcomes (
  tenant_id uuid not null,
  stream text not null,
  partition integer not null,
  base_offset bigint not null,
  end_offset bigint not null,
  duplicate_offsets bigint[] not null,
  conflicting_offsets bigint[] not null,
  recorded_at timestamptz not null default clock_timestamp(),
  constraint pk_ingest_outcomes primary key (tenant_id, stream, partition, base_offset)
)
"""

_ROLLUPS = """
create table ingest_rollups (
  tenant_id uuid not null,
  contract text not null,
  step_s integer not null,
  bucket timestamptz not null,
  writer text not null,
  received bigint not null,
  accepted bigint not null,
  duplicates bigint not null,
  quarantined bigint not null,
  latency bigint[] not null,
  last_at timestamptz not null,
  constraint pk_ingest_rollups primary key (tenant_id, contract, step_s, bucket, writer)
) with (fillfactor = 50)
"""


def upgrade() -> None:
    """Create the tables of ingest."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(_RECEIPTS)
    op.execute(_QUARANTINED)
    op.execute(_OUTCOMES)
    op.execute(_ROLLUPS)
    op.execute(
        "create index ix_ingest_quarantined_records_cause on ingest_quarantined_records "
        "(tenant_id, state, contract, field, rule, id)"
    )
    op.execute(
        "create index ix_ingest_quarantined_records_receipt on ingest_quarantined_records (tenant_id, receipt_id, line)"
    )
    protect(op, "ingest_receipts", api="select, insert", worker="select, delete")
    protect(op, "ingest_quarantined_records", api="select, insert, update", worker="select, delete")
    protect(op, "ingest_outcomes", api="select", worker="select, insert, delete")
    protect(op, "ingest_rollups", api="select, insert, update", worker="select, insert, update, delete")
    op.execute("reset role")
