"""Tables of notifications; seen by the store and by migrations only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, UUID

from finer.kit.db import metadata

_time = sa.DateTime(timezone=True)

notifications = sa.Table(
    "notifications_notifications",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("sequence", sa.BigInteger, sa.Sequence("notifications_sequence"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("link", sa.Text, nullable=False),
    sa.Column("permission", sa.Text),
    sa.Column("user_id", UUID(as_uuid=True)),
    sa.Column("key", sa.Text),
    sa.Column("count", sa.Integer, nullable=False, server_default="1"),
    sa.Column("first_at", _time, nullable=False),
    sa.Column("last_at", _time, nullable=False),
    sa.Column("unread_since", _time, nullable=False),
    sa.Column("settled_at", _time),
    sa.Index(
        "uq_notifications_notifications_open_key",
        "tenant_id",
        "key",
        unique=True,
        postgresql_where=sa.text("settled_at is null and key is not null"),
    ),
    sa.Index("ix_notifications_notifications_last_at", "tenant_id", "last_at", "id"),
    sa.Index("ix_notifications_notifications_sequence", "tenant_id", "sequence"),
)

reads = sa.Table(
    "notifications_reads",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("notification_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("user_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("read_at", _time, nullable=False),
    sa.ForeignKeyConstraint(
        ["tenant_id", "notification_id"],
        ["notifications_notifications.tenant_id", "notifications_notifications.id"],
        ondelete="cascade",
    ),
)

deliveries = sa.Table(
    "notifications_deliveries",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("person_id", UUID(as_uuid=True)),
    sa.Column("hook_id", UUID(as_uuid=True)),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("message_sealed", BYTEA),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("problem", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("ended_at", _time),
    sa.Index("ix_notifications_deliveries_created_at", "tenant_id", "created_at"),
    sa.Index(
        "ix_notifications_deliveries_hook",
        "tenant_id",
        "hook_id",
        "created_at",
        postgresql_where=sa.text("hook_id is not null"),
    ),
)

hooks = sa.Table(
    "notifications_hooks",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("url_sealed", BYTEA, nullable=False),
    sa.Column("secret_sealed", BYTEA, nullable=False),
    sa.Column("created_by", UUID(as_uuid=True), nullable=False),
    sa.Column("created_at", _time, nullable=False),
)
