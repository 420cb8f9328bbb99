"""Single sign-on: a firm's OpenID provider, who its people are there, sign-ins under way, and e-mail domains."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0020_single_sign_on"
down_revision = "0019_receipt_lists"

_TABLES = """
create table identity_sso_providers (
  tenant_id uuid not null references identity_tenants (id), id uuid not null, name text not null, issuer text not null,
  client_id text not null, client_secret_sealed bytea not null, algorithms text[] not null, scopes text[] not null,
  role_claim text not null, role_map jsonb not null, enabled boolean not null, changed_at timestamptz not null,
  constraint pk_identity_sso_providers primary key (tenant_id, id),
  constraint uq_identity_sso_providers_tenant_id unique (tenant_id));
create table identity_external_identities (
  tenant_id uuid not null, issuer text not null, subject text not null, user_id uuid not null,
  linked_at timestamptz not null, last_seen_at timestamptz not null,
  constraint pk_identity_external_identities primary key (tenant_id, issuer, subject),
  constraint fk_identity_external_identities_tenant_id_user_id foreign key (tenant_id, user_id)
    references identity_users (tenant_id, id));
create table identity_sso_attempts (
  tenant_id uuid not null, state_hash bytea not null, browser_hash bytea not null, provider_id uuid not null,
  issuer text not null, nonce text not null, verifier text not null, next text not null,
  expires_at timestamptz not null, constraint pk_identity_sso_attempts primary key (tenant_id, state_hash));
create table identity_sso_domains (
  tenant_id uuid not null references identity_tenants (id), domain text not null,
  constraint pk_identity_sso_domains primary key (domain))
"""
_GRANTS = {
    "identity_sso_providers": ("select, insert, update, delete", "select, update"),
    "identity_external_identities": ("select, insert, update (last_seen_at), delete", "select, delete"),
    "identity_sso_attempts": ("select, insert, delete", "select, delete"),
    "identity_sso_domains": ("select, insert, delete", "select"),
}
# Before a firm is known: whose people an e-mail domain's are. One row by its name, as the other look-ups.
_FIND = """
create function identity_find_domain(p_domain text) returns table (tenant_id uuid)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select tenant_id from public.identity_sso_domains where domain = p_domain $$
"""


def upgrade() -> None:
    """Create the tables of single sign-on and their walls."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    for statement in _TABLES.split(";\n"):
        op.execute(statement)
    for table, (api, worker) in _GRANTS.items():
        protect(op, table, api=api, worker=worker)
    op.execute("create policy lookup on identity_sso_domains for select to finer_owner using (true)")
    op.execute(_FIND)
    op.execute("revoke all on function identity_find_domain(text) from public")
    op.execute("grant execute on function identity_find_domain(text) to finer_api")
    op.execute("reset role")
