"""How many events of a firm wait in the log that it shares with others."""

from __future__ import annotations

from alembic import op

revision = "0056_walls"
down_revision = "0055_boards"

# The API may not read the log. The function may, as its owner, whom row-level security holds to the caller's firm.
_WAITING = """
create function kit_log_waiting(p_consumer text) returns bigint
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select coalesce(sum(waiting.events), 0)::bigint
    from public.kit_log_heads h
    left join public.kit_log_consumers c
      on c.name = p_consumer and c.stream = h.stream and c.partition = h.partition
   cross join lateral (
     select sum(l.count) as events from public.kit_log l
      where l.stream = h.stream and l.partition = h.partition and l.base_offset >= coalesce(c.next_offset, 0)) waiting
   where h.next_offset > coalesce(c.next_offset, 0) $$
"""


def upgrade() -> None:
    """Create the function; no row changes."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(_WAITING)
    op.execute("revoke all on function kit_log_waiting(text) from public")
    op.execute("grant execute on function kit_log_waiting(text) to finer_api, finer_worker")
    op.execute("reset role")
