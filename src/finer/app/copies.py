"""Copies of the template (`finer.app.template`), as the supervisor sees them: asked for, watched and ended."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TextIO

import structlog

from finer.app.template import BEGIN, READY

_log = structlog.get_logger(__name__)
_PR_SET_CHILD_SUBREAPER = 36
_ANSWER_S = 10.0
"""How long a copy may take to be there: some hundredths of a second, and more on a machine that is short of memory."""
_LOAD_S = 60.0
_AGAIN_S = 5.0
"""A template that lived shorter than this is not made anew before it would have."""
_LOOK_S = 0.02


class Copy:
    """A child that the kernel handed to this process; it is asked as one of `subprocess.Popen` is."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """How it ended, None while it runs: its exit code, or the negative number of the signal."""
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired after `timeout` seconds, if it is given."""
        began = time.monotonic()
        while (code := self.poll()) is None:
            if timeout is not None and time.monotonic() - began > timeout:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(_LOOK_S)
        return code

    def terminate(self) -> None:
        """Ask it to stop."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        # Its process id is its own for as long as nobody has asked how it ended.
        if self.poll() is None:
            os.kill(self.pid, number)


class Copies:
    """Makes copies of a template that it starts, watches and makes anew. Linux alone hands children on as it needs."""

    def __init__(self, program: list[str], log: TextIO | None) -> None:
        """`program` is the command line in front of a finer command."""
        self._command = [*program, "template"]
        self._log_file = log
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._ready = False
        self._adopts = False
        self._started_at = 0.0

    def start(self, environment: dict[str, str]) -> None:
        """Begin to load a template with this environment, in the place of the one that there may be."""
        self.stop()
        if sys.platform.startswith("linux"):
            # Where whoever started this process had it ignore the end of children, none could be waited for.
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._adopts = ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
        if not self._adopts:
            return
        self._environment = environment
        self._channel, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Arrow's second allocator, which Finer does not use, would keep a thread; and threads are not copied.
        settled = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
        with its:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._command,
                env=environment | settled,
                stdin=its.fileno(),
                stderr=self._log_file,
                start_new_session=True,
            )
        self._started_at, self._ready = time.monotonic(), False

    def stop(self) -> None:
        """End the template; its copies go on."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def loading(self) -> bool:
        """Whether the template will be there soon, so that it is worth while to wait for it."""
        return self._process is not None and not self._ready

    def watch(self) -> None:
        """See whether the template is ready, and make it anew when it died."""
        if self._process is None or self._channel is None:
            return
        if not self._ready and self._process.poll() is None:
            try:
                self._ready = self._channel.recv(len(READY), socket.MSG_DONTWAIT) == READY
            except BlockingIOError:
                if time.monotonic() - self._started_at < _LOAD_S:
                    return
            if not self._ready:
                self._process.kill()
                self._process.wait()
        if (code := self._process.poll()) is None:
            return
        if not self._ready:
            _log.error("the template of processes did not load; each process loads for itself", exit_code=code)
            self.stop()
        elif time.monotonic() - self._started_at > _AGAIN_S:
            _log.error("the template of processes ended; it is made anew", exit_code=code)
            self.start(self._environment)

    def make(self, command: list[str], environment: dict[str, str]) -> Copy | None:
        """A copy that runs a finer command, with these variables beside those of the template; None without a template.

        Whoever gets none starts the command as a process of its own.
        """
        if self._process is None or self._channel is None or not self._ready:
            return None
        answer, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with answer:
            answer.settimeout(_ANSWER_S)
            try:
                with its:
                    asked = json.dumps({"command": command, "environment": environment})
                    socket.send_fds(self._channel, [asked.encode()], [its.fileno()])
                told = answer.recv(32)
                if told:
                    answer.send(BEGIN)
                    return Copy(int(told))
            except OSError as error:
                # It has died, or does not answer, and is made anew. A copy that comes too late is not told to begin,
                # and ends.
                _log.warning("no copy of the template could be made", command=command, error=str(error))
                self._process.kill()
                return None
        _log.warning("the template makes no copy of itself", command=command)
        return None

    def bury(self, known: set[int]) -> None:
        """Let the system forget processes that ended here because their own parent had gone, all but the known ones.

        They come here for as long as this process lives, with a template or without one.
        """
        while self._adopts:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            template = None if self._process is None else self._process.pid
            if found is None or found.si_pid in known or found.si_pid == template:
                return
            os.waitpid(found.si_pid, 0)
