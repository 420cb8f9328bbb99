"""Denied requests and counted reads on their way to the database, beside the requests that cause them.

The first denial of a kind is written before its answer goes out. Repetitions and reads are counted in memory and
written by a thread of their own, so that a flood of them costs memory and disk no more than a trickle.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections import defaultdict
from datetime import datetime
from typing import Any

import structlog

from finer.identity.service import audit, denials
from finer.identity.service.sessions import is_token, secret_hash
from finer.identity.types.access import Principal
from finer.kit.actors import SYSTEM, Actor
from finer.kit.db import DATABASE_GONE, NO_TENANT, Database

_log = structlog.get_logger(__name__)
_FLUSH_S = 5.0


class AccessLog:
    """What the edge tells of requests (see finer.identity.routes.watch)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._book = denials.DenialBook()
        self._reads: dict[tuple[uuid.UUID, Actor, datetime], list[int]] = defaultdict(lambda: [0, 0])
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)

    def start(self) -> None:
        """Begin to write what is counted."""
        self._thread.start()

    def close(self) -> None:
        """Write what is left, and stop."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self.flush(all_of_them=True)

    async def denied(
        self,
        principal: Principal | None,
        credential: str,
        *,
        action: str,
        subject: str,
        path: str,
        outcome: str,
        about: tuple[Any, str] | None,
    ) -> None:
        """Count a denial and, when it is the first of its kind, write it."""
        session = audit.SESSION.get()
        if principal is not None:
            tenant, actor = principal.tenant_id, principal.actor()
        elif about is not None:
            tenant, actor, subject = about[0], denials.NOBODY, about[1]
        else:
            # Of what is no session's token nobody was the owner, so that a flood of it asks no database.
            owner = await asyncio.to_thread(self._owner, credential) if is_token(credential) else None
            if owner is None:
                return
            tenant, actor, session = owner
        denial = denials.Denial(
            tenant=tenant,
            actor=actor,
            action=action,
            subject=subject,
            outcome=outcome,
            path=path,
            at=self._database.clock.now(),
            origin=audit.ORIGIN.get(),
            user_agent=audit.AGENT.get(),
            session=session,
            request=audit.REQUEST.get(),
        )
        with self._lock:
            write_now = self._book.note(denial)
        if write_now:
            await asyncio.to_thread(self._write, denial)

    def read(self, principal: Principal, rows: int) -> None:
        """Count rows that somebody read."""
        minute = self._database.clock.now().replace(second=0, microsecond=0)
        with self._lock:
            found = self._reads[principal.tenant_id, principal.actor(), minute]
            found[0] += rows
            found[1] += 1

    def acted(self, principal: Principal, action: str, subject: str) -> None:
        """Write down an act that nothing else has written down."""
        with self._database.transaction(principal.tenant_id, principal.actor()) as tx:
            audit.record_audit(tx, action, subject)

    def flush(self, *, all_of_them: bool = False) -> None:
        """Write what was counted."""
        with self._lock:
            tallies = self._book.due(self._database.clock.now(), all_of_them=all_of_them)
            reads, self._reads = self._reads, defaultdict(lambda: [0, 0])
        for tally in tallies:
            with self._database.transaction(tally.sample.tenant, tally.sample.actor) as tx:
                denials.record_tally(tx, tally)
        by_tenant: dict[uuid.UUID, list[tuple[Actor, datetime, int, int]]] = defaultdict(list)
        for (tenant, actor, minute), counted in reads.items():
            by_tenant[tenant].append((actor, minute, counted[0], counted[1]))
        for tenant, lines in by_tenant.items():
            with self._database.transaction(tenant, SYSTEM) as tx:
                denials.note_reads(tx, lines)

    def _owner(self, credential: str) -> tuple[uuid.UUID, Actor, str] | None:
        with self._database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
            return denials.credential_owner(tx, secret_hash(credential))

    def _write(self, denial: denials.Denial) -> None:
        try:
            with self._database.transaction(denial.tenant, denial.actor) as tx:
                denials.record_denial(tx, denial)
        except DATABASE_GONE as error:
            # The denial stands in any case; that it could not be noted must not turn it into another answer.
            _log.error("a denied request could not be noted", subject=denial.subject, error=str(error))

    def _run(self) -> None:
        while not self._stopped.wait(_FLUSH_S):
            try:
                self.flush()
            except DATABASE_GONE as error:
                _log.error("counted requests could not be written", error=str(error))
