"""Detection of unauthorised access: counted reads, security alerts, and how far the detection has read the trail."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0014_access"
down_revision = "0013_machines"

_TABLES = """
create table identity_read_counts (
  tenant_id uuid not null, actor_id text not null, minute timestamptz not null, actor_kind text not null,
  actor_name text not null, rows bigint not null, requests bigint not null,
  constraint pk_identity_read_counts primary key (tenant_id, actor_id, minute));
create index ix_identity_read_counts_minute on identity_read_counts (tenant_id, minute);
create table identity_security_alerts (
  tenant_id uuid not null, id uuid not null, rule text not null, severity text not null, subject text not null,
  subject_name text not null, state text not null, reasons text[] not null, first_at timestamptz not null,
  last_at timestamptz not null, hits bigint not null, assignee_id uuid, note text not null, changed_by text not null,
  changed_at timestamptz, version integer not null,
  constraint pk_identity_security_alerts primary key (tenant_id, id));
create unique index ix_identity_security_alerts_open on identity_security_alerts (tenant_id, rule, subject)
  where state <> 'closed';
create index ix_identity_security_alerts_last_at on identity_security_alerts (tenant_id, last_at, id);
create table identity_security_alert_entries (
  tenant_id uuid not null, alert_id uuid not null, entry_id uuid not null,
  constraint pk_identity_security_alert_entries primary key (tenant_id, alert_id, entry_id),
  constraint fk_identity_security_alert_entries_tenant_id_alert_id foreign key (tenant_id, alert_id)
    references identity_security_alerts (tenant_id, id));
create table identity_security_progress (
  tenant_id uuid not null, sequence bigint not null,
  constraint pk_identity_security_progress primary key (tenant_id));
"""
# A session that is not good any more still says whose it was, to whoever holds its token.
_LOOKUP = """
create function identity_find_past_session(p_token_hash bytea)
returns table (tenant_id uuid, session_id uuid, user_id uuid, role text)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select s.tenant_id, s.id, u.id, u.role from public.identity_sessions s
    join public.identity_users u on u.tenant_id = s.tenant_id and u.id = s.user_id
   where s.token_hash = p_token_hash $$
"""


def upgrade() -> None:
    """Create the tables of detection and the look-up of past sessions."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    protect(op, "identity_read_counts", api="select, insert, update (rows, requests)", worker="select, delete")
    changeable = "update (state, assignee_id, note, changed_by, changed_at, version)"
    found = "update (reasons, last_at, hits, severity, version)"
    protect(op, "identity_security_alerts", api=f"select, {changeable}", worker=f"select, insert, {found}")
    protect(op, "identity_security_alert_entries", api="select", worker="select, insert")
    protect(op, "identity_security_progress", worker="select, insert, update (sequence)")
    op.execute(_LOOKUP)
    op.execute("revoke all on function identity_find_past_session(bytea) from public")
    op.execute("grant execute on function identity_find_past_session(bytea) to finer_api")
    op.execute("reset role")
