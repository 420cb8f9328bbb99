"""Roles, the event log, and the job queue."""

from __future__ import annotations

from alembic import op
from procrastinate.schema import SchemaManager

from finer.kit.migration import protect

revision = "0001_kit"
down_revision = None

_ROLES = ("finer_owner", "finer_api", "finer_worker", "finer_lake")

_APPEND = """
create function kit_log_append(
  p_stream text, p_partition int, p_tenant uuid, p_header text, p_count int, p_payload bytea
)
returns bigint language plpgsql as $$
declare base bigint;
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
  insert into kit_log (stream, partition, base_offset, count, tenant_id, header, appended_at, payload)
  values (p_stream, p_partition, base, p_count, p_tenant, p_header, clock_timestamp(), p_payload);
  return base;
end $$
"""

_ADD_PARTITION = """
create function kit_log_add_partition(p_day date) returns void language plpgsql
security definer set search_path = pg_catalog, public as $$
declare part text := 'kit_log_p_' || to_char(p_day, 'YYYYMMDD');
begin
  if to_regclass('public.' || part) is not null then return; end if;
  execute format('create table public.%I partition of public.kit_log for values from (%L) to (%L)',
                 part, p_day::timestamp at time zone 'UTC', (p_day + 1)::timestamp at time zone 'UTC');
  execute format('alter table public.%I alter column payload set storage external', part);
  execute format('alter table public.%I enable row level security', part);
  execute format('alter table public.%I force row level security', part);
end $$
"""

_DROP_PARTITIONS = """
create function kit_log_drop_partitions(p_before date) returns int language plpgsql
security definer set search_path = pg_catalog, public as $$
declare part text; dropped int := 0;
begin
  for part in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
               where i.inhparent = 'public.kit_log'::regclass and c.relname ~ '^kit_log_p_[0-9]{8}$'
                 and to_date(right(c.relname, 8), 'YYYYMMDD') < p_before loop
    execute format('drop table public.%I', part);
    dropped := dropped + 1;
  end loop;
  return dropped;
end $$
"""


def upgrade() -> None:
    """Create everything that kit itself keeps in the database."""
    op.execute("set local lock_timeout = '5s'")
    for role in _ROLES:
        op.execute(
            f"do $$ begin if not exists (select from pg_roles where rolname = '{role}') then "
            f"create role {role} login nosuperuser nobypassrls nocreatedb nocreaterole; end if; end $$"
        )
        op.execute(f"grant {role} to current_user")
        op.execute(f"do $$ begin execute format('grant connect on database %I to {role}', current_database()); end $$")
        op.execute(f"grant usage on schema public to {role}")
    op.execute("do $$ begin execute format('grant create on database %I to finer_lake', current_database()); end $$")
    op.execute("do $$ begin execute format('grant create on database %I to finer_owner', current_database()); end $$")
    op.execute("grant create on schema public to finer_owner")
    op.execute("revoke create on schema public from public")
    op.execute("grant select on alembic_version to finer_api, finer_worker")
    op.execute("set local role finer_owner")
    _log()
    _jobs()
    op.execute("reset role")


def _log() -> None:
    op.execute(
        "create table kit_log_heads (stream text not null, partition int not null, next_offset bigint not null, "
        "primary key (stream, partition)) with (fillfactor = 10)"
    )
    op.execute(
        "create table kit_log_consumers (name text not null, stream text not null, partition int not null, "
        "next_offset bigint not null, updated_at timestamptz not null default now(), "
        "primary key (name, stream, partition)) with (fillfactor = 10)"
    )
    op.execute(
        "create table kit_log (stream text not null, partition int not null, base_offset bigint not null, "
        "count int not null, tenant_id uuid not null, header text not null, appended_at timestamptz not null, "
        "payload bytea not null, primary key (stream, partition, base_offset, appended_at)) "
        "partition by range (appended_at)"
    )
    # Record batches are compressed already: neither compressing them again nor keeping them in the row pays.
    op.execute("alter table kit_log alter column payload set storage external")
    op.execute("create table kit_log_p_default partition of kit_log default")
    op.execute("alter table kit_log_p_default enable row level security")
    op.execute("alter table kit_log_p_default force row level security")
    protect(op, "kit_log", api="insert", worker="select, insert")
    op.execute("create policy worker_reads_all on kit_log for select to finer_worker using (true)")
    op.execute("grant select, insert, update on kit_log_heads to finer_api, finer_worker")
    op.execute("grant select on kit_log_consumers to finer_api")
    op.execute("grant select, insert, update on kit_log_consumers to finer_worker")
    for function in (_APPEND, _ADD_PARTITION, _DROP_PARTITIONS):
        op.execute(function)
    op.execute("revoke all on function kit_log_add_partition(date), kit_log_drop_partitions(date) from public")
    op.execute("grant execute on function kit_log_add_partition(date), kit_log_drop_partitions(date) to finer_worker")


def _jobs() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    op.execute(
        "do $$ declare t text; begin "
        "for t in select relname from pg_class where relname like 'procrastinate\\_%' "
        "and relkind in ('r', 'p') and relnamespace = 'public'::regnamespace loop "
        "execute format('grant select, insert, update, delete on %I to finer_worker', t); end loop; "
        "for t in select relname from pg_class where relname like 'procrastinate\\_%' "
        "and relkind = 'S' and relnamespace = 'public'::regnamespace loop "
        "execute format('grant usage, select on %I to finer_api, finer_worker', t); end loop; end $$"
    )
    op.execute("grant select, insert on procrastinate_jobs to finer_api")
    op.execute("grant insert on procrastinate_events to finer_api")
