"""Processes for queries that people write: each serves one query, and some wait warm so that nobody waits for them.

A warm process has loaded DuckDB and knows nothing yet: no firm, no file. It is given one request, answers and ends.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from finer.kit.processor_time import stand_behind

_CHILD = Path(__file__).with_name("sandbox_child.py")
_NOWHERE = "/nonexistent"  # where DuckDB looks for what belongs to a person: extensions, secrets, its rc file
_START_S = 10.0
_NICENESS = 5  # a query that a person wrote waits for decisions and pages
_log = structlog.get_logger(__name__)


class Stop:
    """The means by which one thread ends the query that another one waits for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._end: Callable[[], None] | None = None
        self.stopped = False

    def attach(self, end: Callable[[], None]) -> bool:
        """From now on `stop` calls `end`; False when it was asked to stop already."""
        with self._lock:
            self._end = end
            return not self.stopped

    def detach(self) -> None:
        """The query is over; `stop` ends nothing any more."""
        with self._lock:
            self._end = None

    def stop(self) -> None:
        """End the query, or keep it from beginning."""
        with self._lock:
            self.stopped = True
            if self._end is not None:
                self._end()


def start_child() -> subprocess.Popen[bytes]:
    """A process that waits for its request. It ends when the thread that started it ends."""
    return subprocess.Popen(  # noqa: S603 - our own program, no shell
        # Isolated mode: neither PYTHON* variables nor the current folder reach the child.
        [sys.executable, "-I", str(_CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # Arrow's own allocator keeps what it was given, which the limit of memory would count.
        env={"HOME": _NOWHERE, "LANG": "C.UTF-8", "ARROW_DEFAULT_MEMORY_POOL": "system"},
        cwd="/",
        start_new_session=True,
    )


def kill_child(child: subprocess.Popen[bytes]) -> None:
    """End a process that another thread reads from, which notices it by the end of what it reads."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def stop_child(child: subprocess.Popen[bytes]) -> None:
    """End a process with everything that it started, and let go of it; nothing happens when it has ended."""
    if child.poll() is None:
        kill_child(child)
        child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None and not pipe.closed:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


class Sandboxes:
    """Keeps `warm` processes ready once the first query was asked. Safe to use from several threads."""

    def __init__(self, warm: int) -> None:
        self._warm = warm
        self._ready: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self._asked = threading.Semaphore(0)
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def take(self) -> subprocess.Popen[bytes]:
        """A process for one query. The caller ends it."""
        with self._lock:
            if self._thread is None:
                # The kernel ends a child with the thread that started it, so one thread starts all of them.
                self._thread = threading.Thread(target=self._start_children, name="sandboxes", daemon=True)
                self._thread.start()
                for _ in range(self._warm):
                    self._asked.release()
        self._asked.release()
        while True:
            child = self._ready.get(timeout=_START_S)
            if child.poll() is None:
                return child
            stop_child(child)  # it died while it waited
            self._asked.release()

    def close(self) -> None:
        """End the processes that wait; those at work are ended by who took them."""
        self._closing.set()
        self._asked.release()
        if self._thread is not None:
            self._thread.join(timeout=_START_S)
        with contextlib.suppress(queue.Empty):
            while True:
                stop_child(self._ready.get_nowait())

    def _start_children(self) -> None:
        stand_behind(_NICENESS)
        while True:
            self._asked.acquire()
            if self._closing.is_set():
                return
            try:
                self._ready.put(start_child())
            except OSError:
                _log.exception("a process for queries could not be started")
