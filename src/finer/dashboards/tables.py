"""Tables of dashboards; seen by the store and by migrations only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, UUID

from finer.kit.db import metadata

_time = sa.DateTime(timezone=True)
_id = UUID(as_uuid=True)


def _of_a_dashboard() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "dashboard_id"],
        ["dashboards_dashboards.tenant_id", "dashboards_dashboards.id"],
        ondelete="CASCADE",
    )


dashboards = sa.Table(
    "dashboards_dashboards",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("owner_id", _id, nullable=False),
    sa.Column("sharing", sa.Text, nullable=False),
    sa.Column("team_id", _id),
    sa.Column("content_sealed", BYTEA, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("changed_at", _time, nullable=False),
    sa.Index("ix_dashboards_dashboards_owner", "tenant_id", "owner_id"),
)

notes = sa.Table(
    "dashboards_annotations",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("dashboard_id", _id, nullable=False),
    sa.Column("at", _time, nullable=False),
    sa.Column("text_sealed", BYTEA, nullable=False),
    sa.Column("author_id", _id, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    _of_a_dashboard(),
    sa.Index("ix_dashboards_annotations_dashboard", "tenant_id", "dashboard_id", "at"),
)

digests = sa.Table(
    "dashboards_digests",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("dashboard_id", _id, nullable=False),
    sa.Column("person_id", _id, nullable=False),
    sa.Column("cron", sa.Text, nullable=False),
    sa.Column("timezone", sa.Text, nullable=False),
    sa.Column("next_at", _time),
    sa.Column("last_at", _time),
    sa.Column("problem", sa.Text, nullable=False, server_default=""),
    _of_a_dashboard(),
    sa.UniqueConstraint("tenant_id", "dashboard_id", "person_id", name="uq_dashboards_digests_person"),
    sa.Index("ix_dashboards_digests_due", "tenant_id", "next_at"),
)

alerts = sa.Table(
    "dashboards_alerts",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("owner_id", _id, nullable=False),
    sa.Column("content_sealed", BYTEA, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("watch", JSONB, nullable=False),
    sa.Column("value", sa.Double),
    sa.Column("looked_at", _time),
    sa.Column("problem", sa.Text, nullable=False, server_default=""),
    sa.Index("ix_dashboards_alerts_owner", "tenant_id", "owner_id"),
)

happenings = sa.Table(
    "dashboards_happenings",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("alert_id", _id, nullable=False),
    sa.Column("at", _time, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("value", sa.Double),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("told", sa.Boolean, nullable=False),
    sa.ForeignKeyConstraint(
        ["tenant_id", "alert_id"], ["dashboards_alerts.tenant_id", "dashboards_alerts.id"], ondelete="CASCADE"
    ),
    sa.Index("ix_dashboards_happenings_alert", "tenant_id", "alert_id", "at"),
)

silences = sa.Table(
    "dashboards_silences",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("owner_id", _id, nullable=False),
    sa.Column("alert_id", _id),
    sa.Column("grouped", sa.Text, nullable=False),
    sa.Column("until", _time, nullable=False),
    sa.Column("reason_sealed", BYTEA, nullable=False),
    sa.ForeignKeyConstraint(
        ["tenant_id", "alert_id"], ["dashboards_alerts.tenant_id", "dashboards_alerts.id"], ondelete="CASCADE"
    ),
    sa.Index("ix_dashboards_silences_owner", "tenant_id", "owner_id", "until"),
)
