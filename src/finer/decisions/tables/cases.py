"""Tables of cases; seen by the store and by migrations only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, UUID

from finer.kit.db import metadata

_time = sa.DateTime(timezone=True)

cases = sa.Table(
    "decisions_cases",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("subject_kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("customer_id", sa.Text),
    sa.Column("account_id", sa.Text),
    sa.Column("typology", sa.Text, nullable=False),
    sa.Column("priority", sa.Text, nullable=False),
    sa.Column("alerts", sa.Integer, nullable=False),
    sa.Column("open_alerts", sa.Integer, nullable=False),
    sa.Column("amount_usd_minor", sa.BigInteger, nullable=False),
    sa.Column("expected_loss_usd_minor", sa.BigInteger, nullable=False),
    sa.Column("opened_at", _time, nullable=False),
    sa.Column("last_alert_at", _time, nullable=False),
    sa.Column("due_at", _time, nullable=False),
    sa.Column("rank_at", _time, nullable=False),
    sa.Column("assignee_id", UUID(as_uuid=True)),
    sa.Column("team_id", UUID(as_uuid=True)),
    sa.Column("outcome", sa.Text),
    sa.Column("closed_at", _time),
    sa.Column("closed_by", sa.Text),
    sa.Column("checklist", JSONB, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.UniqueConstraint("tenant_id", "number"),
    sa.Index("ix_decisions_cases_queue", "tenant_id", "rank_at", "id", postgresql_where=sa.text("closed_at is null")),
    sa.Index("ix_decisions_cases_newest", "tenant_id", "opened_at", "id"),
    sa.Index("ix_decisions_cases_subject", "tenant_id", "subject_kind", "subject"),
    sa.Index("ix_decisions_cases_assignee", "tenant_id", "assignee_id", "rank_at", "id"),
)

case_entries = sa.Table(
    "decisions_case_entries",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("case_id", UUID(as_uuid=True), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", _time, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("text_sealed", BYTEA),
    sa.Column("detail", JSONB, nullable=False),
    sa.Index("ix_decisions_case_entries_case", "tenant_id", "case_id", "id"),
)

case_attachments = sa.Table(
    "decisions_case_attachments",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("case_id", UUID(as_uuid=True), nullable=False),
    sa.Column("name_sealed", BYTEA, nullable=False),
    sa.Column("content_sealed", BYTEA, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("added_by", sa.Text, nullable=False),
    sa.Column("added_at", _time, nullable=False),
    sa.Index("ix_decisions_case_attachments_case", "tenant_id", "case_id", "id"),
)

case_actions = sa.Table(
    "decisions_case_actions",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("case_id", UUID(as_uuid=True), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text),
    sa.Column("amount_usd_minor", sa.BigInteger, nullable=False),
    sa.Column("reason_sealed", BYTEA),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_by_id", UUID(as_uuid=True)),
    sa.Column("alone", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("asked_at", _time, nullable=False),
    sa.Column("settled_at", _time),
    sa.Column("settled_by", sa.Text),
    sa.Column("result", sa.Text, nullable=False, server_default=""),
    sa.Column("two_people", sa.Text),
    sa.Column("undone_by_id", UUID(as_uuid=True)),
    sa.Column("undone_alone", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("undone_usd_minor", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Index("ix_decisions_case_actions_case", "tenant_id", "case_id", "id"),
    sa.Index("ix_decisions_case_actions_state", "tenant_id", "state", "id"),
    sa.Index("ix_decisions_case_actions_target", "tenant_id", "target", "kind", "id"),
    sa.Index("ix_decisions_case_actions_alone", "tenant_id", "asked_at", postgresql_where=sa.text("alone")),
    sa.Index("ix_decisions_case_actions_undone", "tenant_id", "settled_at", postgresql_where=sa.text("undone_alone")),
)

judgements = sa.Table(
    "decisions_judgements",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("alert_id", UUID(as_uuid=True), nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("known_at", _time, nullable=False),
    sa.Column("recorded_at", _time, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("reason_sealed", BYTEA),
    sa.Index("ix_decisions_judgements_alert", "tenant_id", "alert_id", "known_at", "id"),
)

analysts = sa.Table(
    "decisions_analysts",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("user_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("skills", ARRAY(sa.Text), nullable=False),
    sa.Column("available", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("last_given_at", _time),
)

case_reports = sa.Table(
    "decisions_case_reports",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("case_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("document_sealed", BYTEA, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
    sa.Column("changed_at", _time, nullable=False),
    sa.Column("exported_at", _time),
)

case_policies = sa.Table(
    "decisions_case_policies",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("content", JSONB, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
    sa.Column("changed_at", _time, nullable=False),
)
