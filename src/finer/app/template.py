"""The template of `finer up`: a process that has loaded what API, worker, jobs and sources need, and copies itself.

Each of them would load the same libraries for one to two seconds, and hold them once more in memory. A copy (fork) has
them at once, and shares what it does not change. That is safe because the template does nothing else: it opens nothing,
configures nothing and runs a single thread, and refuses to copy itself otherwise. `finer.app.copies` is the other side.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

from finer.app.process import die_with_supervisor

ASKED_BYTES_MAX = 4096
READY, BEGIN = b"ready", b"begin"
_LINEAR_ALGEBRA = "scipy.linalg.cython_blas"
_LOADED = (
    "finer.app.commands.api",
    "finer.app.commands.worker",
    "finer.app.commands.jobs",
    "finer.app.commands.sources",
    "finer.app.api",  # the web server looks for it when it starts
)


def serve(channel: socket.socket) -> list[str]:
    """Load everything, say that it is there, and make the copies that are asked for.

    Returns in each copy, once it is a child of the supervisor: the command that it is to run. Ends this process when
    the supervisor is gone.
    """
    # What is loaded is no garbage. Looking for some would take a sixth of the time, and a copy that looked through all
    # of it would write to all of it, and share nothing any more.
    gc.disable()
    for module in _LOADED:
        importlib.import_module(module)
    _call_a_kernel()
    gc.freeze()
    gc.enable()
    channel.send(READY)
    while True:
        asked, answers, _, _ = socket.recv_fds(channel, ASKED_BYTES_MAX, 1)
        if not asked:
            sys.exit(0)
        with socket.socket(fileno=answers[0]) as answer:
            if _threads() == 1 and _is_copy():
                return _begin(json.loads(asked), channel.detach(), answer)
        # The answer ends without a word where there is no copy.


def _call_a_kernel() -> None:
    """What numba prepares with the first call of any kernel takes a quarter of a second."""
    import pyarrow as pa  # noqa: PLC0415 - the supervisor reads this file, and loads no Arrow

    from finer.kit.hashing import hash_strings  # noqa: PLC0415 - nor this

    # It takes SciPy's linear algebra along where there is one: another tenth of a second and 16 MiB for nothing, since
    # no kernel multiplies matrices.
    sys.modules[_LINEAR_ALGEBRA] = None  # type: ignore[assignment]
    try:
        hash_strings(pa.array(["any"]))
    finally:
        del sys.modules[_LINEAR_ALGEBRA]


def _threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def _is_copy() -> bool:
    """Fork twice: the process between ends at once, so that the copy becomes a child of the supervisor.

    The template may then die like any other process, and takes nothing along.
    """
    try:
        between = os.fork()
    except OSError:
        return False
    if between:
        os.waitpid(between, 0)
        return False
    between = os.getpid()
    try:
        os.fork()
    finally:
        if os.getpid() == between:
            os._exit(0)
    while os.getppid() == between:
        time.sleep(0.0005)
    return True


def _begin(asked: dict[str, Any], channel: int, answer: socket.socket) -> list[str]:
    """Become what a process is that was started afresh, and tell the supervisor, which has the last word."""
    die_with_supervisor()
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, channel)  # the channel is standard input
    os.close(nothing)
    answer.send(str(os.getpid()).encode())
    if answer.recv(len(BEGIN)) != BEGIN:
        sys.exit("finer: the supervisor waited no longer for this process")
    os.environ.update(asked["environment"])
    command: list[str] = asked["command"]
    _show_as(command)
    sys.argv[1:] = command
    return command


def _show_as(command: list[str]) -> None:
    """Let `ps` show the command of this process in place of the template's, as far as the room of that one goes."""
    words = Path("/proc/self/cmdline").read_bytes().rstrip(b"\0").split(b"\0")[:-1]
    shown = b" ".join([*words, *map(os.fsencode, command)])
    # proc_pid_stat(5), fields 48 and 49, behind the name of the program, which may hold blanks.
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    begin, end = int(fields[45]), int(fields[46])
    if begin and len(shown) + 2 <= end - begin:
        # An end other than zero tells the kernel that it is one text now, up to the first zero.
        ctypes.memmove(begin, shown.ljust(end - begin - 1, b"\0") + b"\1", end - begin)
