"""D4: share of seconds in which every table of the lake is less than 2 s old, at 10,000 events/s, upkeep included.

A table's age is how long ago its newest queryable row was received. Halfway, files are merged while the load goes on;
the ages during that are reported by themselves.
"""

from __future__ import annotations

import argparse
import threading
import time
import uuid

from bench.s1_throughput import run as flood
from bench.support.bodies import Bodies
from bench.support.http import Connection
from bench.support.model import register_model
from bench.support.openloop import drive
from bench.support.report import percentile, report
from finer.kit.postgres import EmbeddedPostgres
from finer.kit.settings import load_settings
from finer.warehouse.service import lake
from tests.support.server import Server, serving

FRESH_S = 2.0
_AGE = (
    "select tenant_id, max(extract(epoch from clock_timestamp() - newest)) from warehouse_freshness "
    "where table_name <> 'labels' group by tenant_id order by max(rows) desc limit 1"
)


class Watch(threading.Thread):
    """Samples the age of the oldest table, ten times a second, until it is stopped."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server, self._stopped = server, threading.Event()
        self.samples: list[tuple[float, float]] = []
        self.tenant: uuid.UUID | None = None

    def run(self) -> None:
        database = self._server.database()
        while not self._stopped.wait(0.1):
            row = database.execute(_AGE).fetchone()
            if row is not None and row[1] is not None:
                self.tenant = row[0]
                self.samples.append((time.monotonic(), float(row[1])))

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def seconds(self) -> list[float]:
        """The largest age in each second."""
        worst: dict[int, float] = {}
        for at, age in self.samples:
            worst[int(at)] = max(age, worst.get(int(at), 0.0))
        return list(worst.values())

    def between(self, since: float, until: float) -> list[float]:
        return [age for at, age in self.samples if since <= at <= until]


def main() -> None:
    """Measure, and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    seconds = parser.parse_args().minutes * 60
    with serving() as server:
        register_model(server)
        flood(server, 5000, 3, seed=99)
        supply = Bodies(100, seed=1)
        load = threading.Thread(
            target=drive,
            args=(
                lambda: Connection(server.port, server.api_key, "/api/v1/events/transaction"),
                supply.next, 100, seconds, 8,
            ),
        )  # fmt: skip
        load.start()
        time.sleep(3)
        watch = Watch(server)
        watch.start()
        time.sleep(seconds / 2)
        assert watch.tenant is not None
        access = lake.LakeAccess(EmbeddedPostgres(server.folder).url, load_settings(data_dir=str(server.folder)))
        began = time.monotonic()
        done = lake.compact(access, watch.tenant)
        ended = time.monotonic()
        load.join()
        watch.stop()
    ages = watch.seconds()
    share = sum(age < FRESH_S for age in ages) / len(ages)
    figures = {
        "share": share,
        "p99_s": percentile([age for _, age in watch.samples], 0.99),
        "p99_s_during_merge": percentile(watch.between(began, ended), 0.99),
        "merge_s": ended - began,
        "files_before": done.files_before,
        "files_after": done.files_after,
    }
    report("D4", figures, ">= 99.9 %", share >= 0.999, settings={"seconds": seconds, "samples": len(watch.samples)})


if __name__ == "__main__":
    main()
