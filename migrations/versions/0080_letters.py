"""A row that is appended can carry itself to the worker."""

from __future__ import annotations

from alembic import op

revision = "0080_letters"
down_revision = "0079_forgotten"

# A notification holds less than 8,000 bytes, and text takes a third more than the bytes of a payload.
_APPEND = """
create function kit_log_append(
  p_stream text, p_partition int, p_tenant uuid, p_header text, p_count int, p_payload bytea, p_tell bool default false
)
returns bigint language plpgsql as $$
declare base bigint; appended timestamptz;
begin
  -- The head's row lock orders appends: offsets are gap-free and become visible in their order.
  update kit_log_heads set next_offset = next_offset + p_count
   where stream = p_stream and partition = p_partition returning next_offset - p_count into base;
  if base is null then
    insert into kit_log_heads (stream, partition, next_offset) values (p_stream, p_partition, 0)
      on conflict do nothing;
    update kit_log_heads set next_offset = next_offset + p_count
     where stream = p_stream and partition = p_partition returning next_offset - p_count into base;
  end if;
  appended := clock_timestamp();
  insert into kit_log (stream, partition, base_offset, count, tenant_id, header, appended_at, payload)
  values (p_stream, p_partition, base, p_count, p_tenant, p_header, appended, p_payload);
  if p_tell then
    perform pg_notify('finer_log', case when octet_length(p_payload) > 5000 then p_stream else
      concat_ws(E'\\n', p_stream, p_partition, base, p_count, p_tenant, p_header,
                (extract(epoch from appended) * 1000000)::bigint, encode(p_payload, 'base64')) end);
  end if;
  return base;
end $$
"""


def upgrade() -> None:
    """What asks as before gets what it got before: it tells nobody by itself."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute("drop function kit_log_append(text, int, uuid, text, int, bytea)")
    op.execute(_APPEND)
    op.execute("reset role")
