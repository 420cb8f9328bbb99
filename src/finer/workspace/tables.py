"""Tables of the workspace; seen by the store and by migrations only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, UUID

from finer.kit.db import metadata

_time = sa.DateTime(timezone=True)
_id = UUID(as_uuid=True)

saved = sa.Table(
    "workspace_saved",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("folder", sa.Text, nullable=False),
    sa.Column("tags", ARRAY(sa.Text), nullable=False),
    sa.Column("owner_id", _id, nullable=False),
    sa.Column("sharing", sa.Text, nullable=False),
    sa.Column("team_id", _id),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("changed_at", _time, nullable=False),
    sa.Index("ix_workspace_saved_owner", "tenant_id", "owner_id"),
)

versions = sa.Table(
    "workspace_saved_versions",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("saved_id", _id, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("statement_sealed", BYTEA, nullable=False),
    sa.Column("parameters", JSONB, nullable=False),
    sa.Column("chart", JSONB),
    sa.Column("changed_by", _id, nullable=False),
    sa.Column("changed_at", _time, nullable=False),
    sa.ForeignKeyConstraint(
        ["tenant_id", "saved_id"], ["workspace_saved.tenant_id", "workspace_saved.id"], ondelete="CASCADE"
    ),
)

favourites = sa.Table(
    "workspace_favourites",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("person_id", _id, primary_key=True),
    sa.Column("saved_id", _id, primary_key=True),
    sa.ForeignKeyConstraint(
        ["tenant_id", "saved_id"], ["workspace_saved.tenant_id", "workspace_saved.id"], ondelete="CASCADE"
    ),
)

runs = sa.Table(
    "workspace_runs",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("person_id", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("statement_sealed", BYTEA, nullable=False),
    sa.Column("parameters_sealed", BYTEA, nullable=False),
    sa.Column("kinds", JSONB, nullable=False),
    sa.Column("fingerprint", BYTEA, nullable=False),
    sa.Column("saved_id", _id),
    sa.Column("saved_version", sa.Integer),
    sa.Column("schedule_id", _id),
    sa.Column("rows_max", sa.Integer, nullable=False),
    sa.Column("as_of", _time),
    sa.Column("asked_at", _time, nullable=False),
    sa.Column("started_at", _time),
    sa.Column("lease_until", _time),
    sa.Column("finished_at", _time),
    sa.Column("expires_at", _time),
    sa.Column("rows", sa.BigInteger),
    sa.Column("truncated", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("result_bytes", sa.BigInteger),
    sa.Column("result_columns", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),
    sa.Column("cost", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
    sa.Column("problem", sa.Text, nullable=False, server_default=""),
    sa.Column("error_sealed", BYTEA),
    sa.Column("position", sa.Integer),
    sa.Index("ix_workspace_runs_person", "tenant_id", "person_id", "asked_at"),
    sa.Index("ix_workspace_runs_state", "tenant_id", "state"),
    sa.Index("ix_workspace_runs_question", "tenant_id", "fingerprint", "asked_at"),
    sa.Index("ix_workspace_runs_schedule", "tenant_id", "schedule_id", "asked_at"),
)

results = sa.Table(
    "workspace_results",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("run_id", _id, primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("content_sealed", BYTEA, nullable=False),
    sa.ForeignKeyConstraint(
        ["tenant_id", "run_id"], ["workspace_runs.tenant_id", "workspace_runs.id"], ondelete="CASCADE"
    ),
)

schedules = sa.Table(
    "workspace_schedules",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("saved_id", _id, nullable=False),
    sa.Column("owner_id", _id, nullable=False),
    sa.Column("cron", sa.Text, nullable=False),
    sa.Column("timezone", sa.Text, nullable=False),
    sa.Column("parameters_sealed", BYTEA, nullable=False),
    sa.Column("alert", JSONB),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("next_at", _time),
    sa.Column("last_run_id", _id),
    sa.Column("watch", JSONB, nullable=False),
    sa.Column("problem", sa.Text, nullable=False, server_default=""),
    sa.ForeignKeyConstraint(
        ["tenant_id", "saved_id"], ["workspace_saved.tenant_id", "workspace_saved.id"], ondelete="CASCADE"
    ),
    sa.Index("ix_workspace_schedules_saved", "tenant_id", "saved_id"),
    sa.Index("ix_workspace_schedules_due", "tenant_id", "next_at"),
)
