"""Machines that wait for a second person, firms that want a second factor, and what a provider must say of itself."""

from __future__ import annotations

from alembic import op

revision = "0024_two_people"
down_revision = "0023_job_runs"

_COLUMNS = """
alter table identity_api_keys add column approved_at timestamptz;
update identity_api_keys set approved_at = created_at;
alter table identity_tenants add column second_factor_required boolean not null default false;
alter table identity_sso_providers
  add column acr_values text[] not null default '{}', add column amr_values text[] not null default '{}';
alter table identity_sso_providers alter column acr_values drop default, alter column amr_values drop default
"""
# A machine that nobody approved is none: the look-up by which it would come in does not find it.
_LOOKUPS = """
create or replace function identity_find_key(p_prefix text)
returns table (tenant_id uuid, id uuid, name text, kind text, secret_hash bytea, previous_secret_hash bytea,
               previous_until timestamptz, scopes text[], networks text[], expires_at timestamptz,
               last_used_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select tenant_id, id, name, kind, secret_hash, previous_secret_hash, previous_until, scopes, networks, expires_at,
         last_used_at
    from public.identity_api_keys
   where prefix = p_prefix and revoked_at is null and approved_at is not null $$;
drop function identity_find_session(bytea);
create function identity_find_session(p_token_hash bytea)
returns table (tenant_id uuid, session_id uuid, user_id uuid, name_sealed bytea, role text, created_at timestamptz,
               last_seen_at timestamptz, auth_at timestamptz, factor text, has_password boolean, has_totp boolean,
               has_passkey boolean, second_factor_required boolean)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select s.tenant_id, s.id, u.id, u.name_sealed, u.role, s.created_at, s.last_seen_at, s.auth_at, s.factor,
         u.password_hash is not null,
         exists (select from public.identity_totp_factors f
                  where f.tenant_id = u.tenant_id and f.user_id = u.id and f.confirmed_at is not null),
         exists (select from public.identity_passkeys p where p.tenant_id = u.tenant_id and p.user_id = u.id),
         t.second_factor_required
    from public.identity_sessions s
    join public.identity_users u on u.tenant_id = s.tenant_id and u.id = s.user_id
    join public.identity_tenants t on t.id = s.tenant_id
   where s.token_hash = p_token_hash and s.revoked_at is null and u.disabled_at is null $$
"""


def upgrade() -> None:
    """Add the columns, and let the look-ups heed them."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    # The owner is held to the walls too; for this statement alone it is not.
    op.execute("alter table identity_api_keys no force row level security")
    for statement in _COLUMNS.split(";\n"):
        op.execute(statement)
    op.execute("alter table identity_api_keys force row level security")
    op.execute("grant select (approved_at) on identity_api_keys to finer_api, finer_worker")
    op.execute("grant update (approved_at) on identity_api_keys to finer_api")
    op.execute("grant update (second_factor_required) on identity_tenants to finer_api")
    for statement in _LOOKUPS.split("$$;\n"):
        op.execute(statement if statement.rstrip().endswith("$$") else statement + "$$")
    op.execute("revoke all on function identity_find_session(bytea) from public")
    op.execute("grant execute on function identity_find_session(bytea) to finer_api")
    op.execute("reset role")
