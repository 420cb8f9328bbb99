"""Running a query that a person wrote: in a disposable child process, within limits."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from finer.warehouse.errors import LakeUnavailable, SqlCancelled, SqlFailed, SqlNotAllowed, SqlTimeout, SqlTooLarge
from finer.warehouse.store.sandbox_pool import Sandboxes, Stop, kill_child, start_child, stop_child
from finer.warehouse.types import QueryCost, SqlResult, TableFiles

BYTES_MAX = 256 * 2**20
_SURROGATE = re.compile("[\ud800-\udfff]")
_STATEMENT_CHARACTERS_MAX = 100_000
_END_BYTES_MAX = 2**20  # a child says how it ended in far fewer
_HEAD = 5  # bytes of a frame's kind and length
_GRACE_S = 1.0


class SandboxLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one query may take: rows and bytes of the answer, memory in MB, wall clock in seconds, threads."""

    rows_max: int
    memory_mb: int
    timeout_s: float
    bytes_max: int = BYTES_MAX
    threads: int = 2


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One statement over exactly these tables.

    `shown` holds, by table and column, the SQL expression that takes the place of a column; `parameters` are bound to
    the statement's `$name`.
    """

    tables: Sequence[TableFiles]
    statement: str
    shown: Mapping[str, Mapping[str, str]] = {}
    parameters: Mapping[str, Any] = {}


def run_sandboxed(
    question: Question, limits: SandboxLimits, *, pool: Sandboxes | None = None, stop: Stop | None = None
) -> SqlResult:
    """Run one query. `stop` ends it from another thread; a `pool` has processes that are warm already.

    Raises SqlNotAllowed, SqlFailed, SqlTooLarge, SqlTimeout or SqlCancelled, each with a sentence for the person who
    wrote it.
    """
    length = len(question.statement)
    if length > _STATEMENT_CHARACTERS_MAX:
        raise SqlNotAllowed(f"A statement may have {_STATEMENT_CHARACTERS_MAX:,} characters; this has {length:,}.")
    if "\0" in question.statement:
        raise SqlNotAllowed("The statement holds a NUL character, behind which DuckDB would not read on. Take it out.")
    if _SURROGATE.search(question.statement):
        raise SqlNotAllowed("The statement holds a character that is not valid UTF-8. Take it out.")
    started = time.monotonic()
    child = pool.take() if pool is not None else start_child()
    stop = stop or Stop()
    try:
        if not stop.attach(lambda: kill_child(child)):
            raise SqlCancelled("The query was cancelled before it began.")
        body = msgspec.json.encode(_request(question, limits))
        stream, end = _exchange(child, body, limits, started + limits.timeout_s)
    finally:
        stop.detach()
        stop_child(child)
    if stop.stopped:
        raise SqlCancelled("The query was cancelled.")
    return _understand(stream, end, child.returncode, limits, time.monotonic() - started)


def _request(question: Question, limits: SandboxLimits) -> dict[str, Any]:
    return {
        "tables": [
            {
                "name": one.table.name,
                "columns": [
                    {
                        "name": column.name,
                        "type": column.type,
                        "shown": question.shown.get(one.table.name, {}).get(column.name),
                    }
                    for column in one.table.columns
                ],
                "files": one.files,
                "deletes": one.deletes,
                "partial": one.partial,
                "snapshot": one.snapshot,
            }
            for one in question.tables
        ],
        "statement": question.statement,
        "parameters": {name: _told(value) for name, value in question.parameters.items()},
        "rows_max": limits.rows_max,
        "bytes_max": limits.bytes_max,
        "memory_mb": limits.memory_mb,
        "cpu_s": limits.timeout_s * limits.threads + 1,
        "threads": limits.threads,
    }


def _told(value: Any) -> tuple[str, Any]:
    """A parameter's value with its kind, which JSON would lose."""
    if isinstance(value, datetime):
        return "timestamp", value.isoformat()
    return ("date", value.isoformat()) if isinstance(value, date) else ("plain", value)


