"""The tables of kit itself: the event log, its heads and consumers, and the keys of sealed columns."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, UUID

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
)

installation_keys = sa.Table(
    "kit_installation_keys",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("wrapped", BYTEA, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)
