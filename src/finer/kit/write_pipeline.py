"""Transactions that only write, each sent to the server in one round trip."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import NoReturn, cast

import sqlalchemy as sa

from finer.kit.actors import Actor
from finer.kit.clock import Clock, SystemClock
from finer.kit.db import NOTIFY, Connection, connect, errors_told
from finer.kit.round_trip import RoundTrip
from finer.kit.tx import Tx

_TENANT = "select set_config('finer.tenant', %s, true)"
# The commit does not wait for the disk, and whoever notifies in it holds up no other.
_TENANT_AHEAD = f"{_TENANT}, set_config('synchronous_commit', 'off', true)"
# A commit of its own that waits for the disk, and for a standby where there is one: for all before it as well.
FLUSH = "select pg_logical_emit_message(true, 'finer', '')"


class Durable(Enum):
    """When what a transaction writes outlives a crash of the server."""

    FIRST = "before anybody sees it"
    LAST = "when its block ends; others see it, and are woken, before that"
    LATER = "when the next transaction is that saw it, or within a second"


class WritePipeline:
    """Transactions that only write, each sent to the server in one round trip. For one thread at a time.

    `Tx.write` queues a statement; whatever is wrong with any of them is raised when the block ends, and nothing is
    kept then. The connection is opened again after a failure.
    """

    def __init__(self, url: str, role: str, *, name: str, clock: Clock | None = None) -> None:
        self._url, self._role, self._name = url, role, name
        self._clock: Clock = clock or SystemClock()
        self._connection: Connection | None = None
        self._round_trip: RoundTrip | None = None
        self._under_way: RoundTrip | None = None

    def connect(self) -> None:
        """Be connected: anew where the server closed the connection while nothing was under way.

        A crash of the server may take away what others committed just before (decision 0061). Whoever reads such
        things between this and a transaction does not get the transaction through then.
        """
        if self._round_trip is not None and self._round_trip.is_closed():
            self.close()
        if self._round_trip is None:
            self._round_trip = self._begin()

    @contextmanager
    def transaction(
        self, tenant: uuid.UUID, actor: Actor, durable: Durable = Durable.FIRST, *, wait: bool = True
    ) -> Iterator[Tx]:
        """One transaction for one tenant: committed when the block ends, and only then are its listeners woken.

        Who writes one that is durable later tells nobody that it is kept: that is for whoever takes it up.

        Without `wait` the block ends when all is sent. `finish` waits for the server's answer and raises what was
        wrong; until then no other can begin.
        """
        round_trip, self._round_trip = self._round_trip or self._begin(), None
        try:
            with errors_told():
                round_trip.add("begin")
                round_trip.add(_TENANT if durable is Durable.FIRST else _TENANT_AHEAD, (str(tenant),))
                tx = Tx(connection=_NO_READS, tenant=tenant, actor=actor, clock=self._clock, round_trip=round_trip)
                tx.ahead = durable is not Durable.FIRST
                yield tx
                if durable is Durable.FIRST:
                    round_trip.add("commit")
                for notification in tx.notifications:
                    round_trip.add(NOTIFY, notification)
                if durable is not Durable.FIRST:
                    round_trip.add("commit")
                if durable is Durable.LAST:
                    round_trip.add(FLUSH)
                round_trip.send()
        except BaseException:
            self.close()
            raise
        self._under_way = round_trip
        if wait:
            self.finish()

    def finish(self) -> None:
        """Wait for the answer to the transaction that is under way, if any is, and raise what was wrong with it."""
        if self._under_way is None:
            return
        try:
            with errors_told():
                self._under_way.answers()
        except BaseException:
            self.close()
            raise
        self._round_trip, self._under_way = self._under_way, None

    @property
    def awaits(self) -> int | None:
        """The socket on which the answer to what is under way will come; None where nothing is."""
        return None if self._under_way is None or self._connection is None else self._connection.fileno()

    def is_answered(self) -> bool:
        """Whether `finish` has an answer to read."""
        return self._under_way is not None and self._under_way.is_answered()

    def _begin(self) -> RoundTrip:
        if self._under_way is not None:
            raise RuntimeError("A transaction is under way; wait for its answer first.")
        self._connection = connect(self._url, self._role, name=self._name)
        return RoundTrip(self._connection)

    def close(self) -> None:
        """Give the connection back to the server."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._round_trip = self._under_way = None


class _NoReads:
    """Stands where a pipelined transaction has no connection that could answer."""

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError(f"A pipelined transaction only writes, by Tx.write; {name} would wait for an answer.")


_NO_READS = cast(sa.Connection, _NoReads())
