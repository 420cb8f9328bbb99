"""The event log: record batches, durable and in order, from many writers to few readers.

A row of the log is a record batch of one tenant, never a single event: `count` events with the offsets
base_offset .. base_offset + count - 1 of their (stream, partition). Offsets are given out under the row lock of the
partition's head, so they have no gaps and become visible in order; a reader's position is one number.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec
import psycopg
import pyarrow as pa
import sqlalchemy as sa
from psycopg.adapt import Transformer

from finer.kit.db import checked, many_rows
from finer.kit.tx import Tx

CHANNEL = "finer_log"
_WAITS = """
select 1 from kit_log_heads h
left join kit_log_consumers c on c.name = %s and c.stream = h.stream and c.partition = h.partition
cross join lateral (
  select 1 from kit_log l
  where l.stream = h.stream and l.partition = h.partition and l.base_offset >= coalesce(c.next_offset, 0)
    and l.tenant_id = %s
  limit 1
) waiting
where h.stream = %s limit 1
"""
_READ = """
select l.stream, l.partition, l.base_offset, l.count, l.tenant_id, l.header,
       (extract(epoch from l.appended_at) * 1000000)::bigint, l.payload
from kit_log_heads as h
left join unnest($1::text[], $2::int[], $3::bigint[]) as o(stream, partition, reached)
  on o.stream = h.stream and o.partition = h.partition
cross join lateral (
  select * from kit_log where kit_log.stream = h.stream and kit_log.partition = h.partition
    and base_offset >= coalesce(o.reached, 0) order by base_offset limit $4::int) as l
