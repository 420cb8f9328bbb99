"""Tables of screening; seen by the store and by migrations only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, UUID

from finer.kit.db import metadata

_time = sa.DateTime(timezone=True)

lists = sa.Table(
    "screening_lists",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("screened_version", sa.Integer, nullable=False),
    sa.Column("entries", sa.Integer, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("loaded_at", _time),
    sa.Column("deleted_at", _time),
    sa.Index(
        "uq_screening_lists_name", "tenant_id", "name", unique=True, postgresql_where=sa.text("deleted_at is null")
    ),
)

list_loads = sa.Table(
    "screening_list_loads",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("list_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("entries", sa.Integer, nullable=False),
    sa.Column("added", sa.Integer, nullable=False),
    sa.Column("changed", sa.Integer, nullable=False),
    sa.Column("removed", sa.Integer, nullable=False),
    sa.Column("loaded_by", sa.Text, nullable=False),
    sa.Column("loaded_at", _time, nullable=False),
)

# An entry is on its list from one version to before another one. What it says is public, as the list is.
entries = sa.Table(
    "screening_entries",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("list_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("entry_id", sa.Text, primary_key=True),
    sa.Column("from_version", sa.Integer, primary_key=True),
    sa.Column("to_version", sa.Integer),
    sa.Column("content_hash", BYTEA, nullable=False),
    sa.Column("document", JSONB, nullable=False),
    sa.Index(
        "uq_screening_entries_now", "tenant_id", "list_id", "entry_id", unique=True,
        postgresql_where=sa.text("to_version is null"),
    ),
)  # fmt: skip

subjects = sa.Table(
    "screening_subjects",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("reference_index", BYTEA, nullable=False),
    sa.Column("profile_index", BYTEA, nullable=False),
    sa.Column("subject_sealed", BYTEA, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("screened_at", _time, nullable=False),
    sa.UniqueConstraint("tenant_id", "kind", "reference_index"),
)

hits = sa.Table(
    "screening_hits",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("subject_id", UUID(as_uuid=True), nullable=False),
    sa.Column("list_id", UUID(as_uuid=True), nullable=False),
    sa.Column("entry_id", sa.Text, nullable=False),
    sa.Column("entry_name", sa.Text, nullable=False),
    sa.Column("entry_hash", BYTEA, nullable=False),
    sa.Column("profile_index", BYTEA, nullable=False),
    sa.Column("score", sa.Float, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("again", sa.Text, nullable=False, server_default=""),
    sa.Column("judged_by", sa.Text, nullable=False, server_default=""),
    sa.Column("judged_at", _time),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("updated_at", _time, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.UniqueConstraint("tenant_id", "subject_id", "list_id", "entry_id"),
    sa.Index("ix_screening_hits_queue", "tenant_id", "state", "score", "id"),
    sa.Index("ix_screening_hits_entry", "tenant_id", "list_id", "entry_id"),
)

judgements = sa.Table(
    "screening_judgements",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("hit_id", UUID(as_uuid=True), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason_sealed", BYTEA, nullable=False),
    sa.Column("judged_by", sa.Text, nullable=False),
    sa.Column("approved_by", sa.Text, nullable=False),
    sa.Column("judged_at", _time, nullable=False),
    sa.Column("entry_hash", BYTEA, nullable=False),
    sa.Column("profile_index", BYTEA, nullable=False),
    sa.Index("ix_screening_judgements_hit", "tenant_id", "hit_id", "id"),
)

# Up to which record of the lake customers were screened.
positions = sa.Table(
    "screening_positions",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("next_offset", sa.BigInteger, nullable=False),
)
