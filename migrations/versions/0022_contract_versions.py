"""Versions of contracts, firm by firm; and on every receipt the version that its records were held to."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0022_contract_versions"
down_revision = "0021_notifications"

_VERSIONS = """
create table ingest_contract_versions (
  tenant_id uuid not null,
  id uuid not null,
  contract text not null,
  version text not null,
  state text not null default 'draft',
  document text not null,
  revision integer not null default 1,
  note text not null,
  author text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  published_by text,
  published_at timestamptz,
  retired_at timestamptz,
  trial jsonb,
  constraint pk_ingest_contract_versions primary key (tenant_id, id),
  constraint ck_ingest_contract_versions_state check (state in ('draft', 'published', 'retired')),
  constraint ck_ingest_contract_versions_published check ((state = 'draft') = (published_at is null)),
  constraint ck_ingest_contract_versions_retired check ((state = 'retired') = (retired_at is not null))
)
"""
# Records in the log and in the lake name the version that they were held to, so what it says never changes again.
_KEEP = """
create function ingest_keep_contract_version() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if old.state <> 'draft' and (tg_op = 'DELETE' or new.state = 'draft' or row(new.contract, new.version, new.document,
     new.published_by, new.published_at) is distinct from row(old.contract, old.version, old.document,
     old.published_by, old.published_at)) then
    raise exception 'A version of a contract that was published is not changed any more.';
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end $$
"""


def upgrade() -> None:
    """Create the table of versions and the column of receipts."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(_VERSIONS)
    op.execute(
        "create unique index ix_ingest_contract_versions_published on ingest_contract_versions (tenant_id, contract) "
        "where state = 'published'"
    )
    op.execute(
        "create unique index ix_ingest_contract_versions_version on ingest_contract_versions "
        "(tenant_id, contract, version) where state <> 'draft'"
    )
    protect(op, "ingest_contract_versions", api="select, insert, update, delete", worker="select, update (trial)")
    op.execute(_KEEP)
    op.execute(
        "create trigger keep_contract_version before update or delete on ingest_contract_versions "
        "for each row execute function ingest_keep_contract_version()"
    )
    op.execute("alter table ingest_receipts add column contract_version text")
    op.execute("reset role")
