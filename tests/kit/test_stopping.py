"""A signal that arrives at any moment of a wait ends it."""

from __future__ import annotations

import subprocess
import sys

from finer.kit.stopping import StopEvent

_SIGNAL_AT_EACH_LINE = """
import signal, sys
from finer.kit.stopping import StopEvent

stop = StopEvent()
signal.signal(signal.SIGUSR1, lambda *_: stop.set())

def arrive(*_):
    signal.raise_signal(signal.SIGUSR1)
    return arrive

sys.settrace(arrive)
stop.wait()
sys.settrace(None)
print("ended")
"""


def test_a_signal_at_any_moment_of_a_wait_ends_it() -> None:
    command = [sys.executable, "-c", _SIGNAL_AT_EACH_LINE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.stdout, done.stderr) == ("ended\n", "")


def test_it_is_waited_for_no_longer_than_asked() -> None:
    stop = StopEvent()
    assert not stop.wait(0.001)
    stop.set()
    assert stop.wait()
    assert stop.is_set()
    stop.clear()
    assert not stop.wait(0)
