"""S9: from a clean clone to the page (`make run`), `finer up` on its data again, and `make test` in another clone.

Each is timed once, set-up included.
"""

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

ROOT = Path(__file__).resolve().parents[1]
_PATIENCE_S = 900


def answering_s(command: list[str], clone: Path, port: int) -> float:
    """Seconds from a command in the clone, which starts Finer on this port, until the page answers; then it ends."""
    started = time.monotonic()
    process = subprocess.Popen(
        command, cwd=clone, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        env={**os.environ, "FINER_DATA_DIR": str(clone / ".finer")},
    )  # fmt: skip
    try:
        while time.monotonic() - started < _PATIENCE_S:
            if process.poll() is not None:
                raise RuntimeError(f"{' '.join(command)} ended with exit code {process.returncode}.")
            try:
                if httpx.get(f"http://127.0.0.1:{port}/", timeout=2).status_code == 200:
                    return time.monotonic() - started
            except httpx.TransportError:
                time.sleep(0.1)
        raise TimeoutError("The page did not answer within 15 minutes.")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)


def cloned(place: Path) -> Path:
    """A clean clone of what is committed, in `place`."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(place)], check=True)
    return place


def main() -> None:
    """Measure all three and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--no-test", action="store_true", help="Leave make test out.")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="finer-clone-"))
    folder.chmod(0o755)  # the database of root's Finer belongs to another user, who has to come in
    port = str(arguments.port)
    try:
        clone = cloned(folder / "run")
        figures = {"run_s": answering_s(["make", "run", f"PORT={port}"], clone, arguments.port)}
        figures["up_s"] = answering_s([".venv/bin/finer", "up", "--port", port], clone, arguments.port)
        if not arguments.no_test:
            # Another clone: what `make run` has set up there counts here.
            clone = cloned(folder / "test")
            started = time.monotonic()
            subprocess.run(["make", "test"], cwd=clone, check=True, stdout=subprocess.DEVNULL)
            figures["test_s"] = time.monotonic() - started
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    holds = figures["run_s"] <= 300 and figures["up_s"] <= 6 and figures.get("test_s", 0) <= 600
    report("S9", figures, "<= 5 min; <= 6 s; <= 10 min", holds)


if __name__ == "__main__":
    main()
