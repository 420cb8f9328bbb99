"""Group commit: bodies that arrive together are parsed together and become durable in one transaction.

One thread takes whatever waits, so a lone body is not delayed and a flood is committed in large groups. A sender gets
its receipt after the commit, never before. When the workers are too far behind, nothing more is accepted.

A record that breaks its contract costs many times as much as one that keeps it. A body with many such records is taken
by a thread and a transaction of its own, so that nobody else waits for it.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import structlog

from finer.app.contracts import Registry
from finer.app.turns import Turns
from finer.ingest.errors import Laborious
from finer.ingest.service import parsing, quarantine, receipts
from finer.ingest.types.receipts import READER, Receipt
from finer.ingest.types.records import Body, ParsedGroup
from finer.kit.actors import Actor
from finer.kit.crypto.bulk import Sealer
from finer.kit.database_gone import DatabaseGone
from finer.kit.db import API, DATABASE_GONE, UNIQUE_VIOLATION, Database, DatabaseError, connect
from finer.kit.errors import FinerError, TooManyRequests
from finer.kit.log import PostgresLog
from finer.kit.log_failures import set_aside_counts
from finer.kit.settings import Settings
from finer.kit.write_pipeline import FLUSH, Durable, WritePipeline

_log = structlog.get_logger(__name__)
_BACKLOG_EVERY_S = 0.1
_SET_ASIDE_EVERY_S = 5.0
_SLOW_RECORDS_MAX = 1_000
"""Records of a group that may be looked at one by one while others wait: a twentieth of a second."""
_LABORIOUS_MAX = 32
"""Bodies with more of them that may wait at once, of one firm."""
_QUEUE_BYTES_MAX = 256 * 2**20  # bodies waiting in memory; beyond it senders are told to come back


@dataclass
class _Waiting:
    """One body on its way, and the future of the request that sent it."""

    tenant: uuid.UUID
    actor: Actor
    contract: str
    body: Body
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Receipt] = field(repr=False)


_Answered: TypeAlias = tuple[_Waiting, Receipt | BaseException]


class Ingestion:
    """What parses bodies and appends them to the log: one thread of an API process, and one for laborious bodies."""

    def __init__(self, database: Database, settings: Settings, registry: Registry) -> None:
        self._database = database
        self._registry = registry
        self._settings = settings
        self._appends = WritePipeline(database.url, API, name="finer-ingestion")
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._laborious = Turns[_Waiting](_LABORIOUS_MAX)
        # What came in is counted by the event loop alone, and what was answered by each thread for itself: one number
        # changed by two of them would lose a change now and then, and in the end refuse every body.
        self._bytes_in = self._bytes_out = self._laborious_bytes_out = 0
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name="ingestion", daemon=True),
            threading.Thread(target=self._run_laborious, name="laborious", daemon=True),
            threading.Thread(target=self._watch_backlog, name="backlog", daemon=True),
        ]
        self.backlog_events = 0
        self.set_aside_records = 0

    def start(self) -> None:
        """Warm the parsers and begin."""
        parsing.warm()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Commit what waits, then stop."""
        self._stop.set()
        self._queue.put(None)
        for thread in self._threads:
            thread.join(timeout=10)

    async def submit(self, tenant: uuid.UUID, actor: Actor, contract: str, body: Body) -> Receipt:
        """Hand in one body; returns its receipt once every accepted record is durable.

        Raises TooManyRequests when consumers are behind, and what parsing raises for a body that cannot be read.
        """
        return await self.hand_in(tenant, actor, contract, body)

    def hand_in(self, tenant: uuid.UUID, actor: Actor, contract: str, body: Body) -> asyncio.Future[Receipt]:
        """As `submit`, for a caller on the event loop that may wait for something else.

        Whoever awaits the decision of a body hears of its receipt only when something was refused: the decision
        itself says that the record is durable, and waking the event loop for both would cost a third of the way.
        """
        queued = self._bytes_in - self._bytes_out - self._laborious_bytes_out
        if self.backlog_events > self._settings.backlog_events_max or queued > _QUEUE_BYTES_MAX:
            raise TooManyRequests(
                f"{self.backlog_events:,} events wait to be decided, and {queued // 2**20} MiB of bodies to be read; "
                "nothing of this body was accepted. Send it again.",
                retry_after_s=1,
            )
        loop = asyncio.get_running_loop()
        waiting = _Waiting(tenant, actor, contract, body, loop, loop.create_future())
        self._bytes_in += len(body.data)
        self._queue.put(waiting)
        return waiting.future

    def _run(self) -> None:
        while (group := self._next_group()) is not None:
            done: list[_Answered] = []
            for members in _by_tenant_and_contract(group):
                done += self._commit(members)
            self._bytes_out += sum(len(waiting.body.data) for waiting, _ in done)
            _answer(done)
        self._laborious.close()
        self._appends.close()

    def _run_laborious(self) -> None:
        while (waiting := self._laborious.take()) is not None:
            done = self._commit([waiting], alone=True)
            self._laborious_bytes_out += len(waiting.body.data)
            _answer(done)

    def _next_group(self) -> list[_Waiting] | None:
        first = self._queue.get()
        if first is None:
            return None
        group = [first]
        size = len(first.body.data)
        while size < self._settings.group_bytes_max:
            try:
                more = self._queue.get_nowait()
            except queue.Empty:
                break
            if more is None:
                self._queue.put(None)
                break
            group.append(more)
            size += len(more.body.data)
        return group

    def _commit(self, members: list[_Waiting], *, alone: bool = False) -> list[_Answered]:
        """Parse and append the bodies of one tenant and contract; one unreadable body does not fail its neighbours.

        Laborious bodies are not among the answers, unless there is no room for them; one that is `alone` is answered.
        """
        first = members[0]
        try:
            known = self._registry.of(first.tenant).named(first.contract)
            bodies = [waiting.body for waiting in members]
            parsed = parsing.parse_bodies(known, bodies, self._settings, None if alone else _SLOW_RECORDS_MAX)
            answers = (self._append_alone if alone else self._append)(first, parsed)
        except Laborious as found:
            return self._set_aside(members, found.bodies)
        except UNIQUE_VIOLATION:
            # Another process is using the idempotency key of one of them at this moment: only that one is told so.
            if len(members) > 1:
                return [answer for waiting in members for answer in self._commit([waiting])]
            return [(first, receipts.key_reused(str(first.body.idempotency_key)))]
        except DATABASE_GONE as error:
            _log.warning("the database is not there", error=str(error).partition("\n")[0])
            return [(waiting, DatabaseGone()) for waiting in members]
        except FinerError as error:
            return [(waiting, error) for waiting in members]
        except Exception as error:  # noqa: BLE001 - the requests that wait are told, whatever it was
            _log.exception("a group of bodies could not be committed", contract=first.contract)
            return [(waiting, error) for waiting in members]
        return list(zip(members, answers, strict=True))

    def _set_aside(self, members: list[_Waiting], places: Sequence[int]) -> list[_Answered]:
        """Hand the members at these places to the other thread, and commit the rest."""
        done: list[_Answered] = []
        for waiting in (members[place] for place in places):
            if not self._laborious.put(waiting.tenant, waiting):
                told = (
                    f"{_LABORIOUS_MAX} bodies of your firm wait whose records mostly break their contract or have to "
                    "be looked at one by one; nothing of this one was accepted. Send it again."
                )
                done.append((waiting, TooManyRequests(told, retry_after_s=5)))
        taken = set(places)
        rest = [waiting for place, waiting in enumerate(members) if place not in taken]
        return done + (self._commit(rest) if rest else [])

    def _append(self, first: _Waiting, parsed: ParsedGroup) -> list[Receipt | FinerError]:
        # Before receipts are read: one that a crash takes away meanwhile must not be handed out as kept.
        self._appends.connect()
        answered: dict[int, Receipt | FinerError] = {}
        if any(body.idempotency_key is not None for body in parsed.sources):
            with self._database.transaction(first.tenant, first.actor, read_only=True) as tx:
                answered = receipts.replays(tx, parsed)
        seal = self._sealing(first, parsed)
        with self._appends.transaction(first.tenant, first.actor, _durable(parsed)) as tx:
            return receipts.append(tx, parsed, self._settings.partitions, answered, seal)

    def _append_alone(self, first: _Waiting, parsed: ParsedGroup) -> list[Receipt | FinerError]:
        """As `_append`, statement by statement: in one round trip all of them would be held in memory."""
        with self._database.transaction(first.tenant, first.actor) as tx:
            # It waits for the disk also where it writes nothing and brings back a receipt that others have just made.
            tx.write(FLUSH, ())
            return receipts.append(tx, parsed, self._settings.partitions)

    def _sealing(self, first: _Waiting, parsed: ParsedGroup) -> Sealer | None:
        """What seals refused records, when there are any: the transaction that appends only writes."""
        if not any(body.refused for body in parsed.bodies):
            return None
        with self._database.transaction(first.tenant, first.actor) as tx:
            return quarantine.sealing(tx)

    def _watch_backlog(self) -> None:
        look_again = 0.0
        while not self._stop.is_set():
            try:
                with connect(self._database.url, API, name="finer-backlog") as connection:
                    while not self._stop.wait(_BACKLOG_EVERY_S):
                        heads = PostgresLog.heads(connection)
                        consumed = PostgresLog.consumed(connection, READER)
                        self.backlog_events = sum(head - consumed.get(at, 0) for at, head in heads.items())
                        if time.monotonic() > look_again:
                            counts = set_aside_counts(connection)
                            self.set_aside_records = sum(records for _, records in counts.values())
                            look_again = time.monotonic() + _SET_ASIDE_EVERY_S
            except DatabaseError as error:
                _log.warning("the backlog cannot be read", error=str(error))
                self._stop.wait(1)


