"""Tables of the chain beside the audit trail; seen by the store and by migrations only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, UUID

from finer.kit.db import metadata

_time = sa.DateTime(timezone=True)
_id = UUID(as_uuid=True)

waiting = sa.Table(
    "identity_audit_waiting",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("entry_id", _id, primary_key=True),
)

seals = sa.Table(
    "identity_audit_seals",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("entry_id", _id, nullable=False),
    sa.Column("hash", BYTEA, nullable=False),
    sa.Column("sealed_at", _time, nullable=False),
    sa.UniqueConstraint("tenant_id", "entry_id", name="uq_identity_audit_seals_entry"),
    sa.CheckConstraint("octet_length(hash) = 32", name="hash"),
    sa.CheckConstraint("sequence > 0", name="sequence"),
)

heads = sa.Table(
    "identity_audit_heads",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", BYTEA, nullable=False),
    sa.Column("signed_at", _time, nullable=False),
    sa.Column("key_id", sa.Text, nullable=False),
    sa.Column("signature", BYTEA, nullable=False),
)

verifications = sa.Table(
    "identity_audit_verifications",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", _time, nullable=False),
    sa.Column("first_sequence", sa.BigInteger, nullable=False),
    sa.Column("last_sequence", sa.BigInteger, nullable=False),
    sa.Column("checked", sa.BigInteger, nullable=False),
    sa.Column("last_hash", BYTEA),
    sa.Column("finished_at", _time),
    sa.Column("findings", JSONB, nullable=False),
    sa.Index("ix_identity_audit_verifications_asked_at", "tenant_id", "asked_at"),
)

read_counts = sa.Table(
    "identity_read_counts",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("actor_id", sa.Text, primary_key=True),
    sa.Column("minute", _time, primary_key=True),
    sa.Column("actor_kind", sa.Text, nullable=False),
    sa.Column("actor_name", sa.Text, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("requests", sa.BigInteger, nullable=False),
    sa.Index("ix_identity_read_counts_minute", "tenant_id", "minute"),
)

security_alerts = sa.Table(
    "identity_security_alerts",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("subject_name", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reasons", ARRAY(sa.Text), nullable=False),
    sa.Column("first_at", _time, nullable=False),
    sa.Column("last_at", _time, nullable=False),
    sa.Column("hits", sa.BigInteger, nullable=False),
    sa.Column("assignee_id", _id),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
    sa.Column("changed_at", _time),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index(
        "ix_identity_security_alerts_open",
        "tenant_id",
        "rule",
        "subject",
        unique=True,
        postgresql_where=sa.text("state <> 'closed'"),
    ),
    sa.Index("ix_identity_security_alerts_last_at", "tenant_id", "last_at", "id"),
)

security_alert_entries = sa.Table(
    "identity_security_alert_entries",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("alert_id", _id, primary_key=True),
    sa.Column("entry_id", _id, primary_key=True),
    sa.ForeignKeyConstraint(
        ["tenant_id", "alert_id"], ["identity_security_alerts.tenant_id", "identity_security_alerts.id"]
    ),
)

security_progress = sa.Table(
    "identity_security_progress",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
)
