"""What a firm wants to reach: goals of those who steer it, and plans by month; changed as a whole, by version."""

from __future__ import annotations

import msgspec

from finer.identity.service import tenants
from finer.identity.service.audit import record_audit
from finer.kit.tx import Tx
from finer.operations.errors import TargetsChanged
from finer.operations.rules.goals import TARGETS
from finer.operations.rules.plans import PLANNED, SHOWN, checked
from finer.operations.service.rollups import CHANNEL
from finer.operations.store.targets import TargetStore
from finer.operations.types.goals import Plan, Targets

__all__ = ["PLANNED", "TARGETS", "change", "in_force"]


def in_force(tx: Tx) -> Targets:
    """What the firm wants to reach now."""
    return TargetStore(tx).newest()


def change(tx: Tx, version: int, wanted: Targets) -> Targets:
    """Hold the firm to other targets from now on; `version` is the one that the caller has seen.

    Plans without a currency are in the firm's own, or in that of before where the amounts are those of before. Months
    that no page shows any more are left out. Saying the same again changes nothing. Raises TargetsNotAcceptable,
    TargetsChanged.
    """
    before, currency = in_force(tx), tenants.get_tenant(tx).base_currency
    stored = {plan.month: plan for plan in before.plans}
    named = [plan if plan.currency else _named(plan, stored.get(plan.month), currency) for plan in wanted.plans]
    kept = checked(Targets(goals=wanted.goals, plans=named), f"{tx.now() - SHOWN:%Y-%m}")
    if before.version != version:
        who = before.changed_by or "Finer"
        raise TargetsChanged(
            f"{who} has changed them since: they are at version {before.version}. Read them again.",
            version=before.version,
        )
    if (kept.goals, kept.plans) == (before.goals, before.plans):
        return before
    after = msgspec.structs.replace(kept, version=version + 1, changed_by=tx.actor.name, changed_at=tx.now())
    if not TargetStore(tx).add(after):
        raise TargetsChanged("Somebody has changed them at this moment. Read them again.", version=version + 1)
    months = [plan.month for plan in kept.plans if stored.pop(plan.month, None) != plan]
    record_audit(
        tx, "targets:set", "targets", {"version": after.version, "goals": kept.goals, "months": [*months, *stored]}
    )
    tx.notify(CHANNEL, [str(tx.tenant)])
    return after


def _named(plan: Plan, stored: Plan | None, currency: str) -> Plan:
    same = stored is not None and stored.amounts_minor == plan.amounts_minor
    return msgspec.structs.replace(plan, currency=stored.currency if stored is not None and same else currency)