where h.next_offset > coalesce(o.reached, 0)
order by l.stream, l.partition, l.base_offset
"""
_PAYLOADS = (
    "select base_offset, payload from kit_log where tenant_id = %(tenant)s and stream = %(stream)s "
    "and partition = %(partition)s and base_offset >= %(first)s and base_offset < %(end)s "
    "order by base_offset limit %(limit)s"
)
_PAYLOADS_AT_ONCE = 16
# Handing buffers to a pool of threads costs a small batch more than it saves, and so does compressing each of them.
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
_READ_OPTIONS = pa.ipc.IpcReadOptions(use_threads=False)
_COMPRESSED_FROM = 32_768  # bytes
_END = b"\xff\xff\xff\xff\0\0\0\0"
"""How a stream of Arrow IPC ends."""
_PACKED = b"LZ4\0"
"""How a small payload begins that is compressed as a whole; a stream of Arrow IPC begins with four bytes 255."""
_LZ4 = pa.Codec("lz4_raw")


class LogRow(msgspec.Struct, frozen=True):
    """One record batch in the log. `header` names the schema, e.g. `transaction/1.0.0`."""

    stream: str
    partition: int
    base_offset: int
    count: int
    tenant: uuid.UUID
    header: str
    appended_at_us: int
    payload: bytes


Position = tuple[str, int]
"""A stream and a partition of it."""


def encode(batch: pa.RecordBatch) -> bytes:
    """Arrow IPC stream of one record batch: its buffers are LZ4-compressed, or the whole of it where it is small.

    Half of a record alone is its schema. Whatever is below two kilobytes, PostgreSQL keeps in the row.
    """
    # `batch.nbytes` costs as much as all the rest together.
    if pa.ipc.get_record_batch_size(batch) < _COMPRESSED_FROM:
        # The same bytes as those of a stream writer, which costs four times as much for a few records.
        stream = b"".join((batch.schema.serialize(), batch.serialize(), _END))
        return b"".join((_PACKED, len(stream).to_bytes(4, "little"), _LZ4.compress(stream, asbytes=True)))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=_COMPRESSED) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())


def decode(payload: bytes) -> pa.RecordBatch:
    """The record batch of `encode`."""
    with pa.ipc.open_stream(_stream(payload), options=_READ_OPTIONS) as reader:
        return reader.read_next_batch()


def _stream(payload: bytes) -> pa.Buffer:
    whole = pa.py_buffer(payload)
    if not payload.startswith(_PACKED):
        return whole
    return _LZ4.decompress(whole.slice(8), int.from_bytes(payload[4:8], "little"))


def decode_columns(payloads: Sequence[bytes], wanted: Collection[str]) -> pa.RecordBatch:
    """The rows of rows of one header, one behind the other, with those of the wanted columns that they have.

    What is not wanted is not unpacked.
    """
    streams = [_stream(payload) for payload in payloads]
    with pa.ipc.open_stream(streams[0], options=_READ_OPTIONS) as reader:
        there = {name: place for place, name in enumerate(reader.schema.names) if name in wanted}
    # Without any place, Arrow would take all.
    options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=list(there.values()) or [0])
    batches = []
    for stream in streams:
        with pa.ipc.open_stream(stream, options=options) as reader:
            batches.append(reader.read_next_batch())
    return pa.concat_batches(batches).select(list(there))


class PostgresLog:
    """The log in PostgreSQL tables. It takes the caller's connection, so an append commits with its effects."""

    APPEND = "kit_log_append(%(stream)s, %(partition)s, %(tenant)s, %(header)s, %(count)s, %(payload)b, %(tell)s)"
    """The append as an SQL expression, for a statement that goes on with the offset of the first event."""

    @staticmethod
    def append_parameters(
        stream: str, partition: int, tenant: uuid.UUID, header: str, batch: pa.RecordBatch, *, tell: bool = False
    ) -> dict[str, object]:
        """What `APPEND` stands on.

        With `tell` the append notifies `CHANNEL` itself, and a small row is in the notification.
        """
        return {
            "stream": stream, "partition": partition, "tenant": tenant, "header": header, "count": batch.num_rows,
            "payload": encode(batch), "tell": tell,
        }  # fmt: skip

    @staticmethod
    def append(
        connection: sa.Connection, stream: str, partition: int, tenant: uuid.UUID, header: str, batch: pa.RecordBatch
    ) -> int:
        """Append one record batch in the caller's transaction; returns the offset of its first event."""
        parameters = PostgresLog.append_parameters(stream, partition, tenant, header, batch)
        return int(connection.exec_driver_sql(f"select {PostgresLog.APPEND}", parameters).scalar_one())

    @staticmethod
    def identity(connection: psycopg.Connection) -> str:
        """What tells this log from that of any other database: made once, and carried along by backups and copies."""
        row = connection.execute("select id::text from kit_log_identity").fetchone()
        if row is None:
            raise LookupError("kit_log_identity is empty: the database was not wholly restored. Restore it again.")
        return str(row[0])

    @staticmethod
    def heads(connection: psycopg.Connection) -> dict[Position, int]:
        """The next offset of every stream and partition."""
        rows = connection.execute("select stream, partition, next_offset from kit_log_heads").fetchall()
        return {(stream, partition): offset for stream, partition, offset in rows}

    @staticmethod
    def consumed(connection: psycopg.Connection, consumer: str) -> dict[Position, int]:
        """How far a consumer has come: its next offset for every stream and partition."""
        rows = connection.execute(
            "select stream, partition, next_offset from kit_log_consumers where name = %s", (consumer,)
        ).fetchall()
        return {(stream, partition): offset for stream, partition, offset in rows}

    @staticmethod
    def held(tx: Tx, consumer: str, stream: str) -> dict[int, int]:
        """How far a consumer has come in a stream, by partition; nobody moves it there before the transaction ends.

        A partition that it has never come to is not held.
        """
        rows = tx.connection.exec_driver_sql(
            "select partition, next_offset from kit_log_consumers where name = %s and stream = %s "
            "order by partition for update",
            (consumer, stream),
        )
        return {row.partition: row.next_offset for row in rows}

    @staticmethod
    def tenant_ends(connection: psycopg.Connection) -> list[tuple[uuid.UUID, str, int, int]]:
        """(tenant, stream, partition, offset after its last event) of every tenant in the log."""
        return connection.execute(
            "select tenant_id, stream, partition, max(base_offset + count) from kit_log group by 1, 2, 3"
        ).fetchall()

    @staticmethod
    def first_of(connection: psycopg.Connection, tenant: uuid.UUID, position: Position, offset: int) -> int:
        """The base offset of a tenant's first row that holds events at or after `offset`; `offset` without one."""
        row = connection.execute(
            "select min(base_offset) from kit_log where tenant_id = %s and stream = %s and partition = %s "
            "and base_offset + count > %s",
            (tenant, *position, offset),
        ).fetchone()
        return offset if row is None or row[0] is None else int(row[0])

    @staticmethod
    def appended_at_us(connection: psycopg.Connection, position: Position, base_offset: int) -> int | None:
        """When the row that begins at an offset was appended; None where the log holds no such row."""
        row = connection.execute(
            "select (extract(epoch from appended_at) * 1000000)::bigint from kit_log "
            "where stream = %s and partition = %s and base_offset = %s",
            (*position, base_offset),
        ).fetchone()
        return None if row is None else int(row[0])

    @staticmethod
    def payloads(tx: Tx, position: Position, first: int, end: int) -> Iterator[bytes]:
        """The payloads of the tenant's rows that begin at offsets from `first` to before `end`, in their order."""
        given: dict[str, object] = {"tenant": tx.tenant, "stream": position[0], "partition": position[1], "end": end}
        while True:
            rows = many_rows(tx.connection, _PAYLOADS, given | {"first": first, "limit": _PAYLOADS_AT_ONCE})
            yield from (payload for _, payload in rows)
            if len(rows) < _PAYLOADS_AT_ONCE:
                return
            first = rows[-1][0] + 1

    @staticmethod
    def progress(connection: sa.Connection, consumer: str) -> dict[Position, tuple[int, int]]:
        """(head, consumed) of every stream and partition: both are next offsets."""
        rows = connection.exec_driver_sql(
            "select h.stream, h.partition, h.next_offset, coalesce(c.next_offset, 0) from kit_log_heads h "
            "left join kit_log_consumers c on c.name = %s and c.stream = h.stream and c.partition = h.partition",
            (consumer,),
        )
        return {(stream, partition): (head, consumed) for stream, partition, head, consumed in rows}

    @staticmethod
    def begins(connection: psycopg.Connection, consumed: dict[Position, int]) -> dict[Position, int]:
        """The first offset that the log still holds of every position, what was consumed where it holds nothing."""
        rows = connection.execute("select stream, partition, min(base_offset) from kit_log group by 1, 2").fetchall()
        return consumed | {(stream, partition): offset for stream, partition, offset in rows}

    @staticmethod
    def waiting(connection: sa.Connection, consumer: str) -> int:
        """Events of the transaction's tenant, in any stream, that a consumer has not come to."""
        return int(connection.exec_driver_sql("select kit_log_waiting(%s)", (consumer,)).scalar_one())

    @staticmethod
    def waits(connection: sa.Connection, tenant: uuid.UUID, stream: str, consumer: str) -> bool:
        """Whether rows of a tenant in a stream wait for a consumer; for the worker's role."""
        found = connection.exec_driver_sql(_WAITS, (consumer, tenant, stream))
        return found.first() is not None

    @staticmethod
    def advance(tx: Tx, consumer: str, position: Position, old: int, new: int) -> None:
        """Move a consumer in the transaction of its effects.

        The transaction ends with a Conflict, and nothing of it stays, when another worker moved the consumer first.
        """
        tx.write("select kit_log_advance(%s, %s, %s, %s, %s)", (consumer, *position, old, new))


