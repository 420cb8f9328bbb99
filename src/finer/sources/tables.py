"""Tables of sources; seen by the store and by migrations only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, UUID
from sqlalchemy.schema import SchemaItem

from finer.kit.db import metadata

_time = sa.DateTime(timezone=True)
_id = UUID(as_uuid=True)


def _zero(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


sources = sa.Table(
    "sources_sources",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("contract", sa.Text, nullable=False),
    sa.Column("mapping", sa.Text, nullable=False),
    sa.Column("settings", JSONB, nullable=False),
    sa.Column("credentials_sealed", BYTEA),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("backfill", sa.Text, nullable=False, server_default=""),
    sa.Column("owner", _id),
    _zero("received"),
    _zero("accepted"),
    _zero("quarantined"),
    sa.Column("lag", sa.BigInteger),
    sa.Column("lag_unit", sa.Text, nullable=False, server_default=""),
    sa.Column("last_record_at", _time),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_try_at", _time),
    sa.Column("woken_at", _time),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("changed_at", _time, nullable=False),
    sa.UniqueConstraint("tenant_id", "name"),
)


def _of_source(name: str, *columns: SchemaItem) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        sa.Column("tenant_id", _id, primary_key=True),
        sa.Column("source_id", _id, primary_key=True),
        *columns,
        sa.ForeignKeyConstraint(
            ["tenant_id", "source_id"], ["sources_sources.tenant_id", "sources_sources.id"], ondelete="CASCADE"
        ),
    )


positions = _of_source(
    "sources_positions",
    sa.Column("part", sa.Text, primary_key=True),
    sa.Column("value", JSONB, nullable=False),
)

items = _of_source(
    "sources_items",
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("content", BYTEA),
    sa.Column("state", sa.Text, nullable=False),
    _zero("records"),
    _zero("accepted"),
    _zero("quarantined"),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("at", _time, nullable=False),
    sa.Column("seen_at", _time, nullable=False, server_default=sa.func.now()),
    sa.Index("ix_sources_items_at", "tenant_id", "source_id", "at"),
    sa.Index("ix_sources_items_seen_at", "tenant_id", "source_id", "seen_at"),
    sa.Index("ix_sources_items_content", "tenant_id", "source_id", "content"),
)

records = _of_source(
    "sources_records",
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value_sealed", BYTEA, nullable=False),
)

notes = _of_source(
    "sources_notes",
    sa.Column("id", _id, primary_key=True),
    sa.Column("at", _time, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
)

minutes = _of_source(
    "sources_minutes",
    sa.Column("at", _time, primary_key=True),
    _zero("accepted"),
    _zero("quarantined"),
)

# The address that Stripe or Plaid posts to names neither firm nor source; its hash finds both.
hooks = sa.Table(
    "sources_hooks",
    metadata,
    sa.Column("tenant_id", _id, nullable=False),
    sa.Column("token_hash", BYTEA, primary_key=True),
    sa.Column("source_id", _id, nullable=False),
    sa.ForeignKeyConstraint(
        ["tenant_id", "source_id"], ["sources_sources.tenant_id", "sources_sources.id"], ondelete="CASCADE"
    ),
)
