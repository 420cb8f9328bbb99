"""Tables of identity; seen by the store and by migrations only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, UUID

from finer.kit.db import metadata

_time = sa.DateTime(timezone=True)
_id = UUID(as_uuid=True)

tenants = sa.Table(
    "identity_tenants",
    metadata,
    sa.Column("id", _id, primary_key=True),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("base_currency", sa.Text, nullable=False),
    sa.Column("timezone", sa.Text, nullable=False),
    sa.Column("branding", JSONB, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("second_factor_required", sa.Boolean, nullable=False, server_default=sa.false()),
)

users = sa.Table(
    "identity_users",
    metadata,
    sa.Column("tenant_id", _id, sa.ForeignKey("identity_tenants.id"), primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("email_sealed", BYTEA, nullable=False),
    sa.Column("email_index", BYTEA, nullable=False, unique=True),
    sa.Column("name_sealed", BYTEA, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text),
    sa.Column("disabled_at", _time),
    sa.Column("created_at", _time, nullable=False),
)

sessions = sa.Table(
    "identity_sessions",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("user_id", _id, nullable=False),
    sa.Column("token_hash", BYTEA, nullable=False, unique=True),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("last_seen_at", _time, nullable=False),
    sa.Column("user_agent", sa.Text, nullable=False),
    sa.Column("revoked_at", _time),
    sa.Column("auth_at", _time, nullable=False),
    sa.Column("factor", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("unfamiliar", sa.Boolean, nullable=False),
    sa.Column("ends_at", _time),
    sa.ForeignKeyConstraint(["tenant_id", "user_id"], ["identity_users.tenant_id", "identity_users.id"]),
    sa.Index(None, "tenant_id", "user_id"),
)

sign_in_links = sa.Table(
    "identity_sign_in_links",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("user_id", _id, nullable=False),
    sa.Column("token_hash", BYTEA, nullable=False, unique=True),
    sa.Column("expires_at", _time, nullable=False),
    sa.ForeignKeyConstraint(["tenant_id", "user_id"], ["identity_users.tenant_id", "identity_users.id"]),
)

api_keys = sa.Table(
    "identity_api_keys",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("prefix", sa.Text, nullable=False, unique=True),
    sa.Column("secret_hash", BYTEA, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("expires_at", _time, nullable=False),
    sa.Column("last_used_at", _time),
    sa.Column("revoked_at", _time),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("networks", ARRAY(sa.Text), nullable=False),
    sa.Column("previous_secret_hash", BYTEA),
    sa.Column("previous_until", _time),
    sa.Column("approved_at", _time),
)

audit_entries = sa.Table(
    "identity_audit_entries",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("at", _time, nullable=False),
    sa.Column("actor_kind", sa.Text, nullable=False),
    sa.Column("actor_id", sa.Text, nullable=False),
    sa.Column("actor_name", sa.Text, nullable=False),
    sa.Column("actor_role", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("detail", JSONB, nullable=False),
    sa.Column("user_agent", sa.Text, nullable=False, server_default=""),
    sa.Column("session", sa.Text, nullable=False, server_default=""),
    sa.Column("request", sa.Text, nullable=False, server_default=""),
    sa.Index("ix_identity_audit_entries_at", "tenant_id", "at", "id"),
    sa.Index("ix_identity_audit_entries_actor", "tenant_id", "actor_id", "at"),
    sa.Index("ix_identity_audit_entries_action", "tenant_id", "action", "at"),
    sa.Index("ix_identity_audit_entries_subject", "tenant_id", "subject", "at"),
    sa.Index("ix_identity_audit_entries_origin", "tenant_id", "origin", "at"),
)

sign_in_attempts = sa.Table(
    "identity_sign_in_attempts",
    metadata,
    sa.Column("key_hash", BYTEA, primary_key=True),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("last_at", _time, nullable=False),
)
