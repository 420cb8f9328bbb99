"""An event that a signal handler may set."""

from __future__ import annotations

import threading
import time

_LOOK_S = 0.05


class StopEvent(threading.Event):
    """Set by the handler of a signal, waited for by the code that the signal interrupts.

    The one of the standard library takes a lock to be set. A handler runs in the main thread, in the middle of whatever
    that does: when it is about to wait for the event, it holds that lock, and waits for itself for ever. This one takes
    none, and looks every 50 ms instead.
    """

    def __init__(self) -> None:
        super().__init__()
        self._asked = False

    def is_set(self) -> bool:
        """Whether it was set."""
        return self._asked

    def set(self) -> None:
        """Set it; whoever waits goes on within 50 ms."""
        self._asked = True

    def clear(self) -> None:
        """Take it back."""
        self._asked = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, or for `timeout` seconds; whether it is set."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._asked:
            left = _LOOK_S if deadline is None else deadline - time.monotonic()
            if left <= 0:
                break
            time.sleep(min(left, _LOOK_S))
        return self._asked
