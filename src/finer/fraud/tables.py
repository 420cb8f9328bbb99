"""Tables of fraud; seen by the store and by migrations only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID

from finer.kit.db import metadata

_time = sa.DateTime(timezone=True)
_live = sa.text("state = 'live'")
_shadow = sa.text("state = 'shadow'")
_draft = sa.text("state = 'draft'")

rule_versions = sa.Table(
    "fraud_rule_versions",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("document", JSONB, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("updated_at", _time, nullable=False),
    sa.Column("shadow_at", _time),
    sa.Column("live_at", _time),
    sa.Column("approved_by", sa.Text, nullable=False, server_default=""),
    sa.Column("retired_at", _time),
    sa.Column("demoted_at", _time),
    sa.Column("demotion", sa.Text, nullable=False, server_default=""),
    sa.Column("price", JSONB),
    sa.UniqueConstraint("tenant_id", "rule", "version"),
    sa.Index("uq_fraud_rule_versions_live", "tenant_id", "rule", unique=True, postgresql_where=_live),
    sa.Index("uq_fraud_rule_versions_shadow", "tenant_id", "rule", unique=True, postgresql_where=_shadow),
    sa.Index("uq_fraud_rule_versions_draft", "tenant_id", "rule", unique=True, postgresql_where=_draft),
)

lists = sa.Table(
    "fraud_lists",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("effect", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("entries", sa.Integer, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("updated_at", _time, nullable=False),
    sa.Column("deleted_at", _time),
    sa.Index("uq_fraud_lists_name", "tenant_id", "name", unique=True, postgresql_where=sa.text("deleted_at is null")),
)

# An entry is on its list from one version of the list to before another one, so that every version can be read again.
# One without a first version was proposed, and waits for a second person.
list_entries = sa.Table(
    "fraud_list_entries",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("list_id", UUID(as_uuid=True), nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("added_by", sa.Text, nullable=False),
    sa.Column("added_at", _time, nullable=False),
    sa.Column("expires_at", _time),
    sa.Column("from_version", sa.Integer),
    sa.Column("to_version", sa.Integer),
    sa.Column("removed_by", sa.Text, nullable=False, server_default=""),
    sa.Column("removed_at", _time),
    sa.Index(
        "uq_fraud_list_entries_value", "tenant_id", "list_id", "value", unique=True,
        postgresql_where=sa.text("to_version is null and from_version is not null"),
    ),
    sa.Index("ix_fraud_list_entries_newest", "tenant_id", "list_id", "id"),
    sa.Index(
        "ix_fraud_list_entries_expiring", "tenant_id", "expires_at",
        postgresql_where=sa.text("to_version is null and from_version is not null and expires_at is not null"),
    ),
)  # fmt: skip

rule_sets = sa.Table(
    "fraud_rule_sets",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("made_at", _time, nullable=False),
)

heads = sa.Table(
    "fraud_heads",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("rule_set", sa.Text, nullable=False),
    sa.Column("changes", sa.BigInteger, nullable=False),
    sa.Column("changed_at", _time, nullable=False),
)

# From which offset of the log records were decided with which rule set and model.
pins = sa.Table(
    "fraud_pins",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("from_offset", sa.BigInteger, primary_key=True),
    sa.Column("rule_set", sa.Text, nullable=False),
    sa.Column("model", sa.Text),
    sa.Column("threshold", sa.Float),
    sa.Column("at", _time, nullable=False),
    sa.Column("challenger", sa.Text),
    sa.Column("challenger_threshold", sa.Float),
)

# Why a payment was stopped, rules and model together, in the words for its customer.
explanations = sa.Table(
    "fraud_explanations",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("alert_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("document", JSONB, nullable=False),
    sa.Column("made_at", _time, nullable=False),
)

rule_minutes = sa.Table(
    "fraud_rule_minutes",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("minute", _time, primary_key=True),
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("shadow", sa.Boolean, primary_key=True),
    sa.Column("hits", sa.BigInteger, nullable=False),
    sa.Column("blocks", sa.BigInteger, nullable=False),
    sa.Column("amount_usd_minor", sa.BigInteger, nullable=False),
)

# Until when the alerts of a firm have been explained.
explained = sa.Table(
    "fraud_explained",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("until", _time, nullable=False),
)

# What became known of frauds, as rows of the windows. One without an offset waits for the worker's next batch.
label_rows = sa.Table(
    "fraud_label_rows",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("known_at", _time, nullable=False),
    sa.Column("weight", sa.SmallInteger, nullable=False),
    sa.Column("account_id_hash", sa.BigInteger),
    sa.Column("merchant_id_hash", sa.BigInteger),
    sa.Column("added_at", _time, nullable=False),
    sa.Column("stream", sa.Text),
    sa.Column("partition", sa.Integer),
    sa.Column("log_offset", sa.BigInteger),
    sa.Index("ix_fraud_label_rows_event", "tenant_id", "event_id", "number"),
    sa.Index(
        "ix_fraud_label_rows_waiting", "tenant_id", "number", postgresql_where=sa.text("log_offset is null"),
    ),
    sa.Index("ix_fraud_label_rows_pinned", "tenant_id", "stream", "partition", "log_offset"),
)  # fmt: skip

# What the windows forget of erased people. One without an offset waits for the worker's next batch.
forgotten = sa.Table(
    "fraud_forgotten",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("number", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("account_id_hash", sa.BigInteger, nullable=False),
    sa.Column("counterparty_id_hash", sa.BigInteger),
    sa.Column("device_id_hash", sa.BigInteger),
    sa.Column("added_at", _time, nullable=False),
    sa.Column("stream", sa.Text),
    sa.Column("partition", sa.Integer),
    sa.Column("log_offset", sa.BigInteger),
)
