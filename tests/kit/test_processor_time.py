"""Turns and weights that Linux gives to threads, read back from the kernel by processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_READ = """
import os
from pathlib import Path
def turn():
    lines = Path("/proc/self/sched").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("se.slice")), "unknown")
def group():
    return Path("/proc/self/autogroup").read_text().rsplit(" ", 1)[-1].strip()
"""
_KERNEL = tuple(int(part) for part in os.uname().release.split(".")[:2]) if sys.platform == "linux" else (0, 0)
_turns = pytest.mark.skipif(
    _KERNEL < (6, 12) or "se.slice" not in Path("/proc/self/sched").read_text(), reason="Linux before 6.12"
)
_groups = pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="no groups of sessions in this Linux")


def _said(program: str, *, session: bool = False) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", _READ + program], capture_output=True, text=True, check=True, start_new_session=session
    )
    return done.stdout.split()


@_turns
def test_short_turns_go_to_what_is_started_and_end_with_standing_behind() -> None:
    program = """
import subprocess, sys
from finer.kit.processor_time import stand_behind, take_short_turns
ordinary = turn()
take_short_turns()
here = turn()
child = subprocess.run(["grep", "^se.slice", "/proc/self/sched"], capture_output=True, text=True).stdout.split()[-1]
stand_behind(7)
print(here, child, turn() == ordinary, ordinary != here, os.nice(0))
"""
    assert _said(program) == ["100000", "100000", "True", "True", "7"]


def test_a_thread_stands_behind_alone() -> None:
    program = """
import threading
from finer.kit.processor_time import stand_behind
inside = []
def work():
    stand_behind(9)
    inside.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
thread = threading.Thread(target=work)
thread.start()
thread.join()
print(inside[0], os.getpriority(os.PRIO_PROCESS, 0))
"""
    assert _said(program) == ["9", "0"]


def test_whoever_has_more_niceness_already_keeps_it_and_goes_on() -> None:
    # Only root may take niceness back, and jobs that were started by `nice` ended with an error, again and again.
    program = """
from finer.kit.processor_time import stand_behind
os.nice(15)
if os.geteuid() == 0:
    os.setuid(65534)
stand_behind(10)
print(os.getpriority(os.PRIO_PROCESS, 0))
"""
    assert _said(program, session=True) == ["15"]


@_groups
def test_sessions_that_are_weighed_at_once_by_another_user_than_root_are_all_weighed() -> None:
    program = """
import ctypes, sys
from finer.kit.processor_time import stand_behind
if os.geteuid() == 0:
    os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1)  # PR_SET_DUMPABLE: what is its own under /proc is its own again
for leader in range(3):
    read, write = os.pipe()
    if os.fork() == 0:
        os.setsid()
        stand_behind(10 + leader)
        os.write(write, group().encode())
        os._exit(0)
    print(os.read(read, 10).decode())
"""
    assert _said(program) == ["10", "11", "12"]


@_groups
def test_a_session_gets_the_niceness_of_the_process_that_leads_it() -> None:
    program = "from finer.kit.processor_time import stand_behind\nstand_behind(10)\nprint(group())"
    assert _said(program, session=True) == ["10"]


@_groups
def test_a_child_does_not_change_the_session_that_it_is_part_of() -> None:
    program = """
from finer.kit.processor_time import stand_behind
child = os.fork()
if child == 0:
    stand_behind(10)
    os._exit(0)
os.waitpid(child, 0)
print(group())
"""
    assert _said(program, session=True) == ["0"]