class LogReader:
    """Reads the log on one connection, which may listen to notifications meanwhile.

    A worker reads for every decision that somebody waits for, so the query is prepared once and asked of the server
    without the driver's own machinery.
    """

    _NAME = b"finer_log_read"

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self._positions: tuple[Position, ...] | None = None
        self._named: list[bytes] = []
        self._transformer = Transformer(connection)

    def read(self, offsets: dict[Position, int], rows_max: int) -> list[LogRow]:
        """Up to `rows_max` rows of every position at or after its offset (0 when not given), in order.

        Raises DatabaseError when the server refuses or has closed the connection.
        """
        pgconn = self.connection.pgconn
        if self._positions is None:
            checked(pgconn, pgconn.prepare(self._NAME, _READ.encode()))
        positions = tuple(offsets)
        if positions != self._positions:
            self._positions = positions
            self._named = [_array([stream for stream, _ in positions]), _array([at for _, at in positions])]
        values = [*self._named, _array(list(offsets.values())), str(rows_max).encode()]
        result = checked(pgconn, pgconn.exec_prepared(self._NAME, values, None, psycopg.pq.Format.BINARY))
        self._transformer.set_pgresult(result, set_loaders=True, format=psycopg.pq.Format.BINARY)
        return [LogRow(*row) for row in self._transformer.load_rows(0, result.ntuples, tuple)]

    @staticmethod
    def told(payloads: Iterable[str], offsets: Mapping[Position, int]) -> list[LogRow]:
        """The rows that notifications of `CHANNEL` carried, in order; none unless they are all that there is to read.

        Each has to begin where `offsets`, or the one before it, ends.
        """
        reached = dict(offsets)
        rows: list[LogRow] = []
        for payload in payloads:
            row = _carried(payload)
            if row is None:
                return []
            position = (row.stream, row.partition)
            at = reached.get(position, 0)
            if row.base_offset > at:
                return []
            if row.base_offset == at:
                rows.append(row)
                reached[position] = at + row.count
        return rows


def _carried(payload: str) -> LogRow | None:
    stream, *parts = payload.split("\n", 7)
    if not parts:
        return None
    partition, base_offset, count, tenant, header, appended_at_us, content = parts
    return LogRow(
        stream, int(partition), int(base_offset), int(count), uuid.UUID(tenant), header, int(appended_at_us),
        base64.b64decode(content),
    )  # fmt: skip


def _array(values: list[str] | list[int]) -> bytes:
    """An array in the server's text format, which quotes a name as JSON does, but for control characters."""
    return b"{" + msgspec.json.encode(values)[1:-1] + b"}"