def _exchange(
    child: subprocess.Popen[bytes], request: bytes, limits: SandboxLimits, deadline: float
) -> tuple[bytearray, dict[str, Any]]:
    """Send the request and collect the whole answer, however the child behaves: the Arrow stream, and its end."""
    assert child.stdin is not None  # noqa: S101 - Popen was given pipes
    assert child.stdout is not None  # noqa: S101
    try:
        child.stdin.write(len(request).to_bytes(8, "big") + request)
        child.stdin.close()
    except BrokenPipeError:
        # It died before it read the request; what its end says is what counts.
        pass
    stream, waiting = bytearray(), bytearray()
    end: dict[str, Any] = {"error": "died", "detail": ""}
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise SqlTimeout(
                    f"The query was stopped after {limits.timeout_s:g} s. Ask for less: a shorter time span, fewer "
                    "columns, or an aggregate."
                )
            chunk = os.read(child.stdout.fileno(), 2**20)
            if not chunk:
                child.wait(timeout=max(_GRACE_S, deadline - time.monotonic()))
                return stream, end
            waiting += chunk
            for kind, content in _frames(waiting, limits.bytes_max):
                if kind == b"E":
                    end = msgspec.json.decode(content)
                else:
                    stream += content
            if len(stream) > 2 * limits.bytes_max:
                raise SqlTooLarge("The answer is larger than one query may return. Add a LIMIT or aggregate.")


def _frames(waiting: bytearray, bytes_max: int) -> list[tuple[bytes, bytes]]:
    """The whole frames at the beginning of what came, which are taken out of it."""
    found, at = [], 0
    while len(waiting) - at >= _HEAD:
        kind, length = bytes(waiting[at : at + 1]), int.from_bytes(waiting[at + 1 : at + _HEAD], "big")
        if kind not in (b"A", b"E") or length > 2 * bytes_max + _END_BYTES_MAX:
            raise LakeUnavailable("The query's process answered with something else than an answer. Try again.")
        if len(waiting) - at - _HEAD < length:
            break
        found.append((kind, bytes(waiting[at + _HEAD : at + _HEAD + length])))
        at += _HEAD + length
    del waiting[:at]
    return found


def _understand(stream: bytearray, end: dict[str, Any], code: int, limits: SandboxLimits, seconds: float) -> SqlResult:
    match end.get("error"):
        case None:
            with pa.ipc.open_stream(pa.py_buffer(stream)) as reader:
                table = _with_unsigned(reader.read_all(), end["unsigned"])
            cost = msgspec.convert(end["cost"] | {"seconds": seconds}, QueryCost)
            return SqlResult(table=table, truncated=end["truncated"], seconds=seconds, cost=cost)
        case "not-allowed":
            raise SqlNotAllowed(end["detail"])
        case "failed":
            raise SqlFailed(f"DuckDB says: {end['detail']}")
        case "bytes":
            raise SqlTooLarge(f"The answer is larger than {limits.bytes_max >> 20} MB. Add a LIMIT or aggregate.")
        case "memory":
            raise SqlTooLarge(
                f"The query needs more than its {limits.memory_mb} MB of memory. Ask for fewer columns or groups."
            )
        case _ if code in (-signal.SIGXCPU, -signal.SIGKILL):
            raise SqlTimeout(f"The query used up its computing time of {limits.timeout_s:g} s on each processor.")
        case _:
            # A library that cannot get memory at a bad moment ends its process: the limit held.
            if code and code < 0:
                raise SqlTooLarge(
                    f"The query was stopped when it asked for more than its {limits.memory_mb} MB of memory."
                )
            raise LakeUnavailable(f"The query's process ended without an answer (exit status {code}). Try again.")


def _with_unsigned(table: pa.Table, columns: Sequence[int]) -> pa.Table:
    """The answer with these columns as unsigned integers of 128 bits: DuckDB gives the upper half as negative ones."""
    kind = pa.decimal256(40)
    zero, beyond = (pa.scalar(Decimal(value), kind) for value in (0, 1 << 128))
    for at in columns:
        signed = table.column(at).cast(kind)
        whole = pc.if_else(pc.less(signed, zero), pc.add(signed, beyond).cast(kind), signed)
        table = table.set_column(at, table.field(at).name, whole)
    return table
