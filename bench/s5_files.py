"""S5: `finer ingest` of a 5-million-row Parquet file and a 2 GB NDJSON file, against Polars reading and checking alone.

The limit is what Polars takes to read the same file and evaluate the same kind of checks, without keeping anything; it
uses every core, and Finer shares them with its database, its worker and its lake, which take the records on meanwhile.

Each file is taken in twice, into a fresh Finer: as the command does it by itself, where it waits for the worker so that
live senders need not (`ratio_of_limit_*`), and running ahead of the worker with `--backlog` (`ratio_ahead_*`), which is
the speed of reading, checking and storing alone.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import psutil

from bench.support.bodies import Bodies
from bench.support.report import report
from tests.support.server import Server, serving


def make_parquet(file: Path, rows: int) -> None:
    """Transactions with the 13 fields, as columns."""
    generator = np.random.default_rng(1)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "event_id": pl.Series(np.arange(rows)).cast(pl.String).str.zfill(32),
            "type": ["purchase"] * rows,
            "occurred_at": pl.Series(np.arange(rows)) * timedelta(milliseconds=5) + start,
            "customer_id": "c" + pl.Series(generator.integers(0, 300_000, rows)).cast(pl.String),
            "account_id": "a" + pl.Series(generator.integers(0, 1_000_000, rows)).cast(pl.String),
            "card_last4": pl.Series(generator.integers(0, 10_000, rows)).cast(pl.String).str.zfill(4),
            "amount": np.maximum(np.round(generator.lognormal(3, 1.2, rows), 2), 0.01),
            "currency": ["USD"] * rows,
            "merchant_name": "Merchant " + pl.Series(generator.zipf(1.3, rows) % 900).cast(pl.String),
            "merchant_city": ["Manila"] * rows,
            "merchant_country": ["PH"] * rows,
            "mcc": ["5411"] * rows,
            "channel": ["pos"] * rows,
        }
    )
    frame.write_parquet(file)


def make_ndjson(file: Path, size: int) -> int:
    """Lines of about 350 bytes until the file has `size` bytes; returns how many."""
    supply = Bodies(5000, seed=8)
    lines = 0
    with file.open("wb") as handle:
        while handle.tell() < size:
            handle.write(supply.next()[1])
            lines += supply.events
    return lines


_CHECKS = [
    pl.col("event_id").str.len_chars().is_between(1, 64),
    pl.col("amount").is_between(0, 10_000_000, closed="right"),
    pl.col("currency").str.contains("^[A-Z]{3}$"),
    pl.col("card_last4").str.contains("^[0-9]{4}$"),
    pl.col("merchant_country").str.contains("^[A-Z]{2}$"),
    pl.col("mcc").str.contains("^[0-9]{4}$"),
    pl.col("channel").is_in(["pos", "web", "app", "atm", "branch", "transfer"]),
    pl.col("type").is_in(["purchase", "withdrawal", "transfer", "payment", "refund", "deposit", "fee"]),
    pl.col("account_id").str.len_chars().is_between(1, 64),
    pl.col("customer_id").str.len_chars().is_between(1, 64),
    pl.col("merchant_name").str.len_chars() <= 128,
    pl.col("merchant_city").str.len_chars() <= 128,
]


def limit(file: Path) -> float:
    """Rows per second of Polars reading the file and evaluating the checks, in a process of its own."""
    scan = "scan_parquet" if file.suffix == ".parquet" else "scan_ndjson"
    program = (
        "import sys, time, polars as pl\nfrom bench.s5_files import _CHECKS\n"
        f"t = time.perf_counter()\nf = pl.{scan}(sys.argv[1])\n"
        "if 'ndjson' in sys.argv[1]: f = f.with_columns(pl.col('occurred_at').str.to_datetime(time_zone='UTC'))\n"
        "n, ok = f.select("
        "pl.len(), pl.all_horizontal(_CHECKS).sum().alias('ok'), pl.col('occurred_at').max().alias('m'))"
        ".collect(engine='streaming').row(0)[:2]\nprint(n / (time.perf_counter() - t))"
    )
    out = subprocess.run([sys.executable, "-c", program, str(file)], check=True, capture_output=True, text=True)
    return float(out.stdout)


def ingest(server: Server, file: Path, *options: str) -> tuple[float, float, int]:
    """(rows per second, peak resident MiB, rows accepted) of `finer ingest`, from its start to its end."""
    command = [sys.executable, "-m", "finer.app.cli", "ingest", "transaction", str(file), "--tenant", server.tenant]
    command += options
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--data-dir", str(server.folder), "--json"], stdout=subprocess.PIPE, text=True
    )
    peak = 0.0
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            peak = max(peak, watched.memory_info().rss / 2**20)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.05)
    seconds = time.perf_counter() - started
    assert process.stdout is not None
    found = json.loads(process.stdout.read())
    return found["received"] / seconds, peak, found["accepted"]


def main() -> None:
    """Make both files, measure both ways, and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--bytes", type=int, default=2_000_000_000)
    arguments = parser.parse_args()
    measured: dict[str, dict[str, tuple[float, float, int]]] = {}
    with tempfile.TemporaryDirectory(prefix="finer-s5-") as folder:
        parquet, ndjson = Path(folder, "events.parquet"), Path(folder, "events.ndjson")
        make_parquet(parquet, arguments.rows)
        lines = make_ndjson(ndjson, arguments.bytes)
        files = (parquet, ndjson)
        limits: dict[str, list[float]] = {file.suffix: [limit(file)] for file in files}
        for way, options in (("of_limit", ()), ("ahead", ("--backlog", "1000000000"))):
            with serving() as server:
                measured[way] = {file.suffix: ingest(server, file, *options) for file in files}
            for file in files:
                limits[file.suffix].append(limit(file))
    most = {suffix: statistics.median(found) for suffix, found in limits.items()}
    figures = {
        f"ratio_{way}_{suffix[1:]}": found[0] / most[suffix]
        for way, by_file in measured.items()
        for suffix, found in by_file.items()
    }
    default = measured["of_limit"]
    figures |= {
        "peak_rss_mb": max(found[1] for by_file in measured.values() for found in by_file.values()),
        "rows_per_s_parquet": default[".parquet"][0],
        "rows_per_s_ndjson": default[".ndjson"][0],
    }
    holds = figures["ratio_of_limit_parquet"] >= 0.3 and figures["ratio_of_limit_ndjson"] >= 0.3
    settings = {"rows": arguments.rows, "lines": lines, "accepted": {k: v[2] for k, v in default.items()}}
    peers = {"polars_parquet_rows_per_s": most[".parquet"], "polars_ndjson_rows_per_s": most[".ndjson"]}
    report(
        "S5",
        figures,
        ">= 0.3 of the limit; <= 1 GB",
        holds and figures["peak_rss_mb"] <= 1024,
        peers=peers,
        settings=settings,
    )


if __name__ == "__main__":
    main()
