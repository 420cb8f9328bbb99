"""Running a query that a person wrote: in a disposable child process, within limits."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from finer.warehouse.errors import LakeUnavailable, SqlFailed, SqlNotAllowed, SqlTimeout, SqlTooLarge
from finer.warehouse.types import SqlResult, TableFiles

_CHILD = Path(__file__).with_name("sandbox_child.py")
_BYTES_MAX = 256 * 2**20
_STATEMENT_CHARACTERS_MAX = 100_000
_SCRATCH_MB = 2048


class SandboxLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one query may take: rows and bytes of the answer, memory in MB, wall clock in seconds, threads."""

    rows_max: int
    memory_mb: int
    timeout_s: float
    bytes_max: int = _BYTES_MAX
    threads: int = 2


def run_sandboxed(tables: Sequence[TableFiles], statement: str, limits: SandboxLimits) -> SqlResult:
    """Run one query over exactly `tables`.

    Raises SqlNotAllowed, SqlFailed, SqlTooLarge or SqlTimeout, each with a sentence for the person who wrote it.
    """
    if len(statement) > _STATEMENT_CHARACTERS_MAX:
        raise SqlNotAllowed(
            f"A statement may have {_STATEMENT_CHARACTERS_MAX:,} characters; this has {len(statement):,}."
        )
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="finer-sql-") as scratch:
        request = _request(tables, statement, limits, scratch)
        child = subprocess.Popen(  # noqa: S603 - our own program, no shell
            # Isolated mode: neither PYTHON* variables nor the current folder reach the child.
            [sys.executable, "-I", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"HOME": scratch, "TMPDIR": scratch, "LANG": "C.UTF-8"},
            cwd=scratch,
            start_new_session=True,
        )
        try:
            output = _exchange(child, msgspec.json.encode(request), limits, started + limits.timeout_s)
        finally:
            _kill(child)
    return _understand(output, child.returncode, limits, time.monotonic() - started)


def _request(tables: Sequence[TableFiles], statement: str, limits: SandboxLimits, scratch: str) -> dict[str, Any]:
    return {
        "tables": [
            {
                "name": one.table.name,
                "columns": [{"name": column.name, "type": column.type} for column in one.table.columns],
                "files": one.files,
                "deletes": one.deletes,
                "partial": one.partial,
                "snapshot": one.snapshot,
            }
            for one in tables
        ],
        "statement": statement,
        "rows_max": limits.rows_max,
        "bytes_max": limits.bytes_max,
        "memory_mb": limits.memory_mb,
        "cpu_s": limits.timeout_s * limits.threads + 1,
        "threads": limits.threads,
        "scratch": scratch,
        "scratch_mb": _SCRATCH_MB,
    }


def _exchange(child: subprocess.Popen[bytes], request: bytes, limits: SandboxLimits, deadline: float) -> bytes:
    """Send the request and collect the whole answer, however the child behaves."""
    assert child.stdin is not None  # noqa: S101 - Popen was given pipes
    assert child.stdout is not None  # noqa: S101
    try:
        child.stdin.write(request)
        child.stdin.close()
    except BrokenPipeError:
        # It died before it read the request; what its end says is what counts.
        pass
    received = bytearray()
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
                child.wait(timeout=max(1.0, deadline - time.monotonic()))
                return bytes(received)
            received += chunk
            if len(received) > 2 * limits.bytes_max + 2**20:
                raise SqlTooLarge("The answer is larger than one query may return. Add a LIMIT or aggregate.")


def _kill(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()


def _understand(output: bytes, code: int, limits: SandboxLimits, seconds: float) -> SqlResult:
    line, _, body = output.partition(b"\n")
    header: dict[str, Any] = msgspec.json.decode(line) if line.startswith(b"{") else {"error": "died", "detail": ""}
    match header.get("error"):
        case None:
            with pa.ipc.open_stream(body) as reader:
                return SqlResult(table=reader.read_all(), truncated=header["truncated"], seconds=seconds)
        case "not-allowed":
            raise SqlNotAllowed(header["detail"])
        case "failed":
            raise SqlFailed(f"DuckDB says: {header['detail']}")
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
