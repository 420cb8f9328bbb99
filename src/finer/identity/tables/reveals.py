"""The table of values that were looked at in clear."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID

from finer.kit.db import metadata

_id = UUID(as_uuid=True)

reveals = sa.Table(
    "identity_reveals",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("user_id", _id, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(["tenant_id", "user_id"], ["identity_users.tenant_id", "identity_users.id"]),
    sa.Index("ix_identity_reveals_tenant_id_user_id_at", "tenant_id", "user_id", "at"),
)
