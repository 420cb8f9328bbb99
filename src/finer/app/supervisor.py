"""`finer up`: PostgreSQL and every process of Finer on this machine, started, watched and stopped together."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import IO, TextIO

import structlog

from finer.app.copies import Copies, Copy
from finer.app.keys import keyring, prove_keys_at
from finer.app.process import database_url
from finer.app.readiness import is_ready
from finer.kit.errors import Conflict, Unavailable
from finer.kit.migration import migrate
from finer.kit.processor_time import take_short_turns
from finer.kit.settings import Settings
from finer.kit.stopping import StopEvent

_log = structlog.get_logger(__name__)
_LOCK = "supervisor.lock"
_TICK_S = 0.1
_STOP_S = 15.0
_BACKOFF_MAX_S = 5.0
_WAITED_FOR = ("api", "worker")
"""The processes that somebody waits for. The others would take the cores from them while all load their libraries."""
_HEALTHY_S = 10.0  # a process that lived this long starts again at once when it dies
_COPIED = ("api", "worker", "jobs", "sources")
"""The processes whose libraries the template has loaded."""
_PROGRAM = [sys.executable, "-m", "finer.app.cli"]
_READY_S = 120.0
"""How long a restarted API process may take until it serves; after that the others are left as they are."""


@dataclass
class _Child:
    name: str
    command: list[str]
    port: int | None = None
    """Where it listens; None for a process that does not."""
    process: subprocess.Popen[bytes] | Copy | None = None
    started_at: float = 0.0
    failures: int = 0
    start_after: float = 0.0
    restarts: int = field(default=0)


def lock_data_folder(settings: Settings) -> IO[str]:
    """Hold the data folder for this supervisor. Raises Conflict when another one runs on it.

    The file says where Finer answers: port and certificate may be options, which no other command is given.
    """
    settings.data_path.mkdir(parents=True, exist_ok=True)
    # The handle is the lock: it is kept open until the supervisor ends, and the kernel releases it in any case.
    handle = (settings.data_path / _LOCK).open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        handle.close()
        raise Conflict(
            f"Finer already runs on {settings.data_path}. Stop it first, or give another --data-dir and --port."
        ) from error
    handle.truncate(0)
    handle.write(settings.web_url)
    handle.flush()
    return handle


def address_of(settings: Settings) -> str:
    """The address that people open: of the Finer that ran last in the data folder, else that of the settings."""
    try:
        told = (settings.data_path / _LOCK).read_text()
    except OSError:
        told = ""
    return settings.public_url.rstrip("/") or told or settings.web_url


class Supervisor:
    """Starts the embedded PostgreSQL and the processes, restarts what dies, stops all of it on SIGTERM.

    On SIGUSR2 the API processes are restarted one after another, each when the one before it serves again: behind a
    proxy nobody notices. They are copies of a new template, which has loaded what lies on the disk now.
    """

    def __init__(
        self,
        settings: Settings,
        processes: list[str],
        extra: list[list[str]] | None = None,
        log: TextIO | None = None,
    ) -> None:
        """`processes` are finer commands such as `api`; `extra` are finer commands with arguments, started last.

        The API is started as often as the settings say. What the processes log goes to `log`, or to standard error.
        """
        self._settings = settings
        self._log_file = log
        self.url, self._server = database_url(settings)
        self._copies = Copies(_PROGRAM, log)
        self._children = [
            _Child(command[0], command, port)
            for command in [[name] for name in processes] + (extra or [])
            for port in (settings.api_ports if command == ["api"] else [None])
        ]
        self._stop = StopEvent()
        self._answers = threading.Event()
        self._to_restart: list[_Child] = []
        self._load_anew = False
        self._restarting: tuple[_Child, subprocess.Popen[bytes] | Copy] | None = None

    def prepare(self) -> None:
        """Start PostgreSQL, bring its schema up to date, and see that the keys are those of the data."""
        take_short_turns()  # PostgreSQL and all processes have them from here
        self._copies.start(self._environment())
        if self._server is not None:
            self._server.start()
        migrate(self.url, keyring(self._settings))
        prove_keys_at(self.url, self._settings)

    def run(self, ready: Callable[[], None]) -> None:
        """Start the processes, call `ready` once, and watch until a signal asks to stop.

        `ready` returns when the API answers; processes that nobody waits for are started then.
        """

        def announce() -> None:
            try:
                ready()
            finally:
                self._answers.set()

        asking = [signal.SIGTERM, signal.SIGINT]
        if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
            # A closed terminal tells this process alone: the others are in sessions of their own. `nohup` ignores it.
            asking.append(signal.SIGHUP)
        previous = {number: signal.signal(number, self._on_signal) for number in asking}
        previous[signal.SIGUSR2] = signal.signal(signal.SIGUSR2, self._on_restart)
        try:
            announcer = threading.Thread(target=announce, daemon=True)
            announcer.start()
            while not self._stop.wait(_TICK_S):
                self._watch()
        finally:
            self.stop()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Stop the processes in reverse order, then PostgreSQL."""
        self._copies.stop()
        for child in reversed(self._children):
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + _STOP_S + self._settings.drain_s
        for child in reversed(self._children):
            if child.process is not None:
                try:
                    child.process.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    _log.warning("process did not stop in time and is killed", process=child.name)
                    child.process.kill()
                    child.process.wait()
        if self._server is not None:
            self._server.stop()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _on_restart(self, _number: int, _frame: FrameType | None) -> None:
        self._to_restart = [child for child in self._children if child.port is not None]
        self._load_anew = True

    def _watch(self) -> None:
        if self._server is not None and not self._server.running():
            _log.error("PostgreSQL is gone; it is started again")
            try:
                self._server.start()
            except Unavailable as error:
                _log.error("PostgreSQL could not be started", error=error.detail)
                return
        if self._load_anew:
            self._load_anew = False
            self._copies.start(self._environment())
        self._copies.watch()
        now = time.monotonic()
        for child in self._children:
            if child.process is None:
                if now >= child.start_after and (child.name in _WAITED_FOR or self._answers.is_set()):
                    self._start(child, now)
            elif (code := child.process.poll()) is not None:
                self._ended(child, code, now)
        self._copies.bury({child.process.pid for child in self._children if child.process is not None})
        self._restart_next(now)

    def _restart_next(self, now: float) -> None:
        """Restart the next API process that is to be, unless the one before it does not serve yet."""
        if self._restarting is not None:
            child, left = self._restarting
            if child.process in (None, left) or child.port is None:
                return  # the old one still answers what it took, or the new one is about to start
            if is_ready(self._settings, child.port, timeout_s=0.5):
                _log.info("API process was restarted", port=child.port)
                self._restarting = None
            elif now - child.started_at > _READY_S:
                _log.error("a restarted API process does not serve; the others are left as they are", port=child.port)
                self._restarting, self._to_restart = None, []
        elif self._to_restart and not self._copies.loading() and (child := self._to_restart.pop(0)).process is not None:
            self._restarting = child, child.process
            child.process.terminate()

    def _environment(self) -> dict[str, str]:
        return os.environ | self._settings.environment() | {"FINER_SUPERVISOR_PID": str(os.getpid())}

    def _start(self, child: _Child, now: float) -> None:
        own = {} if child.port is None else {"FINER_PORT": str(child.port)}
        if child.name in _COPIED:
            if self._copies.loading():
                return  # it is there sooner than a process that would load all of it as well
            child.process = self._copies.make(child.command, own)
        if child.process is None:
            child.process = subprocess.Popen(  # noqa: S603 - our own commands
                _PROGRAM + child.command,
                env=self._environment() | own, stdin=subprocess.DEVNULL, stderr=self._log_file,
                # Linux shares the processors among sessions first: in one of its own, none waits for what another uses.
                start_new_session=True,
            )  # fmt: skip
        child.started_at = now

    def _ended(self, child: _Child, code: int, now: float) -> None:
        ended, child.process = child.process, None
        if self._restarting == (child, ended):
            child.start_after, child.failures = now, 0
            return
        if code == 0 and child.name == "demo":
            child.start_after = float("inf")
            return
        child.restarts += 1
        child.failures = 0 if now - child.started_at > _HEALTHY_S else child.failures + 1
        child.start_after = now + min(_BACKOFF_MAX_S, 0.1 * 2**child.failures if child.failures else 0.0)
        _log.error("process ended; it is started again", process=child.name, exit_code=code, restarts=child.restarts)
