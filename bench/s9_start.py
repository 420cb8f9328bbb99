"""S9: from a clean clone to the page (`make run`), `finer up` again, and `make test`, each timed once."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import httpx

from bench.support.report import report
from tests.support.server import serving

ROOT = Path(__file__).resolve().parents[1]


def run_s(clone: Path, port: int) -> float:
    """Seconds from `make run` in the clone until the page answers."""
    started = time.monotonic()
    process = subprocess.Popen(
        ["make", "run", f"PORT={port}"], cwd=clone, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, env={**os.environ, "FINER_DATA_DIR": str(clone / ".finer")},
    )  # fmt: skip
    try:
        while time.monotonic() - started < 900:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/", timeout=2).status_code == 200:
                    return time.monotonic() - started
            except httpx.TransportError:
                time.sleep(0.1)
        raise TimeoutError("The page did not answer within 15 minutes.")
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def up_s() -> float:
    """Seconds of `finer up` on a data folder that exists, until it is ready."""
    with serving() as server:
        server.stop()
        started = time.monotonic()
        server.start()
        return time.monotonic() - started


def main() -> None:
    """Measure all three and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--no-test", action="store_true", help="Leave make test out.")
    arguments = parser.parse_args()
    clone = Path(tempfile.mkdtemp(prefix="finer-clone-"))
    try:
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone / "finer")], check=True)
        figures = {"run_s": run_s(clone / "finer", arguments.port), "up_s": up_s()}
        if not arguments.no_test:
            started = time.monotonic()
            subprocess.run(["make", "test"], cwd=clone / "finer", check=True, stdout=subprocess.DEVNULL)
            figures["test_s"] = time.monotonic() - started
    finally:
        shutil.rmtree(clone, ignore_errors=True)
    holds = figures["run_s"] <= 300 and figures["up_s"] <= 6 and figures.get("test_s", 0) <= 600
    report("S9", figures, "<= 5 min; <= 6 s; <= 10 min", holds)


if __name__ == "__main__":
    main()
