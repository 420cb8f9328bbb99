"""Seal the addresses and names of people who sign in."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import context, op

from finer.kit.actors import SYSTEM
from finer.kit.clock import SystemClock
from finer.kit.crypto.fields import blind_everywhere, keyring, seal
from finer.kit.db import begin_tenant
from finer.kit.tx import Tx

revision = "0009_sealed_people"
down_revision = "0008_keys"

_EMAIL, _NAME = "identity_users.email_sealed", "identity_users.name_sealed"

_LOOKUPS = """
create function identity_find_user(p_email_index bytea)
returns table (tenant_id uuid, id uuid, role text, password_hash text)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select tenant_id, id, role, password_hash from public.identity_users
   where email_index = p_email_index and disabled_at is null $$;
create function identity_find_session(p_token_hash bytea)
returns table (tenant_id uuid, session_id uuid, user_id uuid, name_sealed bytea, role text, created_at timestamptz,
               last_seen_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select s.tenant_id, s.id, u.id, u.name_sealed, u.role, s.created_at, s.last_seen_at
    from public.identity_sessions s
    join public.identity_users u on u.tenant_id = s.tenant_id and u.id = s.user_id
   where s.token_hash = p_token_hash and s.revoked_at is null and u.disabled_at is null $$;
create function identity_find_link(p_token_hash bytea)
returns table (tenant_id uuid, user_id uuid, role text, expires_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select l.tenant_id, u.id, u.role, l.expires_at
    from public.identity_sign_in_links l
    join public.identity_users u on u.tenant_id = l.tenant_id and u.id = l.user_id
   where l.token_hash = p_token_hash and u.disabled_at is null $$;
"""
_OLD = ("identity_find_user(text)", "identity_find_session(bytea)", "identity_find_link(bytea)")
_NEW = ("identity_find_user(bytea)", "identity_find_session(bytea)", "identity_find_link(bytea)")


def upgrade() -> None:
    """Replace the plain columns by sealed ones; people who exist are sealed here, with the installation's keys."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute("alter table identity_users add email_sealed bytea, add email_index bytea, add name_sealed bytea")
    _seal_people(op.get_bind())
    for function in _OLD:
        op.execute(f"drop function {function}")
    op.execute("alter table identity_users drop column email, drop column name")
    for column in ("email_sealed", "email_index", "name_sealed"):
        op.execute(f"alter table identity_users alter {column} set not null")
    op.execute("alter table identity_users add constraint uq_identity_users_email_index unique (email_index)")
    columns = "email_sealed, email_index, name_sealed"
    op.execute(f"grant select ({columns}), update ({columns}) on identity_users to finer_api, finer_worker")
    op.execute("grant update (password_hash, disabled_at) on identity_users to finer_worker")
    for statement in _LOOKUPS.split("$$;\n"):
        if statement.strip():
            op.execute(statement + "$$")
    for function in _NEW:
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"grant execute on function {function} to finer_api")
    op.execute("reset role")


def _seal_people(connection: sa.Connection) -> None:
    firms = connection.exec_driver_sql("select id from identity_tenants").scalars().all()
    found = [(firm, _people(connection, firm)) for firm in firms]
    if not any(people for _, people in found):
        return
    tx = Tx(connection, uuid.UUID(int=0), SYSTEM, SystemClock(), keys=context.config.attributes.get("keys"))
    keyring(tx).establish(tx)
    for firm, people in found:
        begin_tenant(connection, firm)
        tx.tenant = firm
        for person, email, name in people:
            subject = f"user:{person.hex}"
            connection.exec_driver_sql(
                "update identity_users set email_sealed = %s, email_index = %s, name_sealed = %s "
                "where tenant_id = %s and id = %s",
                (
                    seal(tx, _EMAIL, person, email, subject=subject),
                    blind_everywhere(tx, _EMAIL, email),
                    seal(tx, _NAME, person, name, subject=subject),
                    firm,
                    person,
                ),
            )


def _people(connection: sa.Connection, firm: uuid.UUID) -> list[tuple[uuid.UUID, str, str]]:
    begin_tenant(connection, firm)
    rows = connection.exec_driver_sql("select id, email, name from identity_users where tenant_id = %s", (firm,))
    return [(row.id, row.email, row.name) for row in rows]
