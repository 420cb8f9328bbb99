"""The threads that sign-ins run on: few, and of their own, so that they never take the turn of decisions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from finer.identity.errors import SignInBusy

_T = TypeVar("_T")


class SignInPool:
    """Threads for sign-ins alone, and few: hashing passwords must not take the others' turn.

    Who finds all places taken, the waiting ones included, is told so at once instead of piling up.
    """

    def __init__(self, threads: int = 2, waiting: int = 30) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="sign-in")
        self._places = threading.Semaphore(threads + waiting)

    async def run(self, function: Callable[..., _T], *arguments: Any) -> _T:
        """The answer of a function that ran on the pool. Raises SignInBusy."""
        if not self._places.acquire(blocking=False):
            raise SignInBusy("Many people are signing in at this moment. Try again in a few seconds.", retry_after_s=3)
        running = self._executor.submit(copy_context().run, function, *arguments)
        running.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(running)


HASHING = SignInPool()
"""Where passwords and codes are checked: what it does costs a slow hash."""
SIGNING = SignInPool(threads=1)
"""Where passkeys and links are checked: quick, and not to wait behind passwords."""
