"""D6: every hostile statement of the catalogue against the SQL sandbox: how many are stopped, and the memory of it all.

Memory is what all processes of queries hold together (their private pages), sampled all the time; `machine_mb` is by
how much the whole machine's use grew at most. The cap is that of one query times the queries at once.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import duckdb
import psutil

from bench.support.report import report
from finer.kit.errors import FinerError
from finer.warehouse.store.sandbox import Question, SandboxLimits, run_sandboxed
from finer.warehouse.store.sandbox_pool import Sandboxes
from finer.warehouse.types import LakeColumn, LakeTable, TableFiles
from tests.warehouse import hostile

GOAL = "100 % stopped, memory never over the cap"
_AT_ONCE, _MEMORY_MB, _TIMEOUT_S = 2, 512, 5.0


class Watch:
    """Samples memory on a thread of its own."""

    def __init__(self) -> None:
        self.queries_mb = self.machine_mb = self.one_mb = 0.0
        self._before = psutil.virtual_memory().used
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        me = psutil.Process()
        while not self._stop.wait(0.02):
            held = []
            for child in me.children():
                try:
                    memory = child.memory_info()
                    held.append((memory.rss - memory.shared) / 2**20)
                except psutil.Error:
                    continue
            self.queries_mb = max(self.queries_mb, sum(held))
            self.one_mb = max(self.one_mb, max(held, default=0.0))
            self.machine_mb = max(self.machine_mb, (psutil.virtual_memory().used - self._before) / 2**20)


def main() -> None:
    statements = [*hostile.READS, *hostile.WRITES, *hostile.SMUGGLED, *hostile.LEAKS, *hostile.GREEDY]
    answered: list[str] = []
    slowest = 0.0
    with tempfile.TemporaryDirectory(prefix="finer-bench-") as folder, Watch() as watch:
        files = Path(folder) / "0.parquet"
        with duckdb.connect() as connection:
            connection.execute(
                f"copy (select i as amount_minor, 'a' || i as account_id from range(1000) t(i)) to '{files}'"
            )
        columns = (LakeColumn("amount_minor", "BIGINT"), LakeColumn("account_id", "VARCHAR"))
        tables = [
            TableFiles(table=LakeTable(name=name, rows=1000, columns=columns), files=[str(files)])
            for name in ("transactions", "orders")
        ]
        limits = SandboxLimits(rows_max=1000, memory_mb=_MEMORY_MB, timeout_s=_TIMEOUT_S, threads=2)
        pool = Sandboxes(_AT_ONCE)

        def ask(statement: str) -> float:
            started = time.monotonic()
            try:
                run_sandboxed(Question(tables=tables, statement=statement), limits, pool=pool)
                answered.append(statement[:200])
            except FinerError:
                pass
            return time.monotonic() - started

        with ThreadPoolExecutor(_AT_ONCE) as threads:
            slowest = max(threads.map(ask, statements))
        pool.close()
    for statement in answered:
        print(json.dumps({"answered": statement}))
    cap = _MEMORY_MB * (_AT_ONCE + 1)
    figures = {
        "tried": len(statements),
        "stopped": len(statements) - len(answered),
        "queries_mb": watch.queries_mb,
        "one_query_mb": watch.one_mb,
        "machine_mb": watch.machine_mb,
        "cap_mb": cap,
        "slowest_s": slowest,
    }
    holds = not answered and watch.queries_mb <= cap and watch.one_mb <= _MEMORY_MB
    report("D6", figures, GOAL, holds, settings={"memory_mb": _MEMORY_MB, "at_once": _AT_ONCE})


if __name__ == "__main__":
    main()
