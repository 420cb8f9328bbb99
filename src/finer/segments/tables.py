"""Tables of segments; seen by the store and by migrations only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, UUID

from finer.kit.db import metadata

_time = sa.DateTime(timezone=True)
_id = UUID(as_uuid=True)

segments = sa.Table(
    "segments_segments",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("owner_id", _id, nullable=False),
    sa.Column("content_sealed", BYTEA, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("archived_at", _time),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("changed_at", _time, nullable=False),
)

sizes = sa.Table(
    "segments_sizes",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("segment_id", _id, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("people", sa.BigInteger),
    sa.Column("customers", sa.BigInteger, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("counted_at", _time, nullable=False),
    sa.Column("problem", sa.Text, nullable=False, server_default=""),
    sa.ForeignKeyConstraint(
        ["tenant_id", "segment_id"], ["segments_segments.tenant_id", "segments_segments.id"], ondelete="CASCADE"
    ),
)
