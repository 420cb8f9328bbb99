"""What the worker knows of each tenant: its rates, zone and model, read again every few seconds."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import structlog

from finer.fraud import service as fraud
from finer.identity.service import tenants
from finer.ingest.service import contracts
from finer.ingest.types.contracts import Contract, FirmContracts
from finer.kit.actors import SYSTEM
from finer.kit.db import Database
from finer.ledger import service as ledger

_log = structlog.get_logger(__name__)
_REFRESH_S = 5.0


@dataclass(frozen=True)
class TenantContext:
    """One tenant as the pipeline needs it."""

    id: uuid.UUID
    seed: int
    rates: ledger.RateTable
    zone: ZoneInfo
    model: fraud.ActiveModel | None
    contracts: FirmContracts
    read_at: float


class Tenants:
    """Contexts by tenant, each at most `_REFRESH_S` old."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[uuid.UUID, TenantContext] = {}

    def of(self, tenant: uuid.UUID) -> TenantContext:
        """The context of a tenant, read when it is new or old."""
        known = self._known.get(tenant)
        if known is None or time.monotonic() - known.read_at > _REFRESH_S:
            known = self._known[tenant] = self._read(tenant, known)
        return known

    def written_with(self, tenant: uuid.UUID, header: str) -> Contract:
        """The version of the contract that a row of the log was held to. Its records may come before its notice."""
        found = contracts.written_with(self.of(tenant).contracts, header)
        if found is None:
            known = self._known[tenant] = self._read(tenant, self._known.get(tenant))
            found = contracts.written_with(known.contracts, header)
        if found is None:
            _log.error("records were held to a version that is not known", tenant=str(tenant), header=header)
            found = contracts.stand_in(self._known[tenant].contracts, header)
        return found

    def _read(self, tenant: uuid.UUID, known: TenantContext | None) -> TenantContext:
        with self._database.transaction(tenant, SYSTEM, read_only=True) as tx:
            profile = tenants.get_tenant(tx)
            return TenantContext(
                id=tenant,
                # The low half of a UUIDv7 is random: it sets one tenant's state keys apart from all others'.
                seed=tenant.int & 0xFFFFFFFFFFFFFFFF,
                rates=ledger.rate_table(tx),
                zone=ZoneInfo(profile.timezone),
                model=fraud.active_model(tx, known.model if known is not None else None),
                contracts=contracts.load(tx),
                read_at=time.monotonic(),
            )
