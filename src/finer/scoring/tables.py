"""Tables of scoring; seen by the store and by migrations only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from finer.kit.db import metadata

_time = sa.DateTime(timezone=True)

models = sa.Table(
    "scoring_models",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("product", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("columns", ARRAY(sa.Text), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("threshold", sa.Float, nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("author", sa.Text, nullable=False, server_default=""),
    sa.Column("owner", sa.Text, nullable=False, server_default=""),
    sa.Column("registered_at", _time, nullable=False),
    sa.Column("challenger_at", _time),
    sa.Column("champion_at", _time),
    sa.Column("approved_by", sa.Text, nullable=False, server_default=""),
    sa.Column("retired_at", _time),
    sa.Column("plan", JSONB),
    sa.Column("card", JSONB),
    sa.Column("comparison", JSONB),
    sa.Column("watch", JSONB),
    sa.UniqueConstraint("tenant_id", "product", "version"),
    sa.Index(
        "uq_scoring_models_champion", "tenant_id", "product", unique=True,
        postgresql_where=sa.text("state = 'champion'"),
    ),
    sa.Index(
        "uq_scoring_models_challenger", "tenant_id", "product", unique=True,
        postgresql_where=sa.text("state = 'challenger'"),
    ),
)  # fmt: skip

# What the monitors saw, one row for each look; the newest is kept with the model as well.
watches = sa.Table(
    "scoring_watches",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("model_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("at", _time, primary_key=True),
    sa.Column("score_psi", sa.Float),
    sa.Column("worst_psi", sa.Float),
    sa.Column("calibration_ratio", sa.Float),
    sa.Column("state", sa.Text, nullable=False),
)
