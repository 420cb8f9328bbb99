"""Tables of proposals and of what other people said of them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, UUID

from finer.kit.db import metadata

_id = UUID(as_uuid=True)
_time = sa.DateTime(timezone=True)

proposals = sa.Table(
    "identity_proposals",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("payload_sha256", BYTEA, nullable=False),
    sa.Column("base_version", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("maker_id", _id, nullable=False),
    sa.Column("made_at", _time, nullable=False),
    sa.Column("expires_at", _time, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
    sa.Column("decided_at", _time),
    sa.Column("closing_tried_at", _time),
    sa.ForeignKeyConstraint(["tenant_id", "maker_id"], ["identity_users.tenant_id", "identity_users.id"]),
    sa.Index("ix_identity_proposals_tenant_id_made_at", "tenant_id", "made_at"),
)

approvals = sa.Table(
    "identity_approvals",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("proposal_id", _id, primary_key=True),
    sa.Column("checker_id", _id, primary_key=True),
    sa.Column("approved", sa.Boolean, nullable=False),
    sa.Column("payload_sha256", BYTEA, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", _time, nullable=False),
    sa.ForeignKeyConstraint(["tenant_id", "proposal_id"], ["identity_proposals.tenant_id", "identity_proposals.id"]),
    sa.ForeignKeyConstraint(["tenant_id", "checker_id"], ["identity_users.tenant_id", "identity_users.id"]),
)
