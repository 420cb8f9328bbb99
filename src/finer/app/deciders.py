"""Which rules and model decide a batch, written down by offset, so that a repetition decides as the first time did.

New records are decided by what is in force; the offset at which that changed is kept with the effects. Records that
were decided before, and are taken through the pipeline once more because the lake does not hold them yet, are decided
by what was pinned at their offset.
"""

from __future__ import annotations

import uuid
from bisect import bisect_right
from dataclasses import dataclass

import structlog

from finer.app.tenants import TenantContext, Tenants
from finer.fraud.service import brakes, rule_sets
from finer.fraud.service import verdicts as fraud
from finer.kit.log import Position
from finer.kit.tx import Tx

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class DecidedBy:
    """The rules and the model that decide a batch, and the model that is tried on it."""

    rules: fraud.CompiledRules
    model: fraud.ActiveModel | None
    challenger: fraud.ActiveModel | None = None

    def pin(self, offset: int) -> rule_sets.Pin:
        """What is to be written down of it."""
        model, challenger = self.model, self.challenger
        return rule_sets.Pin(
            from_offset=offset,
            rule_set=self.rules.version,
            model=None if model is None else model.sha256,
            threshold=None if model is None else model.threshold,
            challenger=None if challenger is None else challenger.sha256,
            challenger_threshold=None if challenger is None else challenger.threshold,
        )


class Deciders:
    """What decided, by tenant and position, and the brakes of the rules in force."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants
        self._pins: dict[tuple[uuid.UUID, Position], list[rule_sets.Pin]] = {}
        self._watches: dict[uuid.UUID, tuple[fraud.CompiledRules, brakes.BrakeWatch]] = {}

    def now(self, tenant: TenantContext) -> DecidedBy:
        """What is in force."""
        return DecidedBy(tenant.rules, tenant.model, tenant.challenger)

    def then(self, tenant: TenantContext, position: Position, offset: int) -> DecidedBy:
        """What decided the record at an offset; what is in force where that was never written down or is gone."""
        pins = self._known(tenant.id, position)
        place = bisect_right(pins, offset, key=lambda pin: pin.from_offset)
        found = None if place == 0 else self._tenants.as_pinned(tenant.id, pins[place - 1])
        if found is None:
            if place:
                _log.error("what decided these records is not there any more", tenant=str(tenant.id), offset=offset)
            return self.now(tenant)
        return DecidedBy(*found)

    def begins(self, tenant: uuid.UUID, position: Position) -> list[int]:
        """The offsets at which something else began to decide."""
        return [pin.from_offset for pin in self._known(tenant, position)]

    def pin(self, tx: Tx, tenant: uuid.UUID, position: Position, offset: int, by: DecidedBy) -> rule_sets.Pin | None:
        """Write down what decides from an offset on; None when it is what decided before."""
        pins = self._known(tenant, position)
        if pins and by.pin(pins[-1].from_offset) == pins[-1]:
            return None
        found = by.pin(offset)
        rule_sets.pin(tx, position, by.rules, found)
        return found

    def committed(self, tenant: uuid.UUID, position: Position, pin: rule_sets.Pin | None) -> None:
        """Remember what was committed."""
        if pin is not None:
            self._known(tenant, position).append(pin)

    def watches(self, tenant: uuid.UUID, rules: fraud.CompiledRules) -> bool:
        """Whether `stopped` has nothing to read: what these rules counted is known, or none of them has a brake."""
        known = self._watches.get(tenant)
        return not brakes.brakes_of(rules) or (known is not None and known[0] is rules)

    def stopped(
        self, tenant: uuid.UUID, rules: fraud.CompiledRules, counted: brakes.Tally, minute: int
    ) -> dict[str, str]:
        """The rules that this batch would take beyond the cap of their brake, and why."""
        brakes_now = brakes.brakes_of(rules)
        if not brakes_now:
            self._watches.pop(tenant, None)
            return {}
        if not self.watches(tenant, rules):
            # Other rules, or restored ones: what was counted before is read again.
            self._watches[tenant] = rules, self._tenants.brake_watch(tenant, rules)
        return self._watches[tenant][1].tripped(brakes_now, counted, minute)

    def count(self, tenant: uuid.UUID, rules: fraud.CompiledRules, counted: brakes.Tally, minute: int) -> None:
        """Remember for the brakes what a committed batch did."""
        known = self._watches.get(tenant)
        if known is not None and known[0] is rules:
            known[1].note(brakes.brakes_of(rules), counted, minute)

    def _known(self, tenant: uuid.UUID, position: Position) -> list[rule_sets.Pin]:
        found = self._pins.get((tenant, position))
        if found is None:
            found = self._pins[tenant, position] = self._tenants.pinned(tenant, position)
        return found
