"""D3: five analytic queries over 10 M rows in the SQL sandbox, beside bare DuckDB over the same files; and its start.

Both read the same Parquet files of a lake, with the same threads and memory. The sandbox runs as every query of a
person does: a process of its own, used once, with its limits and locks. Its `masked` figure shows two columns as
tokens and in part, as a data engineer sees them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from bench.support.report import median, report
from finer.warehouse.store.sandbox import Question, SandboxLimits, run_sandboxed
from finer.warehouse.store.sandbox_pool import Sandboxes
from finer.warehouse.store.shown import expressions
from finer.warehouse.types import LakeColumn, LakeTable, TableFiles

GOAL = "<= 1.3x bare DuckDB; start <= 200 ms"
_MEMORY_MB = 2048
_QUERIES = {
    "daily revenue": "select date_trunc('day', occurred_at) as day, currency, count(*), sum(amount_minor) "
    "from transactions group by all order by all",
    "top accounts": "select account_id, sum(amount_minor) as spent, count(*) from transactions group by 1 "
    "order by 2 desc limit 100",
    "countries": "select country, channel, avg(amount_minor), quantile_cont(amount_minor, 0.95) from transactions "
    "group by all order by all",
    "rolling": "select day, sum(n) over (order by day rows 6 preceding) as week from (select occurred_at::date as day, "
    "count(*) as n from transactions where channel = 'web' group by 1) order by 1",
    "distinct": "select country, count(distinct account_id) from transactions where amount_minor > 50000 group by 1 "
    "order by 1",
}
_COLUMNS = (
    LakeColumn("event_id", "BIGINT"),
    LakeColumn("occurred_at", "TIMESTAMP WITH TIME ZONE"),
    LakeColumn("account_id", "VARCHAR"),
    LakeColumn("amount_minor", "BIGINT"),
    LakeColumn("currency", "VARCHAR"),
    LakeColumn("country", "VARCHAR"),
    LakeColumn("channel", "VARCHAR"),
)


def make_files(folder: Path, rows: int) -> list[str]:
    """Ten files of made-up transactions over 90 days, from a fixed seed, sorted by time as the lake's are."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for part in range(10):
            first, last = part * rows // 10, (part + 1) * rows // 10
            connection.execute(
                f"copy (select i as event_id, timestamptz '2026-01-01' + to_seconds(i * 7776000 // {rows}) "
                "as occurred_at, 'ACCT-' || lpad((hash(i) % 200000)::varchar, 10, '0') as account_id, "
                "(hash(i + 1) % 100000 + 100)::bigint as amount_minor, "
                "['USD','EUR','PHP'][(hash(i + 2) % 3)::bigint + 1] as currency, "
                "['GB','PH','SG','TH','US','DE','FR','JP'][(hash(i + 3) % 8)::bigint + 1] as country, "
                "['pos','web','app','atm'][(hash(i + 4) % 4)::bigint + 1] as channel "
                f"from range({first}, {last}) t(i)) to '{folder}/{part}.parquet' (format parquet, compression zstd)"
            )
    return [str(folder / f"{part}.parquet") for part in range(10)]


def seconds(act: Callable[[], Any]) -> float:
    """How long something takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="finer-bench-"))
    try:
        measure(folder, chosen.rows, chosen.repeat)
    finally:
        shutil.rmtree(folder)


def measure(folder: Path, rows: int, repeat: int) -> None:
    """Ask every query `repeat` times each way, in turns, and report the medians."""
    files = make_files(folder, rows)
    table = LakeTable(name="transactions", rows=rows, columns=_COLUMNS)
    threads = min(4, os.cpu_count() or 1)
    limits = SandboxLimits(rows_max=10_000, memory_mb=_MEMORY_MB, timeout_s=120, threads=threads)
    tables = [TableFiles(table=table, files=files)]
    masks = expressions([table], {"transactions": {"account_id": "token"}}, b"secret")
    pool = Sandboxes(1)
    run_sandboxed(Question(tables=tables, statement="select 1"), limits, pool=pool)

    def sandbox(statement: str, shown: dict[str, dict[str, str]]) -> None:
        run_sandboxed(Question(tables=tables, statement=statement, shown=shown), limits, pool=pool)

    def bare(statement: str) -> None:
        with duckdb.connect(config={"threads": threads, "memory_limit": f"{_MEMORY_MB}MB"}) as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute(f"create view transactions as select * from read_parquet({list(files)})")
            connection.execute(statement).to_arrow_table()

    times: dict[str, dict[str, float]] = {}
    for name, statement in _QUERIES.items():
        runs = [
            (seconds(lambda q=statement: bare(q)), seconds(lambda q=statement: sandbox(q, {})),  # type: ignore[misc]
             seconds(lambda q=statement: sandbox(q, masks)))  # type: ignore[misc]
            for _ in range(repeat)
        ]  # fmt: skip
        times[name] = {way: median([run[i] for run in runs]) for i, way in enumerate(("duckdb", "sandbox", "masked"))}
        print(json.dumps({"query": name} | {way: round(value, 3) for way, value in times[name].items()}))
    warm = []
    for _ in range(20):
        time.sleep(0.3)  # people type between two queries; the pool fills up meanwhile
        warm.append(seconds(lambda: sandbox("select 1", {})) * 1000)
    cold = [
        seconds(lambda: run_sandboxed(Question(tables=tables, statement="select 1"), limits)) * 1000 for _ in range(10)
    ]
    pool.close()
    total = {way: sum(one[way] for one in times.values()) for way in ("duckdb", "sandbox", "masked")}
    figures = {
        "ratio_duckdb": total["sandbox"] / total["duckdb"],
        "start_ms": median(warm),
        "start_cold_ms": median(cold),
        "worst_query_ratio": max(one["sandbox"] / one["duckdb"] for one in times.values()),
        "masked_ratio": total["masked"] / total["duckdb"],
    }
    holds = figures["ratio_duckdb"] <= 1.3 and figures["start_ms"] <= 200
    report("D3", figures, GOAL, holds, peers={"duckdb_s": total["duckdb"]}, settings={"rows": rows, "repeat": repeat})


if __name__ == "__main__":
    main()
