"""A run knows its queue, so that it comes back to it; and a source can be told that there is something new to read."""

from __future__ import annotations

from alembic import op

revision = "0042_wake_up"
down_revision = "0040_cases"

# Whose sources wait to be read, and when the other side last said that there is news.
_DUE = """
create function sources_find_due(p_now timestamptz)
returns table (tenant_id uuid, id uuid, version integer, woken_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select tenant_id, id, version, woken_at from public.sources_sources
  where state in ('running', 'failing') and settings ->> 'type' <> 'stripe'
    and (next_try_at is null or next_try_at <= p_now) order by changed_at $$
"""


def upgrade() -> None:
    """Runs that exist are of the usual queue; no source was woken."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute("alter table kit_job_runs add column queue text not null default 'runs'")
    op.execute("alter table sources_sources add column woken_at timestamptz")
    op.execute("drop function sources_find_due(timestamptz)")
    op.execute(_DUE)
    op.execute("revoke all on function sources_find_due(timestamptz) from public")
    op.execute("grant execute on function sources_find_due(timestamptz) to finer_api")
    op.execute("reset role")
