"""Second factors, passkeys, half-done sign-ins, and what a session knows about how it began."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0015_sign_in"
down_revision = "0014_access"

_USER = "foreign key (tenant_id, user_id) references identity_users (tenant_id, id)"
_TABLES = f"""
create table identity_totp_factors (
  tenant_id uuid not null, user_id uuid not null, secret_sealed bytea not null, last_step bigint not null,
  created_at timestamptz not null, confirmed_at timestamptz,
  constraint pk_identity_totp_factors primary key (tenant_id, user_id),
  constraint fk_identity_totp_factors_tenant_id_user_id {_USER});
create table identity_recovery_codes (
  tenant_id uuid not null, user_id uuid not null, number smallint not null, code_hash text not null,
  created_at timestamptz not null, used_at timestamptz,
  constraint pk_identity_recovery_codes primary key (tenant_id, user_id, number),
  constraint fk_identity_recovery_codes_tenant_id_user_id {_USER});
create table identity_passkeys (
  tenant_id uuid not null, id uuid not null, user_id uuid not null, credential_id bytea not null,
  public_key bytea not null, sign_count bigint not null, name text not null, transports text[] not null,
  created_at timestamptz not null, last_used_at timestamptz,
  constraint pk_identity_passkeys primary key (tenant_id, id),
  constraint uq_identity_passkeys_credential_id unique (credential_id),
  constraint fk_identity_passkeys_tenant_id_user_id {_USER});
create index ix_identity_passkeys_tenant_id_user_id on identity_passkeys (tenant_id, user_id);
create table identity_pending_sign_ins (
  tenant_id uuid not null, id uuid not null, user_id uuid not null, token_hash bytea not null,
  expires_at timestamptz not null,
  constraint pk_identity_pending_sign_ins primary key (tenant_id, id),
  constraint uq_identity_pending_sign_ins_token_hash unique (token_hash),
  constraint fk_identity_pending_sign_ins_tenant_id_user_id {_USER});
create table identity_passkey_challenges (
  challenge_hash bytea not null, purpose text not null, subject uuid, expires_at timestamptz not null,
  constraint pk_identity_passkey_challenges primary key (challenge_hash));
alter table identity_sessions
  add column auth_at timestamptz not null default 'epoch', add column factor text not null default 'password',
  add column address text not null default '', add column unfamiliar boolean not null default false;
alter table identity_sessions alter column auth_at drop default, alter column factor drop default,
  alter column address drop default, alter column unfamiliar drop default;
create index ix_identity_sessions_tenant_id_user_id on identity_sessions (tenant_id, user_id);
"""

# As in 0002_identity: one row by a secret that only its holder can name, and what is needed to check it.
_LOOKUPS = """
drop function identity_find_session(bytea);
create function identity_find_session(p_token_hash bytea)
returns table (tenant_id uuid, session_id uuid, user_id uuid, name_sealed bytea, role text, created_at timestamptz,
               last_seen_at timestamptz, auth_at timestamptz, factor text, has_password boolean, has_totp boolean,
               has_passkey boolean)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select s.tenant_id, s.id, u.id, u.name_sealed, u.role, s.created_at, s.last_seen_at, s.auth_at, s.factor,
         u.password_hash is not null,
         exists (select from public.identity_totp_factors f
                  where f.tenant_id = u.tenant_id and f.user_id = u.id and f.confirmed_at is not null),
         exists (select from public.identity_passkeys p where p.tenant_id = u.tenant_id and p.user_id = u.id)
    from public.identity_sessions s
    join public.identity_users u on u.tenant_id = s.tenant_id and u.id = s.user_id
   where s.token_hash = p_token_hash and s.revoked_at is null and u.disabled_at is null $$;
create function identity_find_pending_sign_in(p_token_hash bytea)
returns table (tenant_id uuid, id uuid, user_id uuid, expires_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select p.tenant_id, p.id, u.id, p.expires_at
    from public.identity_pending_sign_ins p
    join public.identity_users u on u.tenant_id = p.tenant_id and u.id = p.user_id
   where p.token_hash = p_token_hash and u.disabled_at is null $$;
create function identity_find_passkey(p_credential_id bytea)
returns table (tenant_id uuid, id uuid, user_id uuid, public_key bytea, sign_count bigint)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select p.tenant_id, p.id, u.id, p.public_key, p.sign_count
    from public.identity_passkeys p
    join public.identity_users u on u.tenant_id = p.tenant_id and u.id = p.user_id
   where p.credential_id = p_credential_id and u.disabled_at is null $$;
create function identity_find_recovery_code(p_tenant_id uuid, p_user_id uuid, p_number smallint)
returns table (code_hash text)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select code_hash from public.identity_recovery_codes
   where tenant_id = p_tenant_id and user_id = p_user_id and number = p_number and used_at is null $$;
"""
_FUNCTIONS = (
    "identity_find_session(bytea)",
    "identity_find_pending_sign_in(bytea)",
    "identity_find_passkey(bytea)",
    "identity_find_recovery_code(uuid, uuid, smallint)",
)


def upgrade() -> None:
    """Create the tables of second factors, widen sessions, and add the look-ups."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    protect(
        op, "identity_totp_factors",
        api="select, insert, delete, update (secret_sealed, last_step, created_at, confirmed_at)",
        # The worker seals secrets again when keys are replaced.
        worker="select, update (secret_sealed)",
    )  # fmt: skip
    protect(
        op, "identity_recovery_codes",
        api="select (tenant_id, user_id, number, created_at, used_at), insert, delete, update (used_at)",
    )  # fmt: skip
    protect(op, "identity_passkeys", api="select, insert, delete, update (sign_count, name, last_used_at)")
    protect(
        op, "identity_pending_sign_ins",
        api="select (tenant_id, id, user_id, expires_at), insert, delete",
        worker="select (tenant_id, id, expires_at), delete",
    )  # fmt: skip
    op.execute("grant select, insert, delete on identity_passkey_challenges to finer_api")
    op.execute("grant select, delete on identity_passkey_challenges to finer_worker")
    op.execute("grant select (auth_at, factor, address, unfamiliar) on identity_sessions to finer_api, finer_worker")
    op.execute("grant update (token_hash, auth_at, factor, unfamiliar) on identity_sessions to finer_api")
    for table in ("totp_factors", "recovery_codes", "passkeys", "pending_sign_ins"):
        op.execute(f"create policy lookup on identity_{table} for select to finer_owner using (true)")
    for statement in _LOOKUPS.split(";\n"):
        if statement.strip():
            op.execute(statement)
    for function in _FUNCTIONS:
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"grant execute on function {function} to finer_api")
    op.execute("reset role")
