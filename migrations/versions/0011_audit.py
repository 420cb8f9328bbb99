"""The audit trail becomes a chain: append-only for everybody, sealed in order, with signed heads."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0011_audit"
down_revision = "0010_teams"

_TABLES = """
alter table identity_audit_entries
  add column user_agent text not null default '', add column session text not null default '',
  add column request text not null default '';
create index ix_identity_audit_entries_at on identity_audit_entries (tenant_id, at, id);
create index ix_identity_audit_entries_actor on identity_audit_entries (tenant_id, actor_id, at);
create index ix_identity_audit_entries_action on identity_audit_entries (tenant_id, action, at);
create index ix_identity_audit_entries_subject on identity_audit_entries (tenant_id, subject, at);
create index ix_identity_audit_entries_origin on identity_audit_entries (tenant_id, origin, at);
create table identity_audit_waiting (
  tenant_id uuid not null, entry_id uuid not null,
  constraint pk_identity_audit_waiting primary key (tenant_id, entry_id));
create table identity_audit_seals (
  tenant_id uuid not null, sequence bigint not null, entry_id uuid not null, hash bytea not null,
  sealed_at timestamptz not null,
  constraint pk_identity_audit_seals primary key (tenant_id, sequence),
  constraint uq_identity_audit_seals_entry unique (tenant_id, entry_id),
  constraint ck_identity_audit_seals_hash check (octet_length(hash) = 32),
  constraint ck_identity_audit_seals_sequence check (sequence > 0));
create table identity_audit_heads (
  tenant_id uuid not null, sequence bigint not null, hash bytea not null, signed_at timestamptz not null,
  key_id text not null, signature bytea not null,
  constraint pk_identity_audit_heads primary key (tenant_id, sequence));
create table identity_audit_verifications (
  tenant_id uuid not null, id uuid not null, asked_by text not null, asked_at timestamptz not null,
  first_sequence bigint not null, last_sequence bigint not null, checked bigint not null,
  last_hash bytea, finished_at timestamptz, findings jsonb not null,
  constraint pk_identity_audit_verifications primary key (tenant_id, id));
create index ix_identity_audit_verifications_asked_at on identity_audit_verifications (tenant_id, asked_at);
"""

# Whoever changes the trail, the owner of the tables included, is refused; what gets past a trigger that somebody
# dropped, the chain of hashes shows.
_TRIGGERS = """
create function identity_audit_refuse() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'The audit trail is append-only: % on % is refused.', tg_op, tg_table_name
    using errcode = 'insufficient_privilege';
end $$;
create function identity_audit_wait() returns trigger language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
begin
  insert into public.identity_audit_waiting (tenant_id, entry_id) values (new.tenant_id, new.id);
  return null;
end $$;
create function identity_audit_tenants_waiting() returns table (tenant_id uuid)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select distinct w.tenant_id from public.identity_audit_waiting w $$;
"""
_APPEND_ONLY = ("identity_audit_entries", "identity_audit_seals", "identity_audit_heads")


def upgrade() -> None:
    """Add what a request is known by, the chain beside the entries, and the guards of both."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    protect(op, "identity_audit_waiting", api="select", worker="select, delete")
    protect(op, "identity_audit_seals", api="select", worker="select, insert")
    protect(op, "identity_audit_heads", api="select", worker="select, insert")
    changeable = "update (checked, last_sequence, last_hash, finished_at, findings)"
    protect(op, "identity_audit_verifications", api="select, insert", worker=f"select, insert, {changeable}")
    op.execute("create policy lookup on identity_audit_waiting for select to finer_owner using (true)")
    # What was written before there was a chain becomes its beginning. Row-level security is forced on the owner too.
    op.execute("alter table identity_audit_entries no force row level security")
    op.execute("alter table identity_audit_waiting no force row level security")
    op.execute(
        "insert into identity_audit_waiting (tenant_id, entry_id) select tenant_id, id from identity_audit_entries"
    )
    op.execute("alter table identity_audit_entries force row level security")
    op.execute("alter table identity_audit_waiting force row level security")
    for statement in _TRIGGERS.split("$$;\n"):
        if statement.strip():
            op.execute(statement + "$$")
    for function in ("identity_audit_refuse()", "identity_audit_wait()", "identity_audit_tenants_waiting()"):
        op.execute(f"revoke all on function {function} from public")
    op.execute("grant execute on function identity_audit_tenants_waiting() to finer_worker")
    for table in _APPEND_ONLY:
        for name, events, each in (
            ("append_only", "update or delete", "row"),
            ("no_truncate", "truncate", "statement"),
        ):
            op.execute(
                f"create trigger {name} before {events} on {table} for each {each} "
                "execute function identity_audit_refuse()"
            )
            # Also in a session that calls itself a replica, where ordinary triggers are silent.
            op.execute(f"alter table {table} enable always trigger {name}")
    op.execute(
        "create trigger wait after insert on identity_audit_entries for each row execute function identity_audit_wait()"
    )
    op.execute("reset role")
