"""Tables of decisions; seen by the store and by migrations only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, UUID

from finer.kit.db import metadata

_time = sa.DateTime(timezone=True)

alerts = sa.Table(
    "decisions_alerts",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("sequence", sa.BigInteger, sa.Sequence("decisions_alert_sequence"), nullable=False),
    sa.Column("partition", sa.Integer, nullable=False),
    sa.Column("log_offset", sa.BigInteger, nullable=False),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("occurred_at", _time, nullable=False),
    sa.Column("received_at", _time, nullable=False),
    sa.Column("raised_at", _time, nullable=False, server_default=sa.func.clock_timestamp()),
    sa.Column("account_id", sa.Text),
    sa.Column("customer_id", sa.Text),
    sa.Column("card_last4", sa.Text),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("amount_usd_minor", sa.BigInteger),
    sa.Column("merchant_name", sa.Text),
    sa.Column("merchant_city", sa.Text),
    sa.Column("merchant_country", sa.Text),
    sa.Column("channel", sa.Text),
    sa.Column("device_id", sa.Text),
    sa.Column("rules", ARRAY(sa.Text), nullable=False),
    sa.Column("verdict", JSONB, nullable=False),
    sa.Column("resolved_by", sa.Text),
    sa.Column("resolved_at", _time),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("assignee_id", UUID(as_uuid=True)),
    sa.Column("team_id", UUID(as_uuid=True)),
    sa.Column("case_id", UUID(as_uuid=True)),
    sa.UniqueConstraint("tenant_id", "partition", "log_offset"),
    sa.Index("ix_decisions_alerts_sequence", "tenant_id", "sequence"),
    sa.Index("ix_decisions_alerts_newest", "tenant_id", "state", "raised_at", "id"),
    sa.Index("ix_decisions_alerts_amount", "tenant_id", "state", "amount_usd_minor", "id"),
    sa.Index("ix_decisions_alerts_event", "tenant_id", "event_id"),
    sa.Index("ix_decisions_alerts_assignee", "tenant_id", "assignee_id", "state", "raised_at", "id"),
    sa.Index("ix_decisions_alerts_case", "tenant_id", "case_id"),
    sa.Index(
        "ix_decisions_alerts_no_case",
        "tenant_id",
        "raised_at",
        postgresql_where=sa.text("case_id is null and state = 'open'"),
    ),
)

decisions = sa.Table(
    "decisions_decisions",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("event_id", sa.Text, primary_key=True),
    sa.Column("id", UUID(as_uuid=True), nullable=False),
    sa.Column("body_hash", BYTEA, nullable=False),
    sa.Column("verdict", JSONB, nullable=False),
    sa.Column("decided_at", _time, nullable=False, server_default=sa.func.clock_timestamp()),
    sa.Column("alert_id", UUID(as_uuid=True)),
    sa.UniqueConstraint("tenant_id", "id"),
)

alert_totals = sa.Table(
    "decisions_alert_totals",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("action", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, primary_key=True),
    sa.Column("alerts", sa.BigInteger, nullable=False),
    sa.Column("amount_usd_minor", sa.BigInteger, nullable=False),
)
