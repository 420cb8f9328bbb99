"""What sources ask of an API process: looks at other systems, and webhooks, on threads of their own."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from finer.identity.service import tenants
from finer.kit.actors import SYSTEM, Actor
from finer.kit.db import NO_TENANT, Database
from finer.kit.errors import TooManyRequests
from finer.kit.ids import read_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.sources.errors import VersionRefused
from finer.sources.routes.documents import TrialBody
from finer.sources.service import manage, opening, webhooks
from finer.sources.service.notices import Notices
from finer.sources.service.reach import Reach
from finer.sources.types import Credentials, Trial

_T = TypeVar("_T")
_PLAID_S = 5.0


class SourceDesk:
    """Looks at sources for people, and takes what Stripe and Plaid send."""

    def __init__(self, database: Database, settings: Settings, backlog: Callable[[], int]) -> None:
        """`backlog` tells how many events wait for the worker."""
        self._database, self._settings, self._backlog = database, settings, backlog
        self._looks = _Pool("look", threads=2, waiting=4)
        self._hooks = _Pool("webhook", threads=4, waiting=200)
        self._notices = Notices()

    def reach(self, tx: Tx) -> Reach:
        """What the firm's sources may reach."""
        return Reach.of(self._settings, tenants.get_tenant(tx).slug)

    def hook_address(self, kind: str, token: str) -> str:
        """The whole address for webhooks of a kind of source."""
        return f"{self._settings.web_url}/api/v1/webhooks/{kind}/{token}"

    async def try_out(self, tenant: uuid.UUID, body: TrialBody) -> Trial:
        """Look at a source. Raises TooManyRequests, and what the source says."""
        return await self._looks.run(self._try_out, tenant, body)

    async def receive_stripe(self, token: str, signature: str, body: bytes) -> str:
        """Take an event of Stripe; it is durable when this returns. Raises TooManyRequests and refusals."""
        if self._backlog() > self._settings.backlog_events_max:
            raise TooManyRequests("Too many events wait to be decided. Send it again.", retry_after_s=1)
        return await self._hooks.run(self._receive, token, signature, body)

    async def receive_plaid(self, token: str, signature: str, body: bytes) -> str:
        """Take a notice of Plaid, which wakes its source. Raises TooManyRequests and refusals."""
        return await self._hooks.run(self._receive_notice, token, signature, body)

    def close(self) -> None:
        """End the threads."""
        self._looks.close()
        self._hooks.close()

    def _try_out(self, tenant: uuid.UUID, body: TrialBody) -> Trial:
        with self._database.transaction(tenant, SYSTEM, read_only=True) as tx:
            reach = self.reach(tx)
            credentials = body.credentials or Credentials()
            if body.source is not None and body.credentials is None:
                identifier = read_id("src", body.source)
                known = manage.find(tx, identifier)
                manage.check_destination(known.settings, body.connection)
                credentials = manage.credentials_of(tx, identifier)
            source = manage.draft(
                tx, name="look", contract=body.contract, mapping=body.mapping, settings=body.connection
            )
            surroundings = opening.surroundings_of(tx, reach)
        return opening.try_out(source, credentials, surroundings)

    def _receive(self, token: str, signature: str, body: bytes) -> str:
        with self._database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
            tenant, source = webhooks.find_place(tx, token)
        actor = Actor(kind="system", id=show_id("src", source), name="Stripe", role="system")
        try:
            with self._database.transaction(tenant, actor) as tx:
                return webhooks.receive_stripe(tx, source, signature, body, self._settings.partitions)
        except VersionRefused as error:
            with self._database.transaction(tenant, actor) as tx:
                webhooks.refuse_version(tx, source, error)
            raise

    def _receive_notice(self, token: str, signature: str, body: bytes) -> str:
        with self._database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
            tenant, source = webhooks.find_place(tx, token)
        with self._database.transaction(tenant, SYSTEM, read_only=True) as tx:
            settings, credentials = webhooks.plaid_source(tx, source)
            door, now = self.reach(tx).door(timeout_s=_PLAID_S), tx.now()
        # Plaid is asked between the transactions: an answer that takes long holds nothing.
        if not self._notices.is_news(source, settings, credentials, door, (signature, body), now):
            return "nothing"
        with self._database.transaction(tenant, SYSTEM) as tx:
            webhooks.wake(tx, source)
        return "woken"


class _Pool:
    """Few threads, and few that wait for them: what comes beyond is told to come back."""

    def __init__(self, name: str, *, threads: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._places = threading.Semaphore(threads + waiting)

    async def run(self, function: Callable[..., _T], *arguments: object) -> _T:
        """The answer of a function. Raises TooManyRequests."""
        if not self._places.acquire(blocking=False):
            raise TooManyRequests("Too much of this is under way. Try again in a few seconds.", retry_after_s=3)
        running = self._executor.submit(copy_context().run, function, *arguments)
        running.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(running)

    def close(self) -> None:
        """End the threads; what waits is not begun."""
        self._executor.shutdown(wait=False, cancel_futures=True)
