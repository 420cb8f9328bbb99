"""Work that takes long, one piece at a time: firms take turns, so that the work of one waits for one of each other."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """What waits, by firm. Any thread may put, one takes."""

    def __init__(self, each_max: int) -> None:
        """`each_max` is how many of one firm may wait."""
        self._each_max = each_max
        self._waiting: dict[uuid.UUID, deque[T]] = {}
        self._changed = threading.Condition()
        self._closed = False

    def put(self, firm: uuid.UUID, work: T) -> bool:
        """Let it wait; False, and it does not, when as many of the firm wait as may."""
        with self._changed:
            mine = self._waiting.setdefault(firm, deque())
            if len(mine) >= self._each_max:
                return False
            mine.append(work)
            self._changed.notify()
            return True

    def take(self) -> T | None:
        """The next one, waiting for it; None once this is closed and nothing waits any more."""
        with self._changed:
            while not self._waiting:
                if self._closed:
                    return None
                self._changed.wait()
            firm = next(iter(self._waiting))
            mine = self._waiting.pop(firm)
            work = mine.popleft()
            if mine:
                self._waiting[firm] = mine  # behind all others
            return work

    def close(self) -> None:
        """Nothing is put from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify()
