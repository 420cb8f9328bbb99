"""A process of Finer ends with the one that started it, also when that has ended before it could say so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import free_port

# The supervisor, the process that holds the port, and the worker that this one makes of itself: the first takes in the
# last when the second is killed. `serve` is the only thing that the web server has no part in here.
_KILLED_WHILE_ITS_WORKER_STARTS = """
import ctypes, os, signal, sys, time
from finer.app.commands import api
from finer.app.process import prepare_process
from finer.kit.settings import load_settings

ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
os.environ["FINER_SUPERVISOR_PID"] = str(os.getpid())

def serve(_server):
    holder = os.getpid()
    if os.fork() == 0:
        while os.getppid() == holder:
            time.sleep(0.001)
        prepare_process(load_settings(), "api")
        print("It goes on.", flush=True)
        sys.exit(0)
    os.kill(holder, signal.SIGKILL)

api._Draining.serve = serve
if os.fork() == 0:
    api.api.callback(None, None, None)
codes = [os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(2)]
print(codes == [-signal.SIGKILL, 1])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone tells a process of its parent's end")
def test_a_worker_of_the_api_does_not_start_when_the_holder_of_its_port_was_killed(tmp_path: Path) -> None:
    environment = os.environ | {"FINER_DATA_DIR": str(tmp_path), "FINER_PORT": str(free_port())}
    done = subprocess.run(
        [sys.executable, "-c", _KILLED_WHILE_ITS_WORKER_STARTS],
        env=environment, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.split("\n") == ["True", ""]
    assert "the process that started this one is gone" in done.stderr
