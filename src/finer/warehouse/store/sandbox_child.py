"""The disposable process that runs one query which a person wrote. Started by path, never imported by Finer.

It loads what it needs while nobody waits, then reads one JSON request on standard input: {tables, statement,
parameters, rows_max, bytes_max, memory_mb, cpu_s, threads}. It answers on standard output in frames, each one byte of
kind, four bytes of length and the content: `A` a piece of an Arrow IPC stream, `E` the end as JSON. It serves one
request and ends; it has no credentials, no network, no file but the tenant's own, and limits of the operating system
on everything.

Nothing that DuckDB is told to do by the query is trusted to its settings alone: the statement must be one SELECT by
DuckDB's own parser, over the given tables and a short list of table functions, before it is bound at all.
"""

from __future__ import annotations

import contextlib
import ctypes
import datetime as dt
import json
import os
import re
import resource
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
# Landlock, see landlock(7): the numbers of its system calls are the same on all architectures.
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_PATH_BENEATH = 1
_LANDLOCK_READ_FILE = 1 << 2
_LANDLOCK_RIGHTS = ((1, 13), (2, 14), (3, 15), (5, 16))  # from which version on, how many rights over files there are
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SNAPSHOT = "_ducklake_internal_snapshot_id"
_TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "repeat", "repeat_row"})
# They tell settings, paths and the views behind the tables, wait, or keep something; no question needs them.
_FUNCTIONS_REFUSED = frozenset(
    {
        "current_query", "current_setting", "currval", "getenv", "getvariable", "json_execute_serialized_sql",
        "nextval", "parse_duckdb_log_message", "pg_get_constraintdef", "pg_get_expr", "pg_get_viewdef", "pg_sleep",
        "query", "query_table", "setseed", "sleep_ms", "write_log",
    }
)  # fmt: skip
_MEMORY_FOR_DUCKDB = 0.6  # the rest of the process, the answer and what DuckDB does not count need the other part
_ADDRESSES_MORE = 2 << 30  # programs and libraries are mapped, too, and take no memory of their own
_PIECE = 2**20


def main() -> None:
    """Load everything, wait for one request, answer it and end."""
    isolate()
    # Half of all loading would be for what has no use here: NumPy, a pickler, the metadata of packages, and a database
    # that DuckDB opens to name kinds of columns.
    sys.modules.update(dict.fromkeys(("numpy", "cloudpickle")))  # type: ignore[arg-type]
    for name in ("importlib.metadata", "duckdb._dbapi_type_object"):
        sys.modules[name] = module = ModuleType(name)
        module.__getattr__ = lambda _name: lambda *_: "unknown"  # type: ignore[method-assign]
    import duckdb  # noqa: PLC0415 - inside its limits
    import pyarrow as pa  # noqa: PLC0415

    connection = open_duckdb(duckdb)
    size = int.from_bytes(sys.stdin.buffer.read(8), "big")
    if not size:
        return  # whoever started this process has no question any more
    request, out = json.loads(sys.stdin.buffer.read(size)), Frames()
    try:
        limit(request)
        answer(duckdb, pa, connection, request, out)
    except NotAllowed as error:
        out.end({"error": "not-allowed", "detail": str(error)})
    except (MemoryError, pa.ArrowMemoryError):
        out.end({"error": "memory", "detail": ""})


