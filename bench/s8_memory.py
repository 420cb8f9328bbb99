"""S8: resident memory of worker and API with one million active accounts."""

from __future__ import annotations

from bench.s1_throughput import run as flood
from bench.support.model import register_model
from bench.support.report import report
from tests.support.server import serving


def main() -> None:
    """Load until a million accounts are active, then read what the kernel says."""
    with serving() as server:
        register_model(server)
        # 20 s at well over 100,000 events/s touches nearly all of a million accounts.
        done = flood(server, 5000, 20, seed=3)
        worker = server.process_of("worker").memory_info().rss / 2**20
        api = server.process_of("api").memory_info().rss / 2**20
    figures = {"worker_rss_mb": worker, "api_rss_mb": api}
    report("S8", figures, "<= 1.5 GB; <= 0.4 GB", worker <= 1536 and api <= 410, settings={"events": done["events"]})


if __name__ == "__main__":
    main()
