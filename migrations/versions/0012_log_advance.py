"""A consumer is moved by one function, so that a transaction sent in one round trip fails when it must."""

from __future__ import annotations

from alembic import op

revision = "0012_log_advance"
down_revision = "0011_audit"

# FN409 is the SQLSTATE that the program tells its caller as a conflict (finer.kit.db).
_ADVANCE = """
create function kit_log_advance(p_name text, p_stream text, p_partition int, p_old bigint, p_new bigint)
returns void language plpgsql as $$
begin
  insert into kit_log_consumers as c (name, stream, partition, next_offset)
  values (p_name, p_stream, p_partition, p_new)
  on conflict (name, stream, partition) do update
    set next_offset = excluded.next_offset, updated_at = clock_timestamp() where c.next_offset = p_old;
  if not found then
    raise exception 'Another worker has moved %/% of consumer % past offset %. This worker stops without writing; '
      'its supervisor starts it again at the right place.', p_stream, p_partition, p_name, p_old
      using errcode = 'FN409';
  end if;
end $$
"""


def upgrade() -> None:
    """Create the function; it runs with its caller's rights."""
    op.execute("set local role finer_owner")
    op.execute(_ADVANCE)
    op.execute("revoke all on function kit_log_advance(text, text, int, bigint, bigint) from public")
    op.execute("grant execute on function kit_log_advance(text, text, int, bigint, bigint) to finer_worker")
    op.execute("reset role")
