"""Machines: networks, rotation and OAuth clients beside API keys, and the keys that sign access tokens."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0013_machines"
down_revision = "0012_log_advance"

_COLUMNS = """
alter table identity_api_keys
  add column kind text not null default 'api_key' constraint ck_identity_api_keys_kind
    check (kind in ('api_key', 'oauth_client')),
  add column networks text[] not null default '{}',
  add column previous_secret_hash bytea,
  add column previous_until timestamptz;
alter table identity_api_keys alter column kind drop default, alter column networks drop default;
create table identity_signing_keys (
  tenant_id uuid not null, id uuid not null, public_key jsonb not null, private_key_sealed bytea not null,
  created_at timestamptz not null, retired_at timestamptz,
  constraint pk_identity_signing_keys primary key (tenant_id, id))
"""
_FIND = """
create function identity_find_key(p_prefix text)
returns table (tenant_id uuid, id uuid, name text, kind text, secret_hash bytea, previous_secret_hash bytea,
               previous_until timestamptz, scopes text[], networks text[], expires_at timestamptz,
               last_used_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select tenant_id, id, name, kind, secret_hash, previous_secret_hash, previous_until, scopes, networks, expires_at,
         last_used_at
    from public.identity_api_keys where prefix = p_prefix and revoked_at is null $$
"""


def upgrade() -> None:
    """Add what machines have gained; the look-up of a key hands out more than it did."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    for statement in _COLUMNS.split(";\n"):
        op.execute(statement)
    op.execute("grant select (kind, networks, previous_until) on identity_api_keys to finer_api, finer_worker")
    changed = "name, networks, secret_hash, previous_secret_hash, previous_until, expires_at"
    op.execute(f"grant update ({changed}) on identity_api_keys to finer_api")
    op.execute("drop function identity_find_key(text)")
    op.execute(_FIND)
    op.execute("revoke all on function identity_find_key(text) from public")
    op.execute("grant execute on function identity_find_key(text) to finer_api")
    protect(op, "identity_signing_keys", api="select, insert, update (retired_at), delete", worker="select, update")
    op.execute("reset role")
