"""Rows of the event log that the pipeline failed on: how often, and those that were set aside."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0029_log_failures"
down_revision = "0028_workspace"

_TABLE = """
create table kit_log_failures (
  tenant_id uuid not null, stream text not null, partition integer not null, base_offset bigint not null,
  count integer not null, header text not null, error text not null, tries integer not null,
  failed_at timestamptz not null, set_aside_at timestamptz, appended_at timestamptz, payload bytea,
  constraint pk_kit_log_failures primary key (tenant_id, stream, partition, base_offset))
"""
# The worker cannot delete from the log; this moves one row, whole, and only where a failure of it was noted.
_SET_ASIDE = """
create function kit_log_set_aside(p_tenant uuid, p_stream text, p_partition int, p_base bigint) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  update public.kit_log_failures f
     set payload = l.payload, appended_at = l.appended_at, set_aside_at = clock_timestamp()
    from public.kit_log l
   where f.tenant_id = p_tenant and f.stream = p_stream and f.partition = p_partition and f.base_offset = p_base
     and l.tenant_id = p_tenant and l.stream = p_stream and l.partition = p_partition and l.base_offset = p_base;
  if not found then
    raise exception 'The log has no row %/% at offset % that failed.', p_stream, p_partition, p_base;
  end if;
  delete from public.kit_log l
   where l.tenant_id = p_tenant and l.stream = p_stream and l.partition = p_partition and l.base_offset = p_base;
end $$
"""
_COUNTS = """
create function kit_log_set_aside_counts() returns table (tenant_id uuid, log_rows bigint, records bigint)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select f.tenant_id, count(*), sum(f.count) from public.kit_log_failures f where f.set_aside_at is not null
   group by f.tenant_id $$
"""


def upgrade() -> None:
    """Create the table, its walls and its functions."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(_TABLE)
    protect(op, "kit_log_failures", worker="select, insert, update, delete")
    op.execute("create policy worker_reads_all on kit_log_failures for select to finer_worker using (true)")
    op.execute("create policy owner_counts on kit_log_failures for select to finer_owner using (true)")
    op.execute(_SET_ASIDE)
    op.execute(_COUNTS)
    for function in ("kit_log_set_aside(uuid, text, int, bigint)", "kit_log_set_aside_counts()"):
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"grant execute on function {function} to finer_worker")
    op.execute("grant execute on function kit_log_set_aside_counts() to finer_api")
    for table in ("ingest_receipts", "ingest_releases"):
        op.execute(f"grant update (first_offset) on {table} to finer_worker")
    op.execute("reset role")
