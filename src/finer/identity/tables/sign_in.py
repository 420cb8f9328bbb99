"""Tables of second factors, passkeys and sign-ins that are half done."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, UUID

from finer.kit.db import metadata

_time = sa.DateTime(timezone=True)
_id = UUID(as_uuid=True)


def _of_user() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id", "user_id"], ["identity_users.tenant_id", "identity_users.id"])


totp_factors = sa.Table(
    "identity_totp_factors",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("user_id", _id, primary_key=True),
    sa.Column("secret_sealed", BYTEA, nullable=False),
    sa.Column("last_step", sa.BigInteger, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("confirmed_at", _time),
    _of_user(),
)

recovery_codes = sa.Table(
    "identity_recovery_codes",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("user_id", _id, primary_key=True),
    sa.Column("number", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("code_hash", sa.Text, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("used_at", _time),
    _of_user(),
)

passkeys = sa.Table(
    "identity_passkeys",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("user_id", _id, nullable=False),
    sa.Column("credential_id", BYTEA, nullable=False, unique=True),
    sa.Column("public_key", BYTEA, nullable=False),
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("transports", ARRAY(sa.Text), nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("last_used_at", _time),
    _of_user(),
    sa.Index(None, "tenant_id", "user_id"),
)

pending_sign_ins = sa.Table(
    "identity_pending_sign_ins",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("user_id", _id, nullable=False),
    sa.Column("token_hash", BYTEA, nullable=False, unique=True),
    sa.Column("expires_at", _time, nullable=False),
    _of_user(),
)

passkey_challenges = sa.Table(
    "identity_passkey_challenges",
    metadata,
    sa.Column("challenge_hash", BYTEA, primary_key=True),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("subject", _id),
    sa.Column("expires_at", _time, nullable=False),
)
