"""The audit chain in the database: what waits, seals, heads, and rows as the chain reads them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from finer.identity.rules.chain import genesis
from finer.identity.tables.audit import heads, seals, verifications, waiting
from finer.identity.types.audit import ChainFinding, SignedHead, Verification
from finer.kit.copy_out import copy_out
from finer.kit.tx import Tx

# The canonical line of an entry: these fields in this order, in COPY's text format (tab-separated, backslash escapes).
_LINE = """
e.id, (extract(epoch from e.at) * 1000000)::bigint, e.actor_kind, e.actor_id, e.actor_name, e.actor_role, e.action,
e.subject, e.outcome, e.origin, e.user_agent, e.session, e.request, e.detail::text
"""
_WAITING = f"""
copy (select e.id, {_LINE} from identity_audit_waiting w
        join identity_audit_entries e on e.tenant_id = w.tenant_id and e.id = w.entry_id
       where w.tenant_id = '{{}}'::uuid order by e.at, e.id limit {{:d}}) to stdout
"""  # noqa: S608 - our own column list
_SEALED = f"""
copy (select s.sequence, encode(s.hash, 'hex'), s.entry_id, {_LINE} from identity_audit_seals s
        left join identity_audit_entries e on e.tenant_id = s.tenant_id and e.id = s.entry_id
       where s.tenant_id = '{{}}'::uuid and s.sequence > {{:d}} and s.sequence <= {{:d}} order by s.sequence) to stdout
"""  # noqa: S608 - our own column list
# One sealer for each firm at a time, wherever it runs; who comes second leaves the work to the first.
_LOCK = "select pg_try_advisory_xact_lock(hashtextextended('finer audit chain ' || %s, 0))"
_UNSEALED = """
select e.id from identity_audit_entries e
 where e.tenant_id = %s and e.at >= %s and e.at < %s
   and not exists (select from identity_audit_seals s where s.tenant_id = e.tenant_id and s.entry_id = e.id)
 order by e.at limit %s
"""
_ALONG_INDEXES = """
select set_config('enable_hashjoin', 'off', true), set_config('enable_sort', 'off', true),
       set_config('max_parallel_workers_per_gather', '0', true)
"""
_VANISHED = """
select w.entry_id from identity_audit_waiting w
 where w.tenant_id = %s
   and not exists (select from identity_audit_entries e where e.tenant_id = w.tenant_id and e.id = w.entry_id)
 order by w.entry_id limit %s
