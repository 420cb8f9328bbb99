"""How long a draft of a contract takes to be tried on a week of 1.2 million accepted records, in a running Finer.

No row of the numbers to reach; the sentence that the page shows ("would have quarantined 214 of 1.2 M") is read at the
end and compared with what Polars counts in the file that was sent.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from bench.s5_files import ingest, make_parquet
from bench.support.report import report
from tests.ingest.contract_texts import with_options
from tests.support.server import Server, serving

_MAXIMUM = 1100
_PATIENCE_S = 600


def week_of_payments(file: Path, rows: int) -> int:
    """Write a file of payments of the last six days; returns how many are above the draft's maximum."""
    make_parquet(file, rows)
    begin = datetime.now(UTC) - timedelta(days=6)
    step = timedelta(days=6) / rows
    frame = pl.read_parquet(file).with_columns(occurred_at=begin + pl.Series(np.arange(rows)) * step)
    frame.write_parquet(file)
    return frame.filter(pl.col("amount") > _MAXIMUM).height


def wait_for_lake(server: Server, rows: int) -> None:
    """Until the lake holds every record."""
    server.wait_in_lake("transactions")
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        found = server.finer("sql", "select count(*) from transactions", "--tenant", server.tenant, "--json")
        if json.loads(found)["rows"] == [[rows]]:
            return
        time.sleep(1)
    raise TimeoutError(f"The lake did not get {rows} records: {found}")


def main() -> None:
    """Send the week, try the draft, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_200_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="finer-trial-") as folder, serving() as server:
        file = Path(folder, "week.parquet")
        above = week_of_payments(file, arguments.rows)
        _, _, accepted = ingest(server, file)
        wait_for_lake(server, accepted)
        with contextlib.closing(server.sign_in("data_engineer")) as client:
            text = with_options("amount", maximum=_MAXIMUM)
            draft = client.post("/api/v1/contract-drafts", json={"name": "transaction", "text": text})
            draft.raise_for_status()
            path = f"/api/v1/contract-drafts/{draft.json()['id']}"
            started = time.perf_counter()
            client.post(f"{path}/trial", json={"revision": draft.json()["revision"]}).raise_for_status()
            trial = client.get(path).json()["trial"]
            while trial["state"] not in {"done", "failed"} and time.perf_counter() - started < _PATIENCE_S:
                time.sleep(0.1)
                trial = client.get(path).json()["trial"]
            seconds = time.perf_counter() - started
        peak = server.process_of("jobs").memory_info().rss / 2**20
    exact = trial["checked"] == accepted and trial["refused"] == above
    figures = {"seconds": seconds, "records_per_s": trial["checked"] / seconds, "jobs_rss_mb": peak}
    settings = {"rows": accepted, "refused": trial["refused"], "above_maximum": above, "state": trial["state"]}
    report("contract trial", figures, "what Polars counts", exact, settings=settings)


if __name__ == "__main__":
    main()