def _durable(parsed: ParsedGroup) -> Durable:
    """The worker begins before the disk has the records: what it commits stands behind them in the server's log.

    So a decision is told of when both are on the disk; only a receipt has to wait for its records. One that is repeated
    by its key waits as well: the disk may not have the first yet.
    """
    told = any(source.awaited is None for source in parsed.sources) or any(body.refused for body in parsed.bodies)
    return Durable.LAST if told else Durable.LATER


def _by_tenant_and_contract(group: Sequence[_Waiting]) -> list[list[_Waiting]]:
    found: dict[tuple[uuid.UUID, str, bool], list[_Waiting]] = {}
    for waiting in group:
        found.setdefault((waiting.tenant, waiting.contract, waiting.body.awaited is not None), []).append(waiting)
    return list(found.values())


def _answer(done: list[_Answered]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Answered]] = {}
    for waiting, result in done:
        if waiting.body.awaited is not None and isinstance(result, Receipt) and not result.quarantined:
            continue  # its decision is what is waited for
        by_loop.setdefault(waiting.loop, []).append((waiting, result))
    for loop, results in by_loop.items():
        loop.call_soon_threadsafe(_resolve, results)


def _resolve(results: list[_Answered]) -> None:
    for waiting, result in results:
        if waiting.future.done():
            continue
        if isinstance(result, BaseException):
            waiting.future.set_exception(result)
        else:
            waiting.future.set_result(result)
