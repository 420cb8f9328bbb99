"""What the worker knows of each tenant: its rates, zone, rules and model, read again every few seconds."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import structlog

from finer.fraud.service import brakes, forgotten, label_rows, rule_sets
from finer.fraud.service import verdicts as fraud
from finer.identity.service import tenants
from finer.ingest.service import contracts
from finer.ingest.types.contracts import Contract, FirmContracts
from finer.kit.actors import SYSTEM
from finer.kit.db import NO_TENANT, Database
from finer.kit.log import Position
from finer.ledger import service as ledger

_log = structlog.get_logger(__name__)
_REFRESH_S = 5.0
WindowRow = label_rows.LabelRow | forgotten.Forgotten
"""What stands between the payments of the log, and the windows take."""


@dataclass(frozen=True)
class TenantContext:
    """One tenant as the pipeline needs it."""

    id: uuid.UUID
    seed: int
    rates: ledger.RateTable
    zone: ZoneInfo
    model: fraud.ActiveModel | None
    challenger: fraud.ActiveModel | None
    rules: fraud.CompiledRules
    contracts: FirmContracts
    read_at: float


class Tenants:
    """Contexts by tenant, each at most `_REFRESH_S` old; changed rules are compiled beside the stream."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._known: dict[uuid.UUID, TenantContext] = {}
        self._reading = threading.Lock()

    def of(self, tenant: uuid.UUID) -> TenantContext:
        """The context of a tenant, read when it is new or old."""
        known = self._known.get(tenant)
        if known is None:
            with self._reading:
                return self._read(tenant, None)
        if time.monotonic() - known.read_at > _REFRESH_S and self._reading.acquire(blocking=False):
            # Where a notice is being followed, what it brings is newer than what would be read here.
            try:
                return self._read(tenant, known)
            finally:
                self._reading.release()
        return known

    def rules_changed(self, payload: str) -> None:
        """A firm has other rules: they are read and compiled on the listener's thread, and decide the next batch.

        An empty payload means that anything may have changed.
        """
        for tenant in list(self._known) if not payload else [uuid.UUID(payload)]:
            with self._reading:
                known = self._known.get(tenant)
                if known is not None:
                    self._read(tenant, known)

    def decide_with(self, tenant: uuid.UUID, rules: fraud.CompiledRules) -> None:
        """Let other rules decide from now on, until the firm's are read again."""
        with self._reading:
            self._known[tenant] = replace(self._known[tenant], rules=rules)

    def pinned(self, tenant: uuid.UUID, position: Position) -> list[rule_sets.Pin]:
        """With which rules and model the records of a position were decided, the lowest offset first."""
        with self.database.transaction(tenant, SYSTEM, read_only=True) as tx:
            return rule_sets.pins(tx, position)

    def as_pinned(
        self, tenant: uuid.UUID, pin: rule_sets.Pin
    ) -> tuple[fraud.CompiledRules, fraud.ActiveModel | None, fraud.ActiveModel | None] | None:
        """The rules, the model and the challenger of a pin; None when rules or model are not there any more."""
        known = self._known.get(tenant)
        with self.database.transaction(tenant, SYSTEM, read_only=True) as tx:
            # Each repeated batch asks for its rules, and most of them are in force: those are compiled already.
            rules = rule_sets.read(tx, pin.rule_set, None if known is None else known.rules)
            model, challenger = (
                None if sha256 is None else fraud.pinned_model(tx, sha256, threshold or 1.0)
                for sha256, threshold in ((pin.model, pin.threshold), (pin.challenger, pin.challenger_threshold))
            )
        return None if rules is None or (model is None and pin.model is not None) else (rules, model, challenger)

    def all(self) -> list[uuid.UUID]:
        """Every firm."""
        with self.database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
            return [tenant.id for tenant in tenants.list_tenants(tx)]

    def window_rows_pinned(
        self, tenant: uuid.UUID, held: Mapping[Position, int], *, untold: bool
    ) -> dict[Position, list[WindowRow]]:
        """Rows that the windows take before records from an offset on, by position and in the order of the offsets.

        With `untold`, all rows of frauds that became known. What is forgotten before one record comes first.
        """
        with self.database.transaction(tenant, SYSTEM, read_only=True) as tx:
            found: dict[Position, list[WindowRow]] = {
                one: [*forgotten.pinned(tx, one, held.get(one, 0))] for one in forgotten.positions(tx)
            }
            for one in label_rows.positions(tx):
                labels = label_rows.pinned(tx, one, 0 if untold else held.get(one, 0))
                found[one] = sorted([*found.get(one, []), *labels], key=lambda row: row.offset)
            return found

    def window_rows_waiting(self, tenant: uuid.UUID) -> list[WindowRow]:
        """Rows that the windows have not taken, and no batch: what is forgotten, then frauds, the oldest first."""
        with self.database.transaction(tenant, SYSTEM, read_only=True) as tx:
            return [*forgotten.waiting(tx), *label_rows.waiting(tx)]

    def brake_watch(self, tenant: uuid.UUID, rules: fraud.CompiledRules) -> brakes.BrakeWatch:
        """What the rules with brakes blocked of late."""
        with self.database.transaction(tenant, SYSTEM, read_only=True) as tx:
            return brakes.watch(tx, brakes.brakes_of(rules))

    def written_with(self, tenant: uuid.UUID, header: str) -> Contract:
        """The version of the contract that a row of the log was held to. Its records may come before its notice."""
        found = contracts.written_with(self.of(tenant).contracts, header)
        if found is None:
            with self._reading:
                known = self._read(tenant, self._known.get(tenant))
            found = contracts.written_with(known.contracts, header)
        if found is None:
            _log.error("records were held to a version that is not known", tenant=str(tenant), header=header)
            found = contracts.stand_in(self._known[tenant].contracts, header)
        return found

    def _read(self, tenant: uuid.UUID, known: TenantContext | None) -> TenantContext:
        with self.database.transaction(tenant, SYSTEM, read_only=True) as tx:
            profile = tenants.get_tenant(tx)
            model, challenger = fraud.active_models(
                tx, None if known is None else known.model, None if known is None else known.challenger
            )
            found = self._known[tenant] = TenantContext(
                id=tenant,
                # The low half of a UUIDv7 is random: it sets one tenant's state keys apart from all others'.
                seed=tenant.int & 0xFFFFFFFFFFFFFFFF,
                rates=ledger.rate_table(tx),
                zone=ZoneInfo(profile.timezone),
                model=model,
                challenger=challenger,
                rules=rule_sets.load(tx, None if known is None else known.rules),
                contracts=contracts.load(tx),
                read_at=time.monotonic(),
            )
        return found
