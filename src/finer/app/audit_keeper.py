"""What keeps the audit trail in `finer jobs`: seals entries within a second, signs heads, and runs verifications."""

from __future__ import annotations

import asyncio
import time
import uuid
from pathlib import Path

import structlog

from finer.identity.service import chain, detection, tenants
from finer.identity.types.audit import Verification
from finer.kit.actors import SYSTEM, Actor
from finer.kit.db import DATABASE_GONE, NO_TENANT, Database
from finer.kit.errors import FinerError, InvalidInput
from finer.kit.settings import Settings
from finer.kit.signing import Signer

_log = structlog.get_logger(__name__)
_TICK_S = 1.0
_READERS_S = 5.0
_TROUBLE: tuple[type[Exception], ...] = (*DATABASE_GONE, FinerError, OSError)


class AuditKeeper:
    """One for each jobs process; several at once share the work."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._signed_at: dict[uuid.UUID, float] = {}
        self._started = False
        self._places = read_places(settings)
        self._behind: set[uuid.UUID] = set()
        self._readers_at = 0.0

    async def run(self) -> None:
        """Every second, until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.tick)
            except _TROUBLE as error:
                # The database is away, or the heads cannot be written: what waits is sealed when it is over.
                _log.error("the audit trail could not be kept", error=str(error))
            await asyncio.sleep(_TICK_S)

    def tick(self) -> None:
        """Seal whatever waits, then sign the heads that are due."""
        with self._database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
            waiting = chain.tenants_waiting(tx)
            if not self._started:
                # The process before this one may have been stopped between a seal and its signature.
                self._behind = {firm.id for firm in tenants.list_tenants(tx)}
                self._signed_at = dict.fromkeys({NO_TENANT, *self._behind}, 0.0)
                self._started = True
        for tenant in waiting:
            while self._seal(tenant) == chain.SEAL_AT_ONCE:
                pass
            self._signed_at.setdefault(tenant, 0.0)
        self._sign()
        self._detect(waiting)

    def _detect(self, waiting: list[uuid.UUID]) -> None:
        """Look for unauthorised access: in what was sealed, and every few seconds at who reads how much."""
        with self._database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
            firms = {firm.id for firm in tenants.list_tenants(tx)}
        self._behind |= firms & set(waiting)
        for tenant in sorted(self._behind):
            looked_at = detection.AT_ONCE
            while looked_at == detection.AT_ONCE:
                with self._database.transaction(tenant, SYSTEM) as tx:
                    looked_at = detection.detect(tx, self._places)
            self._behind.discard(tenant)
        if time.monotonic() - self._readers_at >= _READERS_S:
            self._readers_at = time.monotonic()
            for tenant in sorted(firms):
                with self._database.transaction(tenant, SYSTEM) as tx:
                    detection.watch_readers(tx)

    def _seal(self, tenant: uuid.UUID) -> int:
        with self._database.transaction(tenant, SYSTEM) as tx:
            return chain.seal(tx)

    def _sign(self) -> None:
        now = time.monotonic()
        every = self._settings.audit_head_every_s
        due = [tenant for tenant, at in self._signed_at.items() if at == 0 or now - at >= every]
        if not due:
            return
        signer = Signer.at(chain.key_file(self._settings))
        for tenant in due:
            with self._database.transaction(tenant, SYSTEM) as tx:
                signed = chain.sign_head(tx, self._settings, signer)
            if signed is None:
                del self._signed_at[tenant]  # nothing new; the next entry brings it back
            else:
                self._signed_at[tenant] = now


def read_places(settings: Settings) -> detection.Places:
    """Where addresses are, by FINER_PLACES_FILE. Raises InvalidInput naming the line that cannot be read."""
    if not settings.places_file:
        return detection.Places({})
    try:
        with Path(settings.places_file).expanduser().open(encoding="utf-8", newline="") as file:
            return detection.read_places(file)
    except OSError as error:
        raise InvalidInput(f"FINER_PLACES_FILE cannot be read: {error}.") from error


def verify_chain(
    database: Database, settings: Settings, tenant: uuid.UUID, run: Verification, actor: Actor = SYSTEM
) -> Verification:
    """Carry a run over a chain to its end."""
    verifier = chain.ChainVerifier(run)
    more = True
    while more:
        with database.transaction(tenant, actor) as tx:
            more = verifier.step(tx)
    with database.transaction(tenant, actor) as tx:
        return verifier.finish(tx, settings)


def verify_new(database: Database, settings: Settings, *, incremental: bool) -> list[tuple[str, Verification]]:
    """Verify the chain of every firm, and of the installation itself; returns (name, run) of each."""
    with database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
        firms = [(one.slug, one.id) for one in tenants.list_tenants(tx)]
    found = []
    for name, tenant in [*firms, ("(installation)", NO_TENANT)]:
        with database.transaction(tenant, SYSTEM) as tx:
            run = chain.begin_verification(tx, incremental=incremental)
        done = verify_chain(database, settings, tenant, run)
        if done.findings:
            _log.error("an audit chain is broken", tenant=name, findings=[one.says for one in done.findings[:20]])
        found.append((name, done))
    return found
