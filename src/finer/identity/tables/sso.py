"""Tables of single sign-on."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, UUID

from finer.kit.db import metadata

_time = sa.DateTime(timezone=True)
_id = UUID(as_uuid=True)

sso_providers = sa.Table(
    "identity_sso_providers",
    metadata,
    sa.Column("tenant_id", _id, sa.ForeignKey("identity_tenants.id"), primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("client_id", sa.Text, nullable=False),
    sa.Column("client_secret_sealed", BYTEA, nullable=False),
    sa.Column("algorithms", ARRAY(sa.Text), nullable=False),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    sa.Column("role_claim", sa.Text, nullable=False),
    sa.Column("role_map", JSONB, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("changed_at", _time, nullable=False),
    sa.Column("acr_values", ARRAY(sa.Text), nullable=False),
    sa.Column("amr_values", ARRAY(sa.Text), nullable=False),
    sa.Column("max_age_minutes", sa.Integer),
    sa.UniqueConstraint("tenant_id"),
)

# Who somebody is: issuer and subject, never an address.
external_identities = sa.Table(
    "identity_external_identities",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("user_id", _id, nullable=False),
    sa.Column("linked_at", _time, nullable=False),
    sa.Column("last_seen_at", _time, nullable=False),
    sa.ForeignKeyConstraint(["tenant_id", "user_id"], ["identity_users.tenant_id", "identity_users.id"]),
)

sso_attempts = sa.Table(
    "identity_sso_attempts",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("state_hash", BYTEA, primary_key=True),
    sa.Column("browser_hash", BYTEA, nullable=False),
    sa.Column("provider_id", _id, nullable=False),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("nonce", sa.Text, nullable=False),
    sa.Column("verifier", sa.Text, nullable=False),
    sa.Column("next", sa.Text, nullable=False),
    sa.Column("fresh", sa.Boolean, nullable=False),
    sa.Column("expires_at", _time, nullable=False),
)

# Which firm the people of an e-mail domain belong to; an operator says so, since a firm could claim another's.
sso_domains = sa.Table(
    "identity_sso_domains",
    metadata,
    sa.Column("tenant_id", _id, sa.ForeignKey("identity_tenants.id"), nullable=False),
    sa.Column("domain", sa.Text, primary_key=True),
)
