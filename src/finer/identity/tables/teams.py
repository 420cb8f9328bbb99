"""Tables of teams and who is in them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID

from finer.kit.db import metadata

_id = UUID(as_uuid=True)

teams = sa.Table(
    "identity_teams",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.UniqueConstraint("tenant_id", "name"),
)

memberships = sa.Table(
    "identity_memberships",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("user_id", _id, primary_key=True),
    sa.Column("team_id", _id, primary_key=True),
    sa.ForeignKeyConstraint(["tenant_id", "user_id"], ["identity_users.tenant_id", "identity_users.id"]),
    sa.ForeignKeyConstraint(["tenant_id", "team_id"], ["identity_teams.tenant_id", "identity_teams.id"]),
)