def isolate() -> None:
    """What holds from the first moment on: the process ends with its parent, gains no rights and has no network."""
    if sys.platform.startswith("linux"):
        kernel = ctypes.CDLL(None)
        kernel.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        # A network of its own with nobody in it. Where the system forbids this, DuckDB's own lock is what is left.
        if kernel.unshare(_CLONE_NEWNET) != 0:
            kernel.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
        # Its niceness is that of the thread that started it. Linux weighs sessions first, and this one leads its own.
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(os.nice(0)), encoding="ascii")
    else:
        os.nice(5)  # elsewhere threads have no niceness of their own that this process could have got
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit(request: dict[str, Any]) -> None:
    """Limits of the operating system for this one request; none of them can be raised again."""
    memory, cpu = request["memory_mb"] << 20, int(request["cpu_s"])
    spent = resource.getrusage(resource.RUSAGE_SELF)
    cpu += int(spent.ru_utime + spent.ru_stime) + 1
    # All private memory, touched or only asked for: what the machine can lose to this process.
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_AS, (memory + _ADDRESSES_MORE,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    # Not one byte can be written to any file, by whatever means.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    paths = list(files_of(request))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(len(paths) + 256, most) if most != resource.RLIM_INFINITY else len(paths) + 256
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
    if sys.platform.startswith("linux"):
        lock_files(paths)


def files_of(request: dict[str, Any]) -> Iterator[str]:
    """Every file that the query may read."""
    for table in request["tables"]:
        yield from table["files"]
        yield from table["deletes"].values()


def lock_files(paths: Iterable[str]) -> bool:
    """Let this process and its threads to come open just these files, to read; False where the kernel cannot.

    DuckDB's own lock comes on top; where the kernel has no Landlock it is what is left.
    """
    kernel = ctypes.CDLL(None, use_errno=True)
    version = kernel.syscall(_LANDLOCK_CREATE, None, 0, 1)
    if version < 1:
        return False
    rights = max(count for since, count in _LANDLOCK_RIGHTS if version >= since)
    handled = ctypes.c_uint64((1 << rights) - 1)
    rules = kernel.syscall(_LANDLOCK_CREATE, ctypes.byref(handled), ctypes.sizeof(handled), 0)
    if rules < 0:
        return False
    for path in paths:
        try:
            file = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # the query says that it is missing when it reads it
        beneath = _LANDLOCK_READ_FILE.to_bytes(8, sys.byteorder) + file.to_bytes(4, sys.byteorder)
        kernel.syscall(_LANDLOCK_ADD, rules, _LANDLOCK_PATH_BENEATH, beneath, 0)
        os.close(file)
    locked: bool = kernel.syscall(_LANDLOCK_RESTRICT, rules, 0) == 0
    os.close(rules)
    return locked


class NotAllowed(Exception):
    """The statement is something else than one query over the tables."""


class Frames:
    """The answer on its way out, a piece at a time: what is written here is not kept."""

    closed = False

    def __init__(self) -> None:
        self._waiting = bytearray()
        self.sent = 0

    def write(self, piece: Any) -> int:
        """Take bytes of the Arrow stream."""
        taken = memoryview(piece).nbytes
        self._waiting += piece
        self.sent += taken
        if len(self._waiting) >= _PIECE:
            self.flush()
        return taken

    def flush(self) -> None:
        """Send what is waiting."""
        if self._waiting:
            self._frame(b"A", bytes(self._waiting))
            self._waiting.clear()

    def end(self, document: dict[str, Any]) -> None:
        """Say how it ended; an answer that failed in its middle is worth nothing."""
        if "error" in document:
            self._waiting.clear()
        self.flush()
        self._frame(b"E", json.dumps(document).encode())

    def _frame(self, kind: bytes, content: bytes) -> None:
        sys.stdout.buffer.write(kind + len(content).to_bytes(4, "big") + content)
        sys.stdout.buffer.flush()


def answer(duckdb: Any, pa: Any, connection: Any, request: dict[str, Any], out: Frames) -> None:
    """Run the statement and write its rows."""
    started, read_before, truncated, rows = time.monotonic(), bytes_read(), False, 0
    try:
        reader = run(connection, request)
        unsigned = [at for at, column in enumerate(connection.description) if str(column[1]) == "UHUGEINT"]
        with pa.ipc.new_stream(pa.PythonFile(out, mode="w"), reader.schema) as writer:
            for batch in reader:
                kept = batch.slice(0, request["rows_max"] - rows)
                writer.write_batch(kept)
                rows += kept.num_rows
                if out.sent > request["bytes_max"]:
                    out.end({"error": "bytes", "detail": ""})
                    return
                if kept.num_rows < batch.num_rows:
                    truncated = True
                    break
    except duckdb.OutOfMemoryException:
        out.end({"error": "memory", "detail": ""})
    except duckdb.Error as error:
        out.end({"error": "failed", "detail": without_paths(str(error), request), "kind": type(error).__name__})
    else:
        spent = resource.getrusage(resource.RUSAGE_SELF)
        cost = {
            "rows_read": None if truncated else rows_read(connection),
            "bytes_read": bytes_read() - read_before,
            "cpu_s": spent.ru_utime + spent.ru_stime,
            "memory_bytes": spent.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
            "seconds": time.monotonic() - started,
        }
        out.end({"truncated": truncated, "rows": rows, "cost": cost, "unsigned": unsigned})


def open_account() -> int | None:
    """The kernel's account of what this process reads, opened before its files are locked away."""
    try:
        return os.open("/proc/self/io", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


_ACCOUNT = open_account()


def bytes_read() -> int:
    """What this process has read from files, by the kernel's count; 0 where it does not count."""
    if _ACCOUNT is None:
        return 0
    return int(os.pread(_ACCOUNT, 4096, 0).split(b"rchar: ")[1].split()[0])


def rows_read(connection: Any) -> int | None:
    """The rows that the last query took from tables, less those that reading left out, by DuckDB's profile.

    Its `operator_rows_scanned` is no count: of several files it is a guess by the first one, once for each thread.
    """
    try:
        profile = json.loads(connection.get_profiling_information(format="json"))
        scans = [node for node in walk(profile) if node.get("operator_type") == "TABLE_SCAN"]
        return sum(int(node.get("operator_cardinality", 0)) for node in scans)
    except Exception:  # noqa: BLE001 - what it cost is told when it is known; the answer does not depend on it
        return None


def without_paths(text: str, request: dict[str, Any]) -> str:
    """An error without the places of files."""
    for path in files_of(request):
        text = text.replace(path, "a file of the lake")
    return text


def open_duckdb(duckdb: Any) -> Any:
    """A DuckDB in memory that has worked once, and has no thread besides this one yet: later ones are locked in."""
    connection = duckdb.connect(
        config={
            "threads": 1,
            # Nothing is spilled: what does not fit into its memory is asked too much, and no file can be written.
            "temp_directory": "",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
        }
    )
    connection.execute("set python_enable_replacements = false")
    connection.execute("set timezone = 'UTC'")
    connection.execute("set enable_profiling = 'no_output'")
    connection.execute("select json_serialize_sql('select 1'), now()").to_arrow_reader(1).read_all()
    return connection


def run(connection: Any, request: dict[str, Any]) -> Any:
    """An Arrow reader over the answer. Raises NotAllowed, or an error of DuckDB."""
    connection.execute(f"set memory_limit = '{int(request['memory_mb'] * _MEMORY_FOR_DUCKDB)}MB'")
    connection.execute(f"set threads = {int(request['threads'])}")
    for table in request["tables"]:
        connection.execute(view(table))
    connection.execute(f"set allowed_paths = [{', '.join(map(quote, files_of(request)))}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    # Every thread that is needed is there now; root is not bound by this limit, and has no use for processes here.
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    check(connection, request["statement"], {table["name"] for table in request["tables"]})
    values = {name: bindable(*given) for name, given in request.get("parameters", {}).items()}
    return connection.execute(request["statement"], values or None).to_arrow_reader(10_000)


def bindable(kind: str, value: Any) -> Any:
    """The value of a parameter as DuckDB binds it."""
    if kind == "date":
        return dt.date.fromisoformat(value)
    return dt.datetime.fromisoformat(value) if kind == "timestamp" else value


def view(table: dict[str, Any]) -> str:
    """The SQL that makes a table visible: just its columns as they may be seen, from just its files.

    Deleted and later rows are left out. A column with `shown` is that expression over it: the query never meets the
    value itself, however it filters.
    """
    columns, deletes, partial = table["columns"], table["deletes"], set(table["partial"])
    names = ", ".join(
        f'{column["shown"]} as "{column["name"]}"' if column.get("shown") else f'"{column["name"]}"'
        for column in columns
    )
    texts = [(quote(column["name"]), quote(column["type"])) for column in columns]

    def read(paths: list[str], conditions: list[str]) -> str:
        typed = texts + [(quote(_SNAPSHOT), "'BIGINT'")] * (paths[0] in partial)
        wanted = ", ".join(f"{name}: {{name: {name}, type: {kind}, default_value: NULL}}" for name, kind in typed)
        if paths[0] in partial:
            conditions = [*conditions, f"{_SNAPSHOT} <= {int(table['snapshot'])}"]
        where = f" where {' and '.join(conditions)}" if conditions else ""
        return f"select {names} from read_parquet([{', '.join(map(quote, paths))}], schema = MAP {{{wanted}}}){where}"  # noqa: S608

    parts = []
    if whole := [path for path in table["files"] if path not in deletes and path not in partial]:
        parts.append(read(whole, []))
    if newer := [path for path in table["files"] if path not in deletes and path in partial]:
        parts.append(read(newer, []))
    parts += [
        read([path], [f"file_row_number not in (select pos from read_parquet({quote(deleted)}))"])  # noqa: S608
        for path, deleted in deletes.items()
    ]
    if not parts:
        nothing = ", ".join(f'null::{column["type"]} as "{column["name"]}"' for column in columns)
        parts.append(f"select {names} from (select {nothing}) where false")  # noqa: S608
    return f'create view "{table["name"]}" as {" union all ".join(parts)}'


def quote(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def check(connection: Any, statement: str, tables: set[str]) -> None:
    """Raise NotAllowed unless the statement is one SELECT (or WITH, DESCRIBE, SHOW, SUMMARIZE) over `tables`."""
    kinds = [str(found.type).rsplit(".", 1)[-1] for found in connection.extract_statements(statement)]
    if len(kinds) != 1:
        raise NotAllowed(f"Send one statement at a time; this is {len(kinds)}.")
    if kinds[0] != "SELECT":
        raise NotAllowed(f"Only SELECT, WITH, DESCRIBE, SHOW and SUMMARIZE are allowed, not {kinds[0]}.")
    (text,) = connection.execute("select json_serialize_sql(?)", [statement]).fetchone()
    tree = json.loads(text)
    if tree.get("error"):
        raise NotAllowed("Only SELECT, WITH, DESCRIBE, SHOW and SUMMARIZE are allowed, not PRAGMA or CALL.")
    nodes = list(walk(tree))
    known = {name.lower() for name in tables} | {entry["key"].lower() for node in nodes for entry in ctes(node)}
    for node in nodes:
        check_source(node, known)


def check_source(node: dict[str, Any], known: set[str]) -> None:
    """Raise NotAllowed when a node of a query reads from anything but the tables `known` (in lower case)."""
    kind = node.get("type")
    if kind == "TABLE_FUNCTION":
        name = str(node.get("function", {}).get("function_name", "")).lower()
        if name not in _TABLE_FUNCTIONS:
            raise NotAllowed(f"The table function {name}() is not allowed here; query the tables of your lake.")
    elif kind == "FUNCTION":
        if (name := str(node.get("function_name", "")).lower()) in _FUNCTIONS_REFUSED:
            raise NotAllowed(f"The function {name}() is not allowed here.")
    elif kind == "BASE_TABLE":
        name = str(node.get("table_name", ""))
        plain = not node.get("catalog_name") and str(node.get("schema_name", "")) in ("", "main")
        if not plain or not _NAME.match(name) or name.lower() not in known:
            raise NotAllowed(f"There is no table {name!r} in your lake. SHOW TABLES lists them.")


def walk(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of a JSON document."""
    stack = [node]
    while stack:
        at = stack.pop()
        if isinstance(at, dict):
            yield at
            stack.extend(at.values())
        elif isinstance(at, list):
            stack.extend(at)


def ctes(node: dict[str, Any]) -> list[dict[str, Any]]:
    """The named subqueries of a query node."""
    found = node.get("cte_map")
    return list(found.get("map", [])) if isinstance(found, dict) else []


if __name__ == "__main__":
    main()
    os._exit(0)  # All is said, and somebody waits: to take everything down in order would be a tenth of all work.
