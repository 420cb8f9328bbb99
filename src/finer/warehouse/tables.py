"""Tables of the warehouse in PostgreSQL; seen by the store and by migrations only. The lake itself is not here."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID

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
