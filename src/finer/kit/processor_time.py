"""How Linux shares its processors among the threads of Finer: who is let in at once, and who stands behind."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
import threading
import time
from pathlib import Path

_SHORT_TURN_NS = 100_000  # the shortest that Linux takes; its own is 1.4 ms on two processors
_SET_ATTRIBUTES = {"x86_64": 314, "aarch64": 274, "riscv64": 274}
"""The number of the system call sched_setattr(2), for which the C library of most systems has no function yet."""
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")  # struct sched_attr of linux/sched/types.h in its first version, 48 bytes
_AUTOGROUP = Path("/proc/self/autogroup")
_ATTEMPTS, _BETWEEN_S = 50, 0.11


def take_short_turns() -> None:
    """Ask for turns of a tenth of a millisecond for the calling thread and for whatever it starts from now on.

    A decision passes through six processes that each compute for a fraction of a millisecond. One that wakes while
    another thread has the processor is let in at once when it asks for a shorter turn, and waits for the end of that
    turn otherwise. Linux has this since 6.12 (EEVDF, sched_setattr(2)); elsewhere nothing changes.
    """
    _ask_for_turns_of(_SHORT_TURN_NS)


def stand_behind(niceness: int) -> None:
    """Let the calling thread, and whatever it starts from now on, wait for threads of less niceness, with long turns.

    Linux weighs sessions against each other before it looks at the niceness of the threads in them (sched(7), "The
    autogroup feature"), so a process that leads a session of its own gives that niceness to the session too.
    """
    if not sys.platform.startswith("linux"):
        # Elsewhere niceness is that of the process, which other threads of it would have to bear.
        if threading.current_thread() is threading.main_thread():
            os.nice(max(0, niceness - os.nice(0)))
        return
    thread = threading.get_native_id()
    # Whoever started Finer may have given it more already (`nice`, systemd), and only root takes that back.
    niceness = max(niceness, os.getpriority(os.PRIO_PROCESS, thread))
    os.setpriority(os.PRIO_PROCESS, thread, niceness)
    # Short turns would make work that is often put off still slower, also where it holds what others wait for.
    _ask_for_turns_of(0)
    if thread == os.getsid(0) and _AUTOGROUP.exists():
        _weigh_session(niceness)


def _weigh_session(niceness: int) -> None:
    for _ in range(_ATTEMPTS):
        try:
            _AUTOGROUP.write_text(str(niceness))
        except BlockingIOError:
            time.sleep(_BETWEEN_S)  # Linux takes one such change in a tenth of a second from all users but root
        except OSError:
            return  # a container may forbid it, and groups the processes itself then
        else:
            return


def _ask_for_turns_of(nanoseconds: int) -> None:
    """Zero asks for the turns that Linux gives by itself."""
    call = _SET_ATTRIBUTES.get(platform.machine())
    if call is None or not sys.platform.startswith("linux"):
        return
    kept = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    # Policy and flags of zero: shared by niceness as before. An older kernel refuses or ignores the length.
    attributes = _ATTRIBUTES.pack(_ATTRIBUTES.size, 0, 0, kept, 0, nanoseconds, 0, 0)
    ctypes.CDLL(None).syscall(call, 0, attributes, 0)
