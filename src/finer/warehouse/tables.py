"""Tables of the warehouse in PostgreSQL; seen by the store and by migrations only. The lake itself is not here."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from finer.kit.db import metadata

freshness = sa.Table(
    "warehouse_freshness",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("table_name", sa.Text, primary_key=True),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("newest", sa.DateTime(timezone=True)),
    sa.Column("delay_s", sa.Double, nullable=False),
    sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
)

exports = sa.Table(
    "warehouse_exports",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("table_name", sa.Text, nullable=False),
    sa.Column("format", sa.Text, nullable=False),
    sa.Column("since", sa.DateTime(timezone=True)),
    sa.Column("until", sa.DateTime(timezone=True)),
    sa.Column("snapshot", sa.BigInteger),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("rows_total", sa.BigInteger),
    sa.Column("bytes", sa.BigInteger),
    sa.Column("finished_at", sa.DateTime(timezone=True)),
    sa.Column("expires_at", sa.DateTime(timezone=True)),
    sa.Column("problem", sa.Text),
    sa.Index("ix_warehouse_exports_asked_by", "tenant_id", "asked_by", "id"),
)

extracts = sa.Table(
    "warehouse_extracts",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("tables", ARRAY(sa.Text), nullable=False),
    sa.Column("days", sa.Integer),
    sa.Column("shown_as", sa.Text, nullable=False),
    sa.Column("every_hours", sa.Integer, nullable=False),
    sa.Column("login", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("refreshed_at", sa.DateTime(timezone=True)),
    sa.Column("rows", sa.BigInteger),
    sa.Column("problem", sa.Text, nullable=False, server_default=""),
    sa.Column("password_at", sa.DateTime(timezone=True)),
    sa.UniqueConstraint("tenant_id", "name", name="uq_warehouse_extracts_name"),
)
