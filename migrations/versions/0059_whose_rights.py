"""A notification of changed rights says whose they are, so that only their live streams have to be looked at."""

from __future__ import annotations

from alembic import op

revision = "0059_whose_rights"
down_revision = "0058_case_policy"

_FUNCTION = """
create or replace function identity_tell_access() returns trigger language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_notify('finer_access', case tg_table_name
    when 'identity_tenants' then to_jsonb(new) ->> 'id'
    when 'identity_sessions' then concat_ws(' ', to_jsonb(new) ->> 'tenant_id', to_jsonb(new) ->> 'user_id')
    else concat_ws(' ', to_jsonb(new) ->> 'tenant_id', to_jsonb(new) ->> 'id') end);
  return null;
end $$
"""


def upgrade() -> None:
    """Replace the function; its triggers stay."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(_FUNCTION)
    op.execute("reset role")
