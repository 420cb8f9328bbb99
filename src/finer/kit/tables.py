"""The tables of kit itself: the event log, its identity, heads and consumers, keys, remembered answers, runs."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, UUID

from finer.kit.schema import metadata

log_heads = sa.Table(
    "kit_log_heads",
    metadata,
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("next_offset", sa.BigInteger, nullable=False),
)

log_consumers = sa.Table(
    "kit_log_consumers",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("next_offset", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

log = sa.Table(
    "kit_log",
    metadata,
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("base_offset", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("tenant_id", UUID(as_uuid=True), nullable=False),
    sa.Column("header", sa.Text, nullable=False),
    sa.Column("appended_at", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("payload", BYTEA, nullable=False),
    postgresql_partition_by="range (appended_at)",
)

log_identity = sa.Table(
    "kit_log_identity",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
)

log_failures = sa.Table(
    "kit_log_failures",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("base_offset", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("header", sa.Text, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("set_aside_at", sa.DateTime(timezone=True)),
    sa.Column("appended_at", sa.DateTime(timezone=True)),
    sa.Column("payload", BYTEA),
)

data_keys = sa.Table(
    "kit_keys",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("subject", BYTEA, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("wrapped", BYTEA, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("superseded_at", sa.DateTime(timezone=True)),
    sa.UniqueConstraint("tenant_id", "subject", "version"),
    sa.Index("ix_kit_keys_in_force", "tenant_id", "created_at", postgresql_where=sa.text("superseded_at is null")),
)

installation_keys = sa.Table(
    "kit_installation_keys",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("wrapped", BYTEA, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)

idempotency = sa.Table(
    "kit_idempotency",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("claim", sa.Text, primary_key=True),
    sa.Column("request_hash", BYTEA, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("headers", JSONB, nullable=False),
    sa.Column("body_sealed", BYTEA),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("ix_kit_idempotency_created_at", "tenant_id", "created_at"),
)

job_runs = sa.Table(
    "kit_job_runs",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("job", sa.Text, nullable=False),
    sa.Column("queue", sa.Text, nullable=False, server_default="runs"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("day", sa.Date),
    sa.Column("due_at", sa.DateTime(timezone=True)),
    sa.Column("missed", sa.Integer, nullable=False, server_default="0"),
    sa.Column("arguments", JSONB, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("started_at", sa.DateTime(timezone=True)),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("done", sa.BigInteger),
    sa.Column("total", sa.BigInteger),
    sa.Column("counts", JSONB, nullable=False, server_default="{}"),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    sa.Column("lines", JSONB, nullable=False, server_default="[]"),
    sa.Column("cancel_asked", sa.Boolean, nullable=False, server_default="false"),
    sa.Index(
        "uq_kit_job_runs_due", "tenant_id", "job", "due_at", unique=True,
        postgresql_where=sa.text("cause in ('schedule', 'catch_up')"),
    ),
    sa.Index("ix_kit_job_runs_asked_at", "tenant_id", "asked_at", "id"),
    sa.Index("ix_kit_job_runs_job", "tenant_id", "job", "asked_at", "id"),
)  # fmt: skip

job_schedules = sa.Table(
    "kit_job_schedules",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("job", sa.Text, primary_key=True),
    sa.Column("paused_by", sa.Text, nullable=False),
    sa.Column("paused_at", sa.DateTime(timezone=True), nullable=False),
)
