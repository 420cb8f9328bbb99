"""A database that neither answers nor ends its connections: stopped, or lost by the network in between.

Whoever asked it would wait for ever, and keep a thread. So once the listener, which asks twice a second, has heard
nothing for some time, and no other connection is answered either, all connections of the process end, and none is
opened until the listener has heard again. Where another one is answered, that of the listener alone is begun anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from finer.kit.database_gone import DatabaseGone, not_there
from finer.kit.db import server_answers, server_is_silent
from finer.kit.errors import FinerError

_log = structlog.get_logger(__name__)
_PATIENCE_S = 8.0
_STEP_S = 0.5


def told(error: Exception) -> FinerError | None:
    """What callers are told of an error that says that the database is not there; None of what nobody foresaw.

    The framework wraps what a transaction says of its end when a route failed in it: that somebody else holds a lock.
    """
    for one in error.exceptions if isinstance(error, ExceptionGroup) else (error,):
        if isinstance(one, FinerError):
            return one
        if not_there(one):
            _log.warning("the database is not there", error=str(one).partition("\n")[0])
            return DatabaseGone()
    return None


class SilenceWatch:
    """A thread that compares what `heard_at` gives with what it gave before."""

    def __init__(
        self, heard_at: Callable[[], float], answers: Callable[[], bool], renew: Callable[[], None] = lambda: None
    ) -> None:
        """`answers` asks once more, when nothing was heard: a server that is back may not have the listener yet.

        `renew` is for a listener that hears nothing of a server that answers.
        """
        self._heard_at, self._answers, self._renew = heard_at, answers, renew
        self._heard, self._steps, self._told = heard_at(), 0, False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="silence", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        self._thread.join(timeout=5)
        server_answers(True)

    def look(self) -> None:
        """Look whether anything was heard; the thread does twice a second."""
        # Who opened a connection meanwhile was answered, though the listener may still be about to open its own.
        if (now := self._heard_at()) != self._heard or (self._told and not server_is_silent()):
            self._heard, self._steps, self._told = now, 0, False
            server_answers(True)
            return
        self._steps += 1
        if self._steps * _STEP_S % _PATIENCE_S:
            return
        if self._answers():
            self._renew()
        else:
            _log.error("the database does not answer; who waits for it is told so", waited_s=_PATIENCE_S)
            server_answers(False)
            self._told = True

    def _run(self) -> None:
        # Steps are counted and no clock is read: the time that this machine slept is no silence.
        while not self._stop.wait(_STEP_S):
            self.look()
