"""Firms, people, sessions, keys and the audit trail."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0002_identity"
down_revision = "0001_kit"

_TABLES = """
create table identity_tenants (
  id uuid not null, slug text not null, name text not null, base_currency text not null, timezone text not null,
  branding jsonb not null, created_at timestamptz not null,
  constraint pk_identity_tenants primary key (id), constraint uq_identity_tenants_slug unique (slug));
create table identity_users (
  tenant_id uuid not null references identity_tenants (id), id uuid not null, email text not null, name text not null,
  role text not null, password_hash text, disabled_at timestamptz, created_at timestamptz not null,
  constraint pk_identity_users primary key (tenant_id, id), constraint uq_identity_users_email unique (email));
create table identity_sessions (
  tenant_id uuid not null, id uuid not null, user_id uuid not null, token_hash bytea not null,
  created_at timestamptz not null, last_seen_at timestamptz not null, user_agent text not null, revoked_at timestamptz,
  constraint pk_identity_sessions primary key (tenant_id, id),
  constraint uq_identity_sessions_token_hash unique (token_hash),
  constraint fk_identity_sessions_tenant_id_user_id foreign key (tenant_id, user_id)
    references identity_users (tenant_id, id));
create table identity_sign_in_links (
  tenant_id uuid not null, id uuid not null, user_id uuid not null, token_hash bytea not null,
  expires_at timestamptz not null,
  constraint pk_identity_sign_in_links primary key (tenant_id, id),
  constraint uq_identity_sign_in_links_token_hash unique (token_hash),
  constraint fk_identity_sign_in_links_tenant_id_user_id foreign key (tenant_id, user_id)
    references identity_users (tenant_id, id));
create table identity_api_keys (
  tenant_id uuid not null, id uuid not null, prefix text not null, secret_hash bytea not null, name text not null,
  scopes text[] not null, created_by text not null, created_at timestamptz not null, expires_at timestamptz not null,
  last_used_at timestamptz, revoked_at timestamptz,
  constraint pk_identity_api_keys primary key (tenant_id, id), constraint uq_identity_api_keys_prefix unique (prefix));
create table identity_audit_entries (
  tenant_id uuid not null, id uuid not null, at timestamptz not null, actor_kind text not null, actor_id text not null,
  actor_name text not null, actor_role text not null, action text not null, subject text not null,
  outcome text not null, origin text not null, detail jsonb not null,
  constraint pk_identity_audit_entries primary key (tenant_id, id));
create table identity_sign_in_attempts (
  key_hash bytea not null, attempts integer not null, last_at timestamptz not null,
  constraint pk_identity_sign_in_attempts primary key (key_hash));
"""

# Before a caller is known there is no tenant to set. These functions look up exactly one row by a secret or an
# address and return what is needed to check it; they are the only way past the tenant policy, and they cannot list.
_LOOKUPS = """
create function identity_find_user(p_email text)
returns table (tenant_id uuid, id uuid, name text, role text, password_hash text)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select tenant_id, id, name, role, password_hash from public.identity_users
   where email = p_email and disabled_at is null $$;
create function identity_find_session(p_token_hash bytea)
returns table (tenant_id uuid, session_id uuid, user_id uuid, name text, role text, created_at timestamptz,
               last_seen_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select s.tenant_id, s.id, u.id, u.name, u.role, s.created_at, s.last_seen_at
    from public.identity_sessions s
    join public.identity_users u on u.tenant_id = s.tenant_id and u.id = s.user_id
   where s.token_hash = p_token_hash and s.revoked_at is null and u.disabled_at is null $$;
create function identity_find_key(p_prefix text)
returns table (tenant_id uuid, id uuid, name text, secret_hash bytea, scopes text[], expires_at timestamptz,
               last_used_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select tenant_id, id, name, secret_hash, scopes, expires_at, last_used_at from public.identity_api_keys
   where prefix = p_prefix and revoked_at is null $$;
create function identity_find_link(p_token_hash bytea)
returns table (tenant_id uuid, user_id uuid, name text, role text, expires_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select l.tenant_id, u.id, u.name, u.role, l.expires_at
    from public.identity_sign_in_links l
    join public.identity_users u on u.tenant_id = l.tenant_id and u.id = l.user_id
   where l.token_hash = p_token_hash and u.disabled_at is null $$;
create function identity_list_tenants()
returns table (id uuid, slug text, name text, base_currency text, timezone text, branding jsonb, created_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select id, slug, name, base_currency, timezone, branding, created_at from public.identity_tenants order by slug $$;
"""
_GRANTS = {
    "identity_users": (
        "tenant_id, id, email, name, role, disabled_at, created_at",
        "name, role, password_hash, disabled_at",
        "",
    ),
    "identity_sessions": (
        "tenant_id, id, user_id, created_at, last_seen_at, user_agent, revoked_at",
        "last_seen_at, revoked_at",
        ", delete",
    ),
    "identity_sign_in_links": ("tenant_id, id, user_id, expires_at", "", ", delete"),
    "identity_api_keys": (
        "tenant_id, id, prefix, name, scopes, created_by, created_at, expires_at, last_used_at, revoked_at",
        "last_used_at, revoked_at",
        "",
    ),
}
_FUNCTIONS = (
    "identity_find_user(text)",
    "identity_find_session(bytea)",
    "identity_find_key(text)",
    "identity_find_link(bytea)",
    "identity_list_tenants()",
)


def upgrade() -> None:
    """Create the tables of identity, their walls, and the look-ups before a tenant is known."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    # No role reads a stored hash back: the look-ups below compare, or hand out exactly one.
    for table, (readable, changeable, worker) in _GRANTS.items():
        api = f"select ({readable}), insert" + (f", update ({changeable})" if changeable else ", delete")
        protect(op, table, api=api, worker=f"select ({readable})" + worker)
    protect(op, "identity_audit_entries", api="select, insert", worker="select, insert")
    own = "id = nullif(current_setting('finer.tenant', true), '')::uuid"
    op.execute("alter table identity_tenants enable row level security")
    op.execute("alter table identity_tenants force row level security")
    op.execute(f"create policy tenant on identity_tenants using ({own}) with check ({own})")
    op.execute("grant select, insert on identity_tenants to finer_api")
    op.execute("grant update (name, base_currency, timezone, branding) on identity_tenants to finer_api")
    op.execute("grant select on identity_tenants to finer_worker")
    op.execute("grant select, insert, update, delete on identity_sign_in_attempts to finer_api")
    op.execute("grant select, delete on identity_sign_in_attempts to finer_worker")
    for table in ("users", "sessions", "sign_in_links", "api_keys", "tenants"):
        op.execute(f"create policy lookup on identity_{table} for select to finer_owner using (true)")
    for statement in _LOOKUPS.split("$$;\n"):
        if statement.strip():
            op.execute(statement + "$$")
    for function in _FUNCTIONS:
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"grant execute on function {function} to finer_api")
    op.execute("grant execute on function identity_list_tenants() to finer_worker")
    op.execute("reset role")
