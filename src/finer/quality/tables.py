"""Tables of quality; seen by the store and by migrations only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from finer.kit.db import metadata

_time = sa.DateTime(timezone=True)
_id = UUID(as_uuid=True)

watches = sa.Table(
    "quality_watches",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("contract", sa.Text, primary_key=True),
    sa.Column("layout", JSONB, nullable=False),
    sa.Column("usual", JSONB, nullable=False),
    sa.Column("progress", JSONB, nullable=False),
    sa.Column("first_at", _time, nullable=False),
)

monitors = sa.Table(
    "quality_monitors",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("contract", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("sensitivity", sa.Text, nullable=False, server_default="normal"),
    sa.Column("muted_until", _time),
    sa.Column("relearn_from", _time),
    sa.Column("relearned_at", _time),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.UniqueConstraint("tenant_id", "contract", "kind", "field"),
    sa.UniqueConstraint("tenant_id", "contract", "place"),
)

observations = sa.Table(
    "quality_observations",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("contract", sa.Text, primary_key=True),
    sa.Column("step_s", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", _time, primary_key=True),
    sa.Column("layout", sa.Integer, nullable=False),
    sa.Column("received", sa.BigInteger, nullable=False),
    sa.Column("quarantined", sa.BigInteger, nullable=False),
    sa.Column("processed", sa.BigInteger, nullable=False),
    sa.Column("duplicates", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("delay_s", sa.Double),
    sa.Column("nulls", ARRAY(sa.BigInteger), nullable=False),
    sa.Column("bins", ARRAY(sa.BigInteger), nullable=False),
    sa.Column("measured", ARRAY(sa.REAL), nullable=False),
    sa.Column("lows", ARRAY(sa.REAL), nullable=False),
    sa.Column("highs", ARRAY(sa.REAL), nullable=False),
    sa.Column("spreads", ARRAY(sa.REAL), nullable=False),
    sa.Column("unusual", ARRAY(sa.Integer), nullable=False),
    sa.Index("ix_quality_observations_at", "tenant_id", "step_s", "at"),
)

incidents = sa.Table(
    "quality_incidents",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("contract", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("since", _time, nullable=False),
    sa.Column("opened_at", _time, nullable=False),
    sa.Column("last_at", _time, nullable=False),
    sa.Column("closed_at", _time),
    sa.Column("parts", JSONB, nullable=False),
    sa.Column("keys", JSONB, nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("changed_by", sa.Text, nullable=False, server_default=""),
    sa.Column("changed_at", _time),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Index("ix_quality_incidents_opened_at", "tenant_id", "opened_at", "id"),
    sa.Index(
        "ix_quality_incidents_open", "tenant_id", "contract", postgresql_where=sa.text("closed_at is null")
    ),
)  # fmt: skip
