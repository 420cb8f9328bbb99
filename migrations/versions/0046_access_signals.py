"""A notification whenever somebody's rights change, so that live streams end at once and need not ask all the time."""

from __future__ import annotations

from alembic import op

revision = "0046_access_signals"
down_revision = "0045_operations"

_FUNCTION = """
create function identity_tell_access() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_notify('finer_access', case tg_table_name when 'identity_tenants' then to_jsonb(new) ->> 'id'
    else to_jsonb(new) ->> 'tenant_id' end);
  return null;
end $$
"""
# What changes rights is rare, so that NOTIFY inside a transaction, which makes committers wait in line, hurts nobody.
_WATCHED = {
    "identity_sessions": "revoked_at, token_hash",
    "identity_users": "role, disabled_at",
    "identity_api_keys": "revoked_at, scopes",
    "identity_tenants": "second_factor_required",
}


def upgrade() -> None:
    """Create the function and its triggers."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(_FUNCTION)
    for table, columns in _WATCHED.items():
        op.execute(
            f"create trigger tell_access after update of {columns} on {table} "
            "for each row execute function identity_tell_access()"
        )
    op.execute("reset role")
