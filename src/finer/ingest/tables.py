"""Tables of ingest; seen by the store and by migrations only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, UUID

from finer.kit.db import metadata

_time = sa.DateTime(timezone=True)

receipts = sa.Table(
    "ingest_receipts",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("contract", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("partition", sa.Integer, nullable=False),
    sa.Column("first_offset", sa.BigInteger),
    sa.Column("received", sa.Integer, nullable=False),
    sa.Column("logged", sa.Integer, nullable=False),
    sa.Column("quarantined", sa.Integer, nullable=False),
    sa.Column("released", sa.Integer, nullable=False, server_default="0"),
    sa.Column("unknown_fields", ARRAY(sa.Text), nullable=False),
    sa.Column("problems", JSONB, nullable=False),
    sa.Column("received_at", _time, nullable=False),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("body_hash", BYTEA),
    sa.Column("contract_version", sa.Text),
    sa.UniqueConstraint("tenant_id", "idempotency_key"),
    sa.Index("ix_ingest_receipts_contract", "tenant_id", "contract", "id"),
)

contract_versions = sa.Table(
    "ingest_contract_versions",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("contract", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="draft"),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("updated_at", _time, nullable=False),
    sa.Column("published_by", sa.Text),
    sa.Column("published_at", _time),
    sa.Column("retired_at", _time),
    sa.Column("trial", JSONB),
    sa.Index(
        "ix_ingest_contract_versions_published",
        "tenant_id",
        "contract",
        unique=True,
        postgresql_where=sa.text("state = 'published'"),
    ),
    sa.Index(
        "ix_ingest_contract_versions_version",
        "tenant_id",
        "contract",
        "version",
        unique=True,
        postgresql_where=sa.text("state <> 'draft'"),
    ),
)

quarantined_records = sa.Table(
    "ingest_quarantined_records",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("receipt_id", UUID(as_uuid=True), nullable=False),
    sa.Column("contract", sa.Text, nullable=False),
    sa.Column("line", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("rules", ARRAY(sa.Text), nullable=False),
    sa.Column("raw_bytes", sa.BigInteger, nullable=False),
    sa.Column("received_at", _time, nullable=False),
    sa.Column("act_id", UUID(as_uuid=True)),
    sa.Column("remaining", JSONB),
    sa.Column("changed_at", _time),
    sa.Column("mapping_id", UUID(as_uuid=True)),
    sa.Index("ix_ingest_quarantined_records_cause", "tenant_id", "contract", "field", "rule", "id"),
    sa.Index("ix_ingest_quarantined_records_receipt", "tenant_id", "receipt_id", "line"),
)

mappings = sa.Table(
    "ingest_mappings",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("created_at", _time, nullable=False),
)

quarantine_payloads = sa.Table(
    "ingest_quarantine_payloads",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("errors", JSONB, nullable=False),
    sa.Column("raw_sha256", BYTEA, nullable=False),
    sa.Column("raw_sealed", BYTEA),
)

quarantine_edits = sa.Table(
    "ingest_quarantine_edits",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("record_sealed", BYTEA, nullable=False),
)

quarantine_acts = sa.Table(
    "ingest_quarantine_acts",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("contract", sa.Text, nullable=False),
    sa.Column("selection", JSONB, nullable=False),
    sa.Column("assignments", JSONB, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="running"),
    sa.Column("matched", sa.BigInteger, nullable=False),
    sa.Column("done", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("changed", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("failed", JSONB, nullable=False, server_default="{}"),
    sa.Column("cursor", UUID(as_uuid=True)),
    sa.Column("last", UUID(as_uuid=True)),
    sa.Column("cancelled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    sa.Column("actor_kind", sa.Text, nullable=False),
    sa.Column("actor_id", sa.Text, nullable=False),
    sa.Column("actor_name", sa.Text, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("finished_at", _time),
)

releases = sa.Table(
    "ingest_releases",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("first_offset", sa.BigInteger, primary_key=True),
    sa.Column("logged", sa.Integer, nullable=False),
    sa.Column("receipt_id", UUID(as_uuid=True), nullable=False),
    sa.Column("act_id", UUID(as_uuid=True), nullable=False),
    sa.Column("released_at", _time, nullable=False),
    sa.Index("ix_ingest_releases_receipt", "tenant_id", "receipt_id"),
)

outcomes = sa.Table(
    "ingest_outcomes",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("base_offset", sa.BigInteger, primary_key=True),
    sa.Column("end_offset", sa.BigInteger, nullable=False),
    sa.Column("duplicate_offsets", ARRAY(sa.BigInteger), nullable=False),
    sa.Column("conflicting_offsets", ARRAY(sa.BigInteger), nullable=False),
    sa.Column("recorded_at", _time, nullable=False, server_default=sa.func.clock_timestamp()),
)

rollups = sa.Table(
    "ingest_rollups",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("contract", sa.Text, primary_key=True),
    sa.Column("step_s", sa.Integer, primary_key=True),
    sa.Column("bucket", _time, primary_key=True),
    sa.Column("writer", sa.Text, primary_key=True),
    sa.Column("received", sa.BigInteger, nullable=False),
    sa.Column("accepted", sa.BigInteger, nullable=False),
    sa.Column("duplicates", sa.BigInteger, nullable=False),
    sa.Column("quarantined", sa.BigInteger, nullable=False),
    sa.Column("released", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("latency", ARRAY(sa.BigInteger), nullable=False),
    sa.Column("last_at", _time, nullable=False),
)
