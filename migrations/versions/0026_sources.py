"""Sources: what is read from, where reading stands, what was taken, and addresses for webhooks."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0026_sources"
down_revision = "0025_keys_in_force"

_TABLES = """
create table sources_sources (
  tenant_id uuid not null, id uuid not null, name text not null, contract text not null, mapping text not null,
  settings jsonb not null, credentials_sealed bytea, state text not null, version integer not null,
  backfill text not null default '', owner uuid, received bigint not null default 0, accepted bigint not null default 0,
  quarantined bigint not null default 0, lag bigint, lag_unit text not null default '', last_record_at timestamptz,
  error text not null default '', failures integer not null default 0, next_try_at timestamptz, made_by text not null,
  created_at timestamptz not null, changed_at timestamptz not null,
  constraint pk_sources_sources primary key (tenant_id, id),
  constraint uq_sources_sources_tenant_id_name unique (tenant_id, name));
create table sources_positions (
  tenant_id uuid not null, source_id uuid not null, part text not null, value jsonb not null,
  constraint pk_sources_positions primary key (tenant_id, source_id, part),
  constraint fk_sources_positions_tenant_id_source_id foreign key (tenant_id, source_id)
    references sources_sources (tenant_id, id) on delete cascade);
create table sources_items (
  tenant_id uuid not null, source_id uuid not null, name text not null, version text not null, size bigint not null,
  content bytea, state text not null, records bigint not null default 0, accepted bigint not null default 0,
  quarantined bigint not null default 0, note text not null, at timestamptz not null,
  constraint pk_sources_items primary key (tenant_id, source_id, name, version),
  constraint fk_sources_items_tenant_id_source_id foreign key (tenant_id, source_id)
    references sources_sources (tenant_id, id) on delete cascade);
create index ix_sources_items_at on sources_items (tenant_id, source_id, at);
create index ix_sources_items_content on sources_items (tenant_id, source_id, content);
create table sources_records (
  tenant_id uuid not null, source_id uuid not null, key text not null, value_sealed bytea not null,
  constraint pk_sources_records primary key (tenant_id, source_id, key),
  constraint fk_sources_records_tenant_id_source_id foreign key (tenant_id, source_id)
    references sources_sources (tenant_id, id) on delete cascade);
create table sources_notes (
  tenant_id uuid not null, source_id uuid not null, id uuid not null, at timestamptz not null, kind text not null,
  text text not null, actor text not null,
  constraint pk_sources_notes primary key (tenant_id, source_id, id),
  constraint fk_sources_notes_tenant_id_source_id foreign key (tenant_id, source_id)
    references sources_sources (tenant_id, id) on delete cascade);
create table sources_minutes (
  tenant_id uuid not null, source_id uuid not null, at timestamptz not null, accepted bigint not null default 0,
  quarantined bigint not null default 0,
  constraint pk_sources_minutes primary key (tenant_id, source_id, at),
  constraint fk_sources_minutes_tenant_id_source_id foreign key (tenant_id, source_id)
    references sources_sources (tenant_id, id) on delete cascade);
create table sources_hooks (
  tenant_id uuid not null, token_hash bytea not null, source_id uuid not null,
  constraint pk_sources_hooks primary key (token_hash),
  constraint fk_sources_hooks_tenant_id_source_id foreign key (tenant_id, source_id)
    references sources_sources (tenant_id, id) on delete cascade)
"""
# The worker's role deletes what is past its time, and seals again after keys were replaced.
_GRANTS = {
    "sources_sources": ("select, insert, update, delete", "select, update"),
    "sources_positions": ("select, insert, update, delete", "select"),
    "sources_items": ("select, insert, update, delete", "select, delete"),
    "sources_records": ("select, insert, update, delete", "select, update, delete"),
    "sources_notes": ("select, insert, delete", "select, insert, delete"),
    "sources_minutes": ("select, insert, update, delete", "select, delete"),
    "sources_hooks": ("select, insert, delete", "select"),
}
# Before a firm is known: whose webhook an address is. One row by its hash, as the other look-ups.
_FIND = """
create function sources_find_hook(p_hash bytea) returns table (tenant_id uuid, source_id uuid)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select tenant_id, source_id from public.sources_hooks where token_hash = p_hash $$
"""
# Whose sources wait to be read, for the process that reads those of all firms: ids, and nothing that the rows hold.
_DUE = """
create function sources_find_due(p_now timestamptz) returns table (tenant_id uuid, id uuid, version integer)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select tenant_id, id, version from public.sources_sources
  where state in ('running', 'failing') and settings ->> 'type' <> 'stripe'
    and (next_try_at is null or next_try_at <= p_now) order by changed_at $$
"""


def upgrade() -> None:
    """Create the tables of sources and their walls."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    for statement in _TABLES.split(";\n"):
        op.execute(statement)
    for table, (api, worker) in _GRANTS.items():
        protect(op, table, api=api, worker=worker)
    op.execute("create policy lookup on sources_hooks for select to finer_owner using (true)")
    op.execute("create policy lookup on sources_sources for select to finer_owner using (true)")
    op.execute(_FIND)
    op.execute(_DUE)
    op.execute("revoke all on function sources_find_hook(bytea), sources_find_due(timestamptz) from public")
    op.execute("grant execute on function sources_find_hook(bytea), sources_find_due(timestamptz) to finer_api")
    op.execute("reset role")
