"""A session is found with its teams in one statement, and all that changes what is remembered of it is told."""

from __future__ import annotations

from alembic import op

revision = "0068_remembered_sessions"
down_revision = "0064_letting_out"

_LOOKUP = """
create function identity_find_session(p_token_hash bytea)
returns table (tenant_id uuid, session_id uuid, user_id uuid, name_sealed bytea, role text, created_at timestamptz,
               last_seen_at timestamptz, auth_at timestamptz, ends_at timestamptz, factor text, has_password boolean,
               has_totp boolean, has_passkey boolean, second_factor_required boolean, teams uuid[])
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select s.tenant_id, s.id, u.id, u.name_sealed, u.role, s.created_at, s.last_seen_at, s.auth_at, s.ends_at, s.factor,
         u.password_hash is not null,
         exists (select from public.identity_totp_factors f
                  where f.tenant_id = u.tenant_id and f.user_id = u.id and f.confirmed_at is not null),
         exists (select from public.identity_passkeys p where p.tenant_id = u.tenant_id and p.user_id = u.id),
         t.second_factor_required,
         array(select m.team_id from public.identity_memberships m
                where m.tenant_id = u.tenant_id and m.user_id = u.id)
    from public.identity_sessions s
    join public.identity_users u on u.tenant_id = s.tenant_id and u.id = s.user_id
    join public.identity_tenants t on t.id = s.tenant_id
   where s.token_hash = p_token_hash and s.revoked_at is null and u.disabled_at is null $$
"""
# Whatever belongs to a person names the person; a row that is gone is told of as it was.
_TELL = """
create or replace function identity_tell_access() returns trigger language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  changed jsonb := coalesce(to_jsonb(new), to_jsonb(old));
begin
  perform pg_notify('finer_access', case
    when tg_table_name = 'identity_tenants' then changed ->> 'id'
    else concat_ws(' ', changed ->> 'tenant_id', coalesce(changed ->> 'user_id', changed ->> 'id')) end);
  return null;
end $$
"""
_WATCHED = {
    "identity_sessions": "delete",
    "identity_users": "update of password_hash",
    "identity_memberships": "insert or update or delete",
    "identity_totp_factors": "insert or update of confirmed_at or delete",
    "identity_passkeys": "insert or delete",
}
# Old sessions are deleted by the thousand, long after they ended by themselves or somebody ended them.
_ONLY = {"identity_sessions": "when (old.revoked_at is null)"}


def upgrade() -> None:
    """Replace both functions, and watch what was not watched."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute("create policy lookup on identity_memberships for select to finer_owner using (true)")
    op.execute("drop function identity_find_session(bytea)")
    op.execute(_LOOKUP)
    op.execute("revoke all on function identity_find_session(bytea) from public")
    op.execute("grant execute on function identity_find_session(bytea) to finer_api")
    op.execute(_TELL)
    for table, changes in _WATCHED.items():
        op.execute(
            f"create trigger tell_changes after {changes} on {table} "
            f"for each row {_ONLY.get(table, '')} execute function identity_tell_access()"
        )
    op.execute("reset role")
