"""Tables of operations; seen by the store and by migrations only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID

from finer.kit.db import metadata

_time = sa.DateTime(timezone=True)
_id = UUID(as_uuid=True)
_sum = sa.Numeric(38, 0)

rollups = sa.Table(
    "operations_rollups",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("contract", sa.Text, primary_key=True),
    sa.Column("grain", sa.Text, primary_key=True),
    sa.Column("step_s", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("bucket", _time, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("status", sa.Text, primary_key=True),
    sa.Column("currency", sa.Text, primary_key=True),
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("product", sa.Text, primary_key=True),
    sa.Column("records", sa.BigInteger, nullable=False),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("amount_minor", _sum, nullable=False),
    sa.Column("costed", sa.BigInteger, server_default="0", nullable=False),
    sa.Column("costed_minor", _sum, server_default="0", nullable=False),
    sa.Column("cost_minor", _sum, server_default="0", nullable=False),
)

values = sa.Table(
    "operations_values",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("contract", sa.Text, primary_key=True),
    sa.Column("dimension", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
)

beginnings = sa.Table(
    "operations_beginnings",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("contract", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("from_offset", sa.BigInteger, nullable=False),
)

order_ages = sa.Table(
    "operations_order_ages",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("as_of", _time, nullable=False),
    sa.Column("document", JSONB, nullable=False),
)

gauges = sa.Table(
    "operations_gauges",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("label", sa.Text, primary_key=True),
    sa.Column("step_s", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("bucket", _time, primary_key=True),
    sa.Column("samples", sa.BigInteger, nullable=False),
    sa.Column("total", sa.Double, nullable=False),
    sa.Column("highest", sa.Double, nullable=False),
)

outcomes = sa.Table(
    "operations_outcomes",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("as_of", _time, nullable=False),
    sa.Column("document", JSONB, nullable=False),
)

targets = sa.Table(
    "operations_targets",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("content", JSONB, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
    sa.Column("changed_at", _time, nullable=False),
)

sessions = sa.Table(
    "operations_sessions",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("bucket", _time, primary_key=True),
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("sessions", sa.BigInteger, nullable=False),
    sa.Column("viewed", sa.BigInteger, nullable=False),
    sa.Column("added", sa.BigInteger, nullable=False),
    sa.Column("checked_out", sa.BigInteger, nullable=False),
    sa.Column("purchased", sa.BigInteger, nullable=False),
    sa.Column("single", sa.BigInteger, nullable=False),
    sa.Column("seconds", sa.BigInteger, nullable=False),
)