"""


class ChainStore:
    """The chain of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def tenants_waiting(self) -> list[uuid.UUID]:
        """Every tenant with entries to seal; for the worker, whatever tenant the transaction is about."""
        return list(
            self._connection.exec_driver_sql("select tenant_id from identity_audit_tenants_waiting()").scalars()
        )

    def lock(self) -> bool:
        """Whether this transaction may seal; at its end another one may."""
        return bool(self._connection.exec_driver_sql(_LOCK, (str(self._tenant),)).scalar_one())

    def end(self) -> tuple[int, bytes]:
        """The last sequence and its hash; 0 and the genesis for a chain that has not begun."""
        row = self._connection.execute(
            sa.select(seals.c.sequence, seals.c.hash)
            .where(seals.c.tenant_id == self._tenant)
            .order_by(seals.c.sequence.desc())
            .limit(1)
        ).one_or_none()
        return (0, genesis(self._tenant)) if row is None else (row.sequence, bytes(row.hash))

    def hashes(self, sequences: Sequence[int]) -> dict[int, bytes]:
        """The stored hash at each of these sequences, those that exist."""
        found = self._connection.exec_driver_sql(
            "select sequence, hash from identity_audit_seals where tenant_id = %s and sequence = any(%s::bigint[])",
            (self._tenant, list(sequences)),
        )
        return {row.sequence: bytes(row.hash) for row in found}

    def waiting_lines(self, limit: int) -> list[tuple[uuid.UUID, bytes]]:
        """(id, canonical line) of entries that wait for their seal, in the order of their time."""
        rows = self._copied(_WAITING, limit)
        return [(uuid.UUID(row[:36].decode()), row[37:]) for row in rows]

    def add_seals(self, sealed: Sequence[tuple[int, uuid.UUID, bytes]], now: datetime) -> None:
        """Seal entries: (sequence, entry, hash) each; they wait no longer."""
        numbers, entries, hashes = ([one[place] for one in sealed] for place in range(3))
        self._connection.exec_driver_sql(
            "insert into identity_audit_seals (tenant_id, sequence, entry_id, hash, sealed_at) "
            "select %s, s, e, h, %s from unnest(%s::bigint[], %s::uuid[], %s::bytea[]) as u (s, e, h)",
            (self._tenant, now, numbers, entries, hashes),
        )
        self._connection.exec_driver_sql(
            "delete from identity_audit_waiting where tenant_id = %s and entry_id = any(%s::uuid[])",
            (self._tenant, entries),
        )

    def sealed_rows(self, after: int, until: int) -> Iterator[bytes]:
        """Sealed rows with `after` < sequence <= `until`, in order, as `Walk` reads them."""
        # Row by row along two indexes: a hash join would read the whole trail for each stretch of it.
        self._connection.exec_driver_sql(_ALONG_INDEXES)
        return self._copied(_SEALED, after, until)

    def _copied(self, statement: str, *numbers: int) -> Iterator[bytes]:
        driver: Any = self._connection.connection.driver_connection
        # COPY takes no parameters: what is written into it are a UUID and whole numbers.
        return copy_out(driver, statement.format(self._tenant, *numbers))

    def waiting(self) -> int:
        """How many entries wait for their seal."""
        query = sa.select(sa.func.count()).where(waiting.c.tenant_id == self._tenant)
        return int(self._connection.execute(query).scalar_one())

    def unsealed(self, since: datetime, before: datetime, limit: int) -> list[uuid.UUID]:
        """Entries of that time that have no seal: there should be none."""
        return list(self._connection.exec_driver_sql(_UNSEALED, (self._tenant, since, before, limit)).scalars())

    def vanished(self, limit: int) -> list[uuid.UUID]:
        """Entries that wait for their seal and are not there: deleted before anything showed it."""
        return list(self._connection.exec_driver_sql(_VANISHED, (self._tenant, limit)).scalars())

    def add_head(self, head: SignedHead) -> None:
        """A signed head."""
        self._connection.execute(
            heads.insert().values(**{name: getattr(head, name) for name in head.__struct_fields__})
        )

    def heads(self, after: int = 0) -> list[SignedHead]:
        """Signed heads beyond a sequence, in order."""
        query = sa.select(heads).where(heads.c.tenant_id == self._tenant, heads.c.sequence > after)
        return [_head(row) for row in self._connection.execute(query.order_by(heads.c.sequence))]

    def last_head(self) -> SignedHead | None:
        """The latest signed head."""
        query = sa.select(heads).where(heads.c.tenant_id == self._tenant).order_by(heads.c.sequence.desc()).limit(1)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _head(row)

    def add_verification(self, run: Verification) -> None:
        """A run that begins."""
        self._connection.execute(verifications.insert().values(tenant_id=self._tenant, **_fields(run)))

    def update_verification(self, run: Verification) -> None:
        """How far it has come."""
        mine = (verifications.c.tenant_id == self._tenant) & (verifications.c.id == run.id)
        changed = {
            name: value
            for name, value in _fields(run).items()
            if name in ("checked", "last_sequence", "last_hash", "finished_at", "findings")
        }
        self._connection.execute(verifications.update().where(mine).values(**changed))

    def verification(self, identifier: uuid.UUID | None = None, *, finished: bool = False) -> Verification | None:
        """A run by its id, or the latest one."""
        query = sa.select(verifications).where(verifications.c.tenant_id == self._tenant)
        if identifier is not None:
            query = query.where(verifications.c.id == identifier)
        if finished:
            query = query.where(verifications.c.finished_at.is_not(None))
        query = query.order_by(verifications.c.asked_at.desc(), verifications.c.id.desc()).limit(1)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        fields = {name: getattr(row, name) for name in Verification.__struct_fields__}
        fields["findings"] = msgspec.convert(fields["findings"], list[ChainFinding])
        return Verification(**fields)


def _fields(run: Verification) -> dict[str, Any]:
    fields = {name: getattr(run, name) for name in Verification.__struct_fields__}
    return fields | {"findings": msgspec.to_builtins(run.findings)}


def _head(row: sa.Row[Any]) -> SignedHead:
    fields = {name: getattr(row, name) for name in SignedHead.__struct_fields__}
    return SignedHead(**fields | {"hash": bytes(row.hash), "signature": bytes(row.signature)})


class HeadFiles:
    """Signed heads as lines of JSON in files, a folder for each firm and a file for each month."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def append(self, head: SignedHead) -> None:
        """Add a line, durable when this returns. Raises OSError."""
        folder = self._folder / head.tenant_id.hex
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{head.signed_at:%Y-%m}.jsonl").open("ab") as file:
            file.write(msgspec.json.encode(head) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self, tenant: uuid.UUID) -> tuple[list[SignedHead], int]:
        """The heads of a firm, and how many lines could not be read."""
        found: list[SignedHead] = []
        bad = 0
        for file in sorted((self._folder / tenant.hex).glob("*.jsonl")):
            for line in file.read_bytes().splitlines():
                try:
                    found.append(msgspec.json.decode(line, type=SignedHead))
                except msgspec.DecodeError:
                    bad += 1
        return found, bad
