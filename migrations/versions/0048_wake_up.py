"""Runs know their queue and come back to it; sources can be woken, and know which of their files are still there."""

from __future__ import annotations

from alembic import op

revision = "0048_wake_up"
down_revision = "0047_screening"

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
    """Runs that exist are of the usual queue, no source was woken, and every file counts as seen now."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute("alter table kit_job_runs add column queue text not null default 'runs'")
    op.execute("alter table sources_sources add column woken_at timestamptz")
    op.execute("alter table sources_items add column seen_at timestamptz not null default now()")
    op.execute("create index ix_sources_items_seen_at on sources_items (tenant_id, source_id, seen_at)")
    op.execute("drop function sources_find_due(timestamptz)")
    op.execute(_DUE)
    op.execute("revoke all on function sources_find_due(timestamptz) from public")
    op.execute("grant execute on function sources_find_due(timestamptz) to finer_api")
    op.execute("reset role")
