"""Rules of firms in versions, lists, rule sets with the offsets that they decided from, and what each rule did."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0038_rules"
down_revision = "0037_quality"

_TABLES = (
    """
create table fraud_rule_versions (
  tenant_id uuid not null, id uuid not null, rule text not null, version int not null, position int not null,
  state text not null, document jsonb not null, revision int not null, note text not null, author text not null,
  created_at timestamptz not null, updated_at timestamptz not null, shadow_at timestamptz, live_at timestamptz,
  approved_by text not null default '', retired_at timestamptz, demoted_at timestamptz,
  demotion text not null default '', price jsonb,
  constraint pk_fraud_rule_versions primary key (tenant_id, id),
  constraint uq_fraud_rule_versions_tenant_id_rule_version unique (tenant_id, rule, version),
  constraint ck_fraud_rule_versions_state check (state in ('draft', 'shadow', 'live', 'retired')))
""",
    """
create table fraud_lists (
  tenant_id uuid not null, id uuid not null, name text not null, kind text not null, effect text not null,
  description text not null, version int not null, entries int not null, author text not null,
  created_at timestamptz not null, updated_at timestamptz not null, deleted_at timestamptz,
  constraint pk_fraud_lists primary key (tenant_id, id),
  constraint ck_fraud_lists_effect check (effect in ('none', 'allow', 'block', 'final_block')))
""",
    """
create table fraud_list_entries (
  tenant_id uuid not null, id uuid not null, list_id uuid not null, value text not null, reason text not null,
  source text not null, added_by text not null, added_at timestamptz not null, expires_at timestamptz,
  from_version int, to_version int, removed_by text not null default '', removed_at timestamptz,
  constraint pk_fraud_list_entries primary key (tenant_id, id),
  constraint ck_fraud_list_entries_versions check (to_version > from_version))
""",
    """
create table fraud_rule_sets (
  tenant_id uuid not null, version text not null, document text not null, made_at timestamptz not null,
  constraint pk_fraud_rule_sets primary key (tenant_id, version))
""",
    """
create table fraud_heads (
  tenant_id uuid not null, rule_set text not null, changes bigint not null, changed_at timestamptz not null,
  constraint pk_fraud_heads primary key (tenant_id))
""",
    """
create table fraud_pins (
  tenant_id uuid not null, stream text not null, partition int not null, from_offset bigint not null,
  rule_set text not null, model text, threshold double precision, at timestamptz not null,
  constraint pk_fraud_pins primary key (tenant_id, stream, partition, from_offset))
""",
    """
create table fraud_rule_minutes (
  tenant_id uuid not null, minute timestamptz not null, rule text not null, shadow boolean not null,
  hits bigint not null, blocks bigint not null, amount_usd_minor bigint not null,
  constraint pk_fraud_rule_minutes primary key (tenant_id, minute, rule, shadow))
""",
)
_INDEXES = (
    *(
        f"create unique index uq_fraud_rule_versions_{state} on fraud_rule_versions (tenant_id, rule) "
        f"where state = '{state}'"
        for state in ("live", "shadow", "draft")
    ),
    "create unique index uq_fraud_lists_name on fraud_lists (tenant_id, name) where deleted_at is null",
    """
create unique index uq_fraud_list_entries_value on fraud_list_entries (tenant_id, list_id, value)
where to_version is null and from_version is not null
""",
    "create index ix_fraud_list_entries_newest on fraud_list_entries (tenant_id, list_id, id)",
    """
create index ix_fraud_list_entries_expiring on fraud_list_entries (tenant_id, expires_at)
where to_version is null and from_version is not null and expires_at is not null
""",
)


def upgrade() -> None:
    """Create the tables and their walls."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    for statement in (*_TABLES, *_INDEXES):
        op.execute(statement)
    # Rules and rule sets are never deleted: what decided yesterday must be there to be read again.
    protect(
        op,
        "fraud_rule_versions",
        api="select, insert, update, delete",
        worker="select, insert, update (state, retired_at, updated_at, shadow_at, demoted_at, demotion, price)",
    )
    protect(op, "fraud_lists", api="select, insert, update", worker="select, update (version, entries, updated_at)")
    protect(
        op,
        "fraud_list_entries",
        api="select, insert, update (from_version, to_version, removed_by, removed_at), delete",
        worker="select, update (to_version, removed_by, removed_at)",
    )
    protect(op, "fraud_rule_sets", api="select, insert", worker="select, insert")
    protect(op, "fraud_heads", api="select, insert, update", worker="select, insert, update")
    protect(op, "fraud_pins", api="select", worker="select, insert")
    protect(op, "fraud_rule_minutes", api="select", worker="select, insert, update, delete")
    op.execute("reset role")
