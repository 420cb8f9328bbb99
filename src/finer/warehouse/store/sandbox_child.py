"""The disposable process that runs one query which a person wrote. Started by path, never imported by Finer.

It reads one JSON request on standard input: {tables, statement, rows_max, bytes_max, memory_mb, cpu_s, threads,
scratch}. It answers on standard output with one line of JSON, then the result as an Arrow IPC stream. It has no
credentials, no network extension, no file but the tenant's own, and limits of the operating system on everything.

Nothing that DuckDB is told to do by the query is trusted to its settings alone: the statement must be one SELECT by
DuckDB's own parser, over the given tables and a short list of table functions, before it is bound at all.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import signal
import sys
from collections.abc import Iterator
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SNAPSHOT = "_ducklake_internal_snapshot_id"
_TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "repeat", "repeat_row"})
_MEMORY_FOR_DUCKDB = 0.6  # the rest of the process, the answer and what DuckDB does not count need the other part


def main() -> None:
    """Answer one request and end."""
    request = json.loads(sys.stdin.buffer.read())
    limit(request)
    try:
        answer(request)
    except NotAllowed as error:
        say({"error": "not-allowed", "detail": str(error)})
    except MemoryError:
        say({"error": "memory", "detail": ""})


def limit(request: dict[str, Any]) -> None:
    """Limits of the operating system; none of them can be raised again."""
    if sys.platform.startswith("linux"):
        kernel = ctypes.CDLL(None)
        kernel.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        # A network of its own with nobody in it. Where the system forbids this, DuckDB's own lock is what is left.
        if kernel.unshare(_CLONE_NEWNET) != 0:
            kernel.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    memory, cpu = request["memory_mb"] << 20, int(request["cpu_s"])
    # All private memory, touched or only asked for: what the machine can lose to this process.
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (request["scratch_mb"] << 20,) * 2)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = sum(len(table["files"]) for table in request["tables"])
    wanted = min(2 * files + 256, most) if most != resource.RLIM_INFINITY else 2 * files + 256
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
    os.nice(5)


class NotAllowed(Exception):
    """The statement is something else than one query over the tables."""


def answer(request: dict[str, Any]) -> None:
    """Run the statement and write its rows."""
    # pyarrow would load NumPy, which is not needed here and takes longer to load than everything else together.
    sys.modules["numpy"] = None  # type: ignore[assignment]
    import duckdb  # noqa: PLC0415 - after the limits are set
    import pyarrow as pa  # noqa: PLC0415

    try:
        reader = run(duckdb, request)
        sink = pa.BufferOutputStream()
        truncated = False
        rows = 0
        with pa.ipc.new_stream(sink, reader.schema) as writer:
            for batch in reader:
                kept = batch.slice(0, request["rows_max"] - rows)
                writer.write_batch(kept)
                rows += kept.num_rows
                if sink.tell() > request["bytes_max"]:
                    say({"error": "bytes", "detail": ""})
                    return
                if kept.num_rows < batch.num_rows:
                    truncated = True
                    break
    except duckdb.OutOfMemoryException:
        say({"error": "memory", "detail": ""})
    except duckdb.Error as error:
        say({"error": "failed", "detail": str(error)})
    else:
        say({"truncated": truncated, "rows": rows})
        sys.stdout.buffer.write(sink.getvalue())
        sys.stdout.buffer.flush()


def say(header: dict[str, Any]) -> None:
    """The one line that comes before everything else."""
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n")
    sys.stdout.buffer.flush()


def run(duckdb: Any, request: dict[str, Any]) -> Any:
    """An Arrow reader over the answer. Raises NotAllowed, or an error of DuckDB."""
    connection = duckdb.connect(
        config={
            "threads": request["threads"],
            "memory_limit": f"{int(request['memory_mb'] * _MEMORY_FOR_DUCKDB)}MB",
            "temp_directory": request["scratch"],
            "max_temp_directory_size": f"{request['scratch_mb']}MB",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
        }
    )
    connection.execute("set python_enable_replacements = false")
    connection.execute("set timezone = 'UTC'")
    for table in request["tables"]:
        connection.execute(view(table))
    paths = [path for table in request["tables"] for path in (*table["files"], *table["deletes"].values())]
    connection.execute(f"set allowed_paths = [{', '.join(map(quote, paths))}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    check(connection, request["statement"], {table["name"] for table in request["tables"]})
    return connection.execute(request["statement"]).to_arrow_reader(10_000)


def view(table: dict[str, Any]) -> str:
    """The SQL that makes a table visible: just its columns, from just its files, without deleted or later rows."""
    columns, deletes, partial = table["columns"], table["deletes"], set(table["partial"])
    names = ", ".join(f'"{column["name"]}"' for column in columns)
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
        parts.append(f"select {nothing} where false")
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
