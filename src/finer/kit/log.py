"""The event log: record batches, durable and in order, from many writers to few readers.

A row of the log is a record batch of one tenant, never a single event: `count` events with the offsets
base_offset .. base_offset + count - 1 of their (stream, partition). Offsets are given out under the row lock of the
partition's head, so they have no gaps and become visible in order; a reader's position is one number.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import msgspec
import psycopg
import pyarrow as pa
import sqlalchemy as sa

from finer.kit.errors import Conflict

CHANNEL = "finer_log"
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


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
    """Arrow IPC stream of one record batch, LZ4-compressed."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=_OPTIONS) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())


def decode(payload: bytes) -> pa.RecordBatch:
    """The record batch of `encode`."""
    with pa.ipc.open_stream(payload) as reader:
        return reader.read_next_batch()


class PostgresLog:
    """The log in PostgreSQL tables. It takes the caller's connection, so an append commits with its effects."""

    @staticmethod
    def append(
        connection: sa.Connection, stream: str, partition: int, tenant: uuid.UUID, header: str, batch: pa.RecordBatch
    ) -> int:
        """Append one record batch in the caller's transaction; returns the offset of its first event."""
        row = connection.exec_driver_sql(
            "select kit_log_append(%s, %s, %s, %s, %s, %b)",
            (stream, partition, tenant, header, batch.num_rows, encode(batch)),
        ).one()
        return int(row[0])

    @staticmethod
    def read(connection: psycopg.Connection, positions: dict[Position, int], rows_max: int) -> list[LogRow]:
        """Up to `rows_max` rows of each position at or after its offset, in order; positions in the order given."""
        if not positions:
            return []
        one = (
            "(select stream, partition, base_offset, count, tenant_id, header,"
            " (extract(epoch from appended_at) * 1000000)::bigint, payload from kit_log"
            " where stream = %s and partition = %s and base_offset >= %s order by base_offset limit %s)"
        )
        arguments: list[object] = []
        for (stream, partition), offset in positions.items():
            arguments += [stream, partition, offset, rows_max]
        query = " union all ".join([one] * len(positions))
        cursor = connection.cursor(binary=True)
        return [LogRow(*row) for row in cursor.execute(query, arguments, prepare=True).fetchall()]

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
    def progress(connection: sa.Connection, consumer: str) -> dict[Position, tuple[int, int]]:
        """(head, consumed) of every stream and partition: both are next offsets."""
        rows = connection.exec_driver_sql(
            "select h.stream, h.partition, h.next_offset, coalesce(c.next_offset, 0) from kit_log_heads h "
            "left join kit_log_consumers c on c.name = %s and c.stream = h.stream and c.partition = h.partition",
            (consumer,),
        )
        return {(stream, partition): (head, consumed) for stream, partition, head, consumed in rows}

    @staticmethod
    def advance(connection: sa.Connection, consumer: str, position: Position, old: int, new: int) -> None:
        """Move a consumer in the transaction of its effects. Raises Conflict when another worker moved it first."""
        stream, partition = position
        done = connection.exec_driver_sql(
            "insert into kit_log_consumers as c (name, stream, partition, next_offset) values (%s, %s, %s, %s) "
            "on conflict (name, stream, partition) do update set next_offset = excluded.next_offset, "
            "updated_at = clock_timestamp() where c.next_offset = %s",
            (consumer, stream, partition, new, old),
        )
        if done.rowcount != 1:
            raise Conflict(
                f"Another worker has moved {stream}/{partition} of consumer {consumer!r} past offset {old}. "
                "This worker stops without writing; its supervisor starts it again at the right place."
            )


def announce(connection: psycopg.Connection, streams: Sequence[str]) -> None:
    """Wake the readers, after the commit: inside it, NOTIFY would serialise all committers."""
    connection.execute("select pg_notify(%s, %s)", (CHANNEL, ",".join(streams)))
