"""How long a sign-in at a firm's provider is good for, and sessions that end with it."""

from __future__ import annotations

from alembic import op

revision = "0035_provider_sessions"
down_revision = "0031_mapped_records"

_COLUMNS = """
alter table identity_sso_providers add column max_age_minutes integer
  constraint ck_identity_sso_providers_max_age check (max_age_minutes between 5 and 43200);
alter table identity_sso_attempts add column fresh boolean not null default false;
alter table identity_sso_attempts alter column fresh drop default;
alter table identity_sessions add column ends_at timestamptz
"""
_LOOKUP = """
create function identity_find_session(p_token_hash bytea)
returns table (tenant_id uuid, session_id uuid, user_id uuid, name_sealed bytea, role text, created_at timestamptz,
               last_seen_at timestamptz, auth_at timestamptz, ends_at timestamptz, factor text, has_password boolean,
               has_totp boolean, has_passkey boolean, second_factor_required boolean)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select s.tenant_id, s.id, u.id, u.name_sealed, u.role, s.created_at, s.last_seen_at, s.auth_at, s.ends_at, s.factor,
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
    """Add the columns, and let the look-up of sessions tell when one ends."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    for statement in _COLUMNS.split(";\n"):
        op.execute(statement)
    op.execute("grant select (ends_at) on identity_sessions to finer_api, finer_worker")
    op.execute("drop function identity_find_session(bytea)")
    op.execute(_LOOKUP)
    op.execute("revoke all on function identity_find_session(bytea) from public")
    op.execute("grant execute on function identity_find_session(bytea) to finer_api")
    op.execute("reset role")
