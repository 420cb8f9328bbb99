"""POST /decisions: the one way of every record, awaited.

The body goes through ingestion like any other; the worker stores the decision in the transaction that consumes the
event and notifies; this class hands the stored decision to the request that waits. Idempotent by event id.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping

import msgspec

from finer.app.ingestion import Ingestion
from finer.decisions.errors import EventIdReused
from finer.decisions.service import alerts as decisions
from finer.decisions.types.alerts import Decision
from finer.identity.types.access import Principal
from finer.ingest.types.receipts import Receipt
from finer.ingest.types.records import Body
from finer.kit.actors import SYSTEM
from finer.kit.db import Database
from finer.kit.errors import InvalidInput, Unavailable, Unprocessable

_Key = tuple[uuid.UUID, str]


class _EventId(msgspec.Struct):
    event_id: str


class Decider:
    """The requests of this process that wait for a decision."""

    def __init__(self, database: Database, ingestion: Ingestion, timeout_s: float) -> None:
        self._database = database
        self._ingestion = ingestion
        self._timeout_s = timeout_s
        self._waiting: dict[_Key, list[asyncio.Future[Decision]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Called on the event loop that the requests run on."""
        self._loop = asyncio.get_running_loop()

    async def decide(self, principal: Principal, body: bytes) -> Decision:
        """The decision for one transaction.

        Raises InvalidInput for a body that is not one JSON object with an event id, Unprocessable when the contract
        refuses it, EventIdReused for another body under the same id, Unavailable when no answer came in time (the
        event is durable then: asking again gives its decision).
        """
        try:
            event_id = msgspec.json.decode(body, type=_EventId).event_id
            canonical = msgspec.json.encode(msgspec.json.decode(body), order="sorted")
        except msgspec.DecodeError as error:
            raise InvalidInput(f"The body must be one JSON object with a text event_id: {error}.") from error
        fingerprint = decisions.content_hash(canonical)
        key = (principal.tenant_id, event_id)
        future: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(future)
        try:
            self._submit(principal, body, fingerprint, future)
            async with asyncio.timeout(self._timeout_s):
                found = await future
        except TimeoutError as error:
            raise Unavailable(
                f"No decision within {self._timeout_s:g} s. The transaction is stored, unless the database stands "
                "still; send the same body again for its decision.",
                retry_after_s=1,
            ) from error
        finally:
            others = self._waiting[key]
            others.remove(future)
            if not others:
                del self._waiting[key]
        return decisions.same_body(found, fingerprint)

    def _submit(self, principal: Principal, body: bytes, fingerprint: bytes, future: asyncio.Future[Decision]) -> None:
        def refused(answer: asyncio.Future[Receipt]) -> None:
            if future.done() or answer.cancelled():
                return
            error = answer.exception()
            future.set_exception(_broken(answer.result()) if error is None else error)

        self._ingestion.hand_in(
            principal.tenant_id,
            principal.actor(),
            "transaction",
            # Within JSON a line break is only space between its parts; here it would end the record.
            Body(data=body.replace(b"\n", b" "), format="ndjson", source="decision", awaited=fingerprint),
        ).add_done_callback(refused)

    def notified(self, payload: str) -> None:
        """A notification from the worker; an empty payload means: look for everything that waits. Listener thread."""
        if self._loop is None:
            return
        if not payload:
            wanted: dict[uuid.UUID, list[str]] = {}
            for tenant, event_id in list(self._waiting):
                wanted.setdefault(tenant, []).append(event_id)
            for tenant, event_ids in wanted.items():
                self._answer(tenant, dict(self._stored(tenant, event_ids)))
            return
        news = decisions.read_announcement(payload)
        if (news.tenant, news.event_id) not in self._waiting:
            return
        if news.decision is not None:
            self._answer(news.tenant, {news.event_id: news.decision})
            return
        # The worker has seen the event. When there is no stored decision, it came by another way before.
        found: dict[str, Decision] = self._stored(news.tenant, [news.event_id])
        self._answer(news.tenant, {news.event_id: found.get(news.event_id, _came_in_bulk(news.event_id))})

    def _stored(self, tenant: uuid.UUID, event_ids: list[str]) -> dict[str, Decision]:
        with self._database.transaction(tenant, SYSTEM, read_only=True) as tx:
            return {decision.event_id: decision for decision in decisions.decisions_of(tx, event_ids)}

    def _answer(self, tenant: uuid.UUID, answers: Mapping[str, Decision | EventIdReused]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._resolve, tenant, answers)

    def _resolve(self, tenant: uuid.UUID, answers: Mapping[str, Decision | EventIdReused]) -> None:
        for event_id, answer in answers.items():
            for future in self._waiting.get((tenant, event_id), ()):
                if future.done():
                    continue
                if isinstance(answer, Decision):
                    future.set_result(answer)
                else:
                    future.set_exception(answer)


def _broken(receipt: Receipt) -> Unprocessable:
    return Unprocessable(
        "The transaction breaks its contract: " + " ".join(problem.reason for problem in receipt.problems),
        problems=msgspec.to_builtins(receipt.problems),
    )


def _came_in_bulk(event_id: str) -> EventIdReused:
    return EventIdReused(
        f"Event {event_id!r} was received before through POST /events. Its decision is in the lake: ask for that "
        "event_id in the table decisions, with `finer sql`."
    )
