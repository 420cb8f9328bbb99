"""Quarantine that can be mended: sealed records, edits, acts, and releases that the receipts account for."""

from __future__ import annotations

import uuid

import msgspec
import sqlalchemy as sa
from alembic import context, op

from finer.kit.actors import SYSTEM
from finer.kit.clock import SystemClock
from finer.kit.crypto.bulk import sealer
from finer.kit.crypto.fields import keyring
from finer.kit.db import begin_tenant
from finer.kit.migration import protect
from finer.kit.tx import Tx

revision = "0027_quarantine"
down_revision = "0026_sources"

_CHUNK = 5_000

# What changes while records are mended stands in rows that are short and have room beside them: a new state is then
# written into the same page and touches no index (HOT), which is what lets a million records be released in seconds.
_TABLES = """
create table ingest_quarantine_payloads (
  tenant_id uuid not null, id uuid not null, errors jsonb not null, raw_sha256 bytea not null, raw_sealed bytea,
  constraint pk_ingest_quarantine_payloads primary key (tenant_id, id));
create table ingest_quarantine_edits (
  tenant_id uuid not null, id uuid not null, record_sealed bytea not null,
  constraint pk_ingest_quarantine_edits primary key (tenant_id, id));
create table ingest_quarantine_acts (
  tenant_id uuid not null, id uuid not null, kind text not null, contract text not null, selection jsonb not null,
  assignments jsonb not null, reason text not null, state text not null default 'running', matched bigint not null,
  done bigint not null default 0, changed bigint not null default 0, failed jsonb not null default '{}',
  cursor uuid, last uuid, cancelled boolean not null default false, error text not null default '',
  actor_kind text not null, actor_id text not null, actor_name text not null, created_at timestamptz not null,
  finished_at timestamptz,
  constraint pk_ingest_quarantine_acts primary key (tenant_id, id),
  constraint ck_ingest_quarantine_acts_kind check (kind in ('edit', 'undo', 'release', 'discard')),
  constraint ck_ingest_quarantine_acts_state check (state in ('running', 'done', 'cancelled', 'failed')));
create table ingest_releases (
  tenant_id uuid not null, stream text not null, partition integer not null, first_offset bigint not null,
  logged integer not null, receipt_id uuid not null, act_id uuid not null, released_at timestamptz not null,
  constraint pk_ingest_releases primary key (tenant_id, stream, partition, first_offset),
  constraint ck_ingest_releases_logged check (logged > 0))
"""
_RECORDS = """
drop index ix_ingest_quarantined_records_cause;
alter table ingest_quarantined_records drop column raw, drop column raw_sha256, drop column errors,
  drop constraint ck_ingest_quarantined_records_state, add column act_id uuid, add column remaining jsonb,
  add column changed_at timestamptz, add constraint ck_ingest_quarantined_records_state
  check (state in ('open', 'edited', 'released', 'discarded')), set (fillfactor = 45);
create index ix_ingest_quarantined_records_cause on ingest_quarantined_records (tenant_id, contract, field, rule, id);
create index ix_ingest_releases_receipt on ingest_releases (tenant_id, receipt_id)
"""
_RECEIPTS = """
alter table ingest_receipts add column released integer not null default 0;
alter table ingest_receipts drop constraint ck_ingest_receipts_account;
alter table ingest_receipts add constraint ck_ingest_receipts_account
  check (received = logged + quarantined + released and released >= 0 and quarantined >= 0);
alter table ingest_rollups add column released bigint not null default 0
"""
# What a receipt says of broken fields no longer quotes a value that may say something of a person.
_PROBLEMS = """
update ingest_receipts set problems = (select coalesce(jsonb_agg(
  case when p ->> 'rule' in ('not_finite', 'range', 'timestamp_range')
       then p || jsonb_build_object('value', '', 'reason', (p ->> 'field') || ' is out of its range.')
       else p || '{"value": ""}' end), '[]') from jsonb_array_elements(problems) as p)
where tenant_id = %s and problems <> '[]'
"""
_OPEN_ERRORS = """
(select coalesce(jsonb_agg(case when e ->> 'rule' in ('not_finite', 'range', 'timestamp_range')
  then e || jsonb_build_object('value', '', 'reason', (e ->> 'field') || ' is out of its range.')
  else e || '{"value": ""}' end), '[]') from jsonb_array_elements(errors) as e)
"""

_MOVE = f"""
insert into ingest_quarantine_payloads (tenant_id, id, errors, raw_sha256, raw_sealed)
select r.tenant_id, r.id, {_OPEN_ERRORS}, r.raw_sha256, s.sealed from ingest_quarantined_records as r
join unnest(%s::uuid[], %s::bytea[]) as s(id, sealed) on s.id = r.id where r.tenant_id = %s
"""  # noqa: S608 - constants only


def upgrade() -> None:
    """Split the records into what changes and what is sealed; records that exist are sealed with the firm's keys."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    for statement in _TABLES.split(";\n"):
        op.execute(statement)
    everything = "select, insert, update, delete"
    protect(op, "ingest_quarantine_payloads", api=everything, worker=everything)
    protect(op, "ingest_quarantine_edits", api=everything, worker=everything)
    protect(op, "ingest_quarantine_acts", api="select, insert, update", worker=everything)
    protect(op, "ingest_releases", api="select, insert", worker="select, insert, delete")
    _seal_records(op.get_bind())
    for statement in (*_RECORDS.split(";\n"), *_RECEIPTS.split(";\n")):
        op.execute(statement)
    op.execute("grant update (quarantined, released) on ingest_receipts to finer_api, finer_worker")
    op.execute("grant update on ingest_quarantined_records to finer_worker")
    op.execute("reset role")


def _seal_records(connection: sa.Connection) -> None:
    firms = connection.exec_driver_sql("select id from identity_tenants").scalars().all()
    tx = Tx(connection, uuid.UUID(int=0), SYSTEM, SystemClock(), keys=context.config.attributes.get("keys"))
    for firm in firms:
        begin_tenant(connection, firm)
        connection.exec_driver_sql(_PROBLEMS, (firm,))
        if not connection.exec_driver_sql(
            "select exists (select from ingest_quarantined_records where tenant_id = %s)", (firm,)
        ).scalar_one():
            continue
        tx.tenant = firm
        keyring(tx).establish(tx)
        _seal_firm(tx, connection)


def _seal_firm(tx: Tx, connection: sa.Connection) -> None:
    seal = sealer(tx, "ingest_quarantine_payloads.raw_sealed").seal
    after = uuid.UUID(int=0)
    while True:
        rows = connection.exec_driver_sql(
            "select id, raw, errors, raw_sha256 from ingest_quarantined_records where tenant_id = %s and id > %s "
            "order by id limit %s",
            (tx.tenant, after, _CHUNK),
        ).all()
        if not rows:
            return
        after = rows[-1].id
        sealed = [
            seal(row.id, msgspec.msgpack.encode((bytes(row.raw), (), [(e["value"], e["reason"]) for e in row.errors])))
            for row in rows
        ]
        connection.exec_driver_sql(_MOVE, ([row.id for row in rows], sealed, tx.tenant))
