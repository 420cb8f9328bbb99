"""Processes of `finer up` as copies of one that has loaded everything: children like others, and none without it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from finer.app import copies
from finer.app.copies import Copies

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone hands children on")
PROGRAM = [sys.executable, "-m", "finer.app.cli"]
_PATIENCE_S = 60


@pytest.fixture(scope="module")
def log() -> Iterator[Path]:
    """Where the copies write what they have to say."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "log"


@pytest.fixture(scope="module")
def made(log: Path) -> Iterator[Copies]:
    """Copies of a template that is ready."""
    with log.open("w") as file:
        found = Copies(PROGRAM, file)
        found.start(os.environ | {"FINER_LOG_LEVEL": "loud"})
        _until(lambda: not _loading(found))
        yield found
        found.stop()


def test_a_copy_runs_a_command_of_its_own_and_its_end_is_seen(made: Copies, log: Path) -> None:
    good, bad = made.make(["--version"], {}), made.make(["fly"], {})
    assert good is not None
    assert bad is not None
    assert (good.wait(_PATIENCE_S), bad.wait(_PATIENCE_S)) == (0, 2)
    # It has the environment of the template, and what is given for it alone.
    for given, named in (({}, "FINER_LOG_LEVEL"), ({"FINER_LOG_LEVEL": "info", "FINER_PORT": "a lot"}, "port")):
        copy = made.make(["verify"], given)
        assert copy is not None
        assert copy.wait(_PATIENCE_S) == 1
        assert named.lower().removeprefix("finer_") in log.read_text().splitlines()[-1]


def test_the_template_runs_one_thread_so_that_its_copies_lack_none(made: Copies) -> None:
    assert made._process is not None
    assert psutil.Process(made._process.pid).num_threads() == 1


def test_a_copy_is_as_a_process_that_was_started_afresh(made: Copies) -> None:
    assert made._channel is not None
    answer, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        socket.send_fds(made._channel, [b'{"command": ["--version"], "environment": {}}'], [its.fileno()])
    copy = psutil.Process(int(answer.recv(32)))
    assert copy.ppid() == os.getpid()
    assert os.getsid(copy.pid) == copy.pid
    opened = {one.name: str(one.readlink()) for one in Path(f"/proc/{copy.pid}/fd").iterdir()}
    # Standard output, the log, and where it answers: nothing of the template.
    assert (len(opened), opened["0"]) == (4, os.devnull)
    # It begins when it is told to, and not when nobody waits for it any more.
    answer.close()
    assert copy.wait(_PATIENCE_S) == 1


def test_a_template_that_does_not_answer_is_made_anew_and_takes_nothing_along(
    made: Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "_AGAIN_S", 0.0)
    monkeypatch.setattr(copies, "_ANSWER_S", 0.2)
    assert made._process is not None
    before, copy = made._process, made.make(["--version"], {})
    before.send_signal(signal.SIGSTOP)
    assert made.make(["--version"], {}) is None
    assert before.wait(_PATIENCE_S) == -signal.SIGKILL
    assert made.make(["--version"], {}) is None  # nor does one that is dead
    assert copy is not None
    assert copy.wait(_PATIENCE_S) == 0
    made.watch()
    assert made.loading()
    monkeypatch.undo()
    _until(lambda: not _loading(made))
    again = made.make(["--version"], {})
    assert again is not None
    assert again.wait(_PATIENCE_S) == 0


@pytest.mark.parametrize("program", ["raise SystemExit(3)", "import time; time.sleep(60)"], ids=["dies", "hangs"])
def test_a_template_that_does_not_load_is_done_without(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_LOAD_S", 0.5)
    broken = Copies([sys.executable, "-c", program], None)
    broken.start(dict(os.environ))
    assert broken.loading()
    _until(lambda: not _loading(broken))
    assert broken.make(["--version"], {}) is None
    # Those whose parent is gone still come here.
    orphan = _orphan_that_ends()
    others = {child.pid for child in psutil.Process().children()} - {orphan.pid}
    _until(lambda: not _left_after_burying(broken, others, orphan))
    broken.stop()


def test_processes_whose_parent_is_gone_are_buried_and_others_left(made: Copies) -> None:
    own = subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"])
    orphan = _orphan_that_ends()

    def buried() -> bool:
        left = _left_after_burying(made, {own.pid}, orphan)
        own.poll()
        return not left

    _until(buried)
    assert own.wait() == 7


def test_the_end_of_a_copy_is_seen_where_the_end_of_children_was_to_be_ignored() -> None:
    # As some of those do that start `finer up`: who waits for a child that has ended is told then that there is none.
    code = (
        "import os, signal, sys, time; signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "from finer.app.copies import Copies\n"
        f"made = Copies({PROGRAM}, None); made.start(dict(os.environ))\n"
        "while made.loading(): made.watch(); time.sleep(0.02)\n"
        "copy = made.make(['fly'], {}); print(copy.wait(60)); made.stop()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "2\n"


def test_what_is_no_socket_of_a_supervisor_is_told() -> None:
    done = subprocess.run([*PROGRAM, "template"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "`finer up` starts this by itself" in done.stderr


def _orphan_that_ends() -> psutil.Process:
    """A process that came here when its own parent ended, and that ends by now."""
    program = "import os, sys; pid = os.fork(); pid and print(pid, flush=True); pid and os._exit(0); sys.stdin.read()"
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdin is not None
    orphan = psutil.Process(int(parent.stdout.readline()))
    parent.wait()
    _until(lambda: orphan.ppid() == os.getpid())
    parent.stdin.close()
    parent.stdout.close()
    return orphan


def _left_after_burying(found: Copies, known: set[int], orphan: psutil.Process) -> bool:
    found.bury(known)
    return bool(psutil.pid_exists(orphan.pid))


def _loading(found: Copies) -> bool:
    found.watch()
    return found.loading()


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "It did not come about in time."
        time.sleep(0.02)
