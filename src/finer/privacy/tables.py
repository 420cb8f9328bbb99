"""Tables of privacy; seen by the store and by migrations only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, UUID

from finer.kit.db import metadata

_time = sa.DateTime(timezone=True)
_id = UUID(as_uuid=True)

requests = sa.Table(
    "privacy_requests",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("law", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("subject_kind", sa.Text, nullable=False),
    sa.Column("subject_sealed", BYTEA, nullable=False),
    sa.Column("subject_index", BYTEA, nullable=False),
    sa.Column("detail_sealed", BYTEA, nullable=False),
    sa.Column("received_at", _time, nullable=False),
    sa.Column("extended", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("opened_by", sa.Text, nullable=False),
    sa.Column("proposed_by", sa.Text),
    sa.Column("proposed_by_id", sa.Text),
    sa.Column("closed_at", _time),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Index("ix_privacy_requests_subject", "tenant_id", "subject_index"),
)

steps = sa.Table(
    "privacy_request_steps",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("request_id", _id, nullable=False),
    sa.Column("at", _time, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("note_sealed", BYTEA, nullable=False),
    sa.ForeignKeyConstraint(["tenant_id", "request_id"], ["privacy_requests.tenant_id", "privacy_requests.id"]),
    sa.Index("ix_privacy_request_steps_request", "tenant_id", "request_id"),
)

holds = sa.Table(
    "privacy_holds",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject_kind", sa.Text, nullable=False),
    sa.Column("subject_sealed", BYTEA, nullable=False),
    sa.Column("subject_index", BYTEA, nullable=False),
    sa.Column("reason_sealed", BYTEA, nullable=False),
    sa.Column("placed_by", sa.Text, nullable=False),
    sa.Column("placed_at", _time, nullable=False),
    sa.Column("released_by", sa.Text),
    sa.Column("released_at", _time),
    sa.Index("ix_privacy_holds_subject", "tenant_id", "subject_index"),
)

breaches = sa.Table(
    "privacy_breaches",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("id", _id, primary_key=True),
    sa.Column("title_sealed", BYTEA, nullable=False),
    sa.Column("description_sealed", BYTEA, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("aware_at", _time, nullable=False),
    sa.Column("assessed_at", _time),
    sa.Column("people_affected", sa.Integer),
    sa.Column("opened_by", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
)

notices = sa.Table(
    "privacy_breach_notices",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("breach_id", _id, primary_key=True),
    sa.Column("law", sa.Text, primary_key=True),
    sa.Column("notified_at", _time),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.ForeignKeyConstraint(["tenant_id", "breach_id"], ["privacy_breaches.tenant_id", "privacy_breaches.id"]),
)

retention = sa.Table(
    "privacy_retention",
    metadata,
    sa.Column("tenant_id", _id, primary_key=True),
    sa.Column("what", sa.Text, primary_key=True),
    sa.Column("days", sa.Integer, nullable=False),
)
