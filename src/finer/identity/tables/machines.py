"""Tables of machines beside their keys."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, UUID

from finer.kit.db import metadata

# Its rows belong to the installation, which is the tenant that no firm can have.
signing_keys = sa.Table(
    "identity_signing_keys",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("public_key", JSONB, nullable=False),
    sa.Column("private_key_sealed", BYTEA, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("retired_at", sa.DateTime(timezone=True)),
)
