"""The breach register: what happened, who has to be told by when, and whether they were."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from finer.identity.service.audit import record_audit
from finer.kit.ids import new_id, read_id, show_id
from finer.kit.tx import Tx
from finer.privacy.errors import BreachNotFound, CannotBeUsed, StepNotPossible
from finer.privacy.store.registers import RegisterStore
from finer.privacy.types import Breach, BreachState, Law

_FROM = {
    BreachState.NOTIFIABLE: {BreachState.ASSESSING, BreachState.NOT_NOTIFIABLE},
    BreachState.NOT_NOTIFIABLE: {BreachState.ASSESSING, BreachState.NOTIFIABLE},
    BreachState.CLOSED: {BreachState.NOTIFIABLE, BreachState.NOT_NOTIFIABLE},
}


def open_breach(tx: Tx, *, title: str, description: str, aware_at: datetime, laws: Sequence[Law]) -> Breach:
    """Write a breach down; the clocks of 72 hours run from `aware_at`. Raises CannotBeUsed."""
    if not title.strip() or not laws:
        raise CannotBeUsed("A breach has a title, and at least one law that applies.")
    if aware_at > tx.now():
        raise CannotBeUsed("The firm cannot become aware in the future.")
    identifier = new_id()
    RegisterStore(tx).add_breach(
        identifier, title.strip(), description.strip(), aware_at, tx.actor.name, sorted(set(laws))
    )
    record_audit(tx, "privacy:breach", show_id("brc", identifier), {"laws": sorted(set(laws))})
    return get_breach(tx, show_id("brc", identifier))


def list_breaches(tx: Tx) -> list[Breach]:
    """Breaches of the firm with their clocks, the latest first."""
    return RegisterStore(tx).breaches()


def get_breach(tx: Tx, shown: str) -> Breach:
    """One breach. Raises BreachNotFound."""
    found = RegisterStore(tx).breaches(read_id("brc", shown))
    if not found:
        raise BreachNotFound(f"There is no breach {shown[:60]}.")
    return found[0]


def assess_breach(tx: Tx, shown: str, *, state: BreachState, people_affected: int | None, version: int) -> Breach:
    """Say whether authorities have to be told, or that all is done; Singapore's clock begins here."""
    found = get_breach(tx, shown)
    if found.state not in _FROM.get(state, set()):
        raise StepNotPossible(f"A breach that is {found.state.value} does not become {state.value}.")
    open_clocks = [one for one in found.clocks if one.notified_at is None]
    if state is BreachState.CLOSED and found.state is BreachState.NOTIFIABLE and open_clocks:
        raise StepNotPossible("Authorities have not been told yet. Note for each when it was, then close.")
    values: dict[str, Any] = {"state": state, "people_affected": people_affected}
    if state is BreachState.NOTIFIABLE:
        values["assessed_at"] = tx.now()
    if not RegisterStore(tx).change_breach(read_id("brc", shown), version, **values):
        raise StepNotPossible("Somebody else changed this breach a moment ago. Look at it again.")
    record_audit(tx, "privacy:assess", shown, {"state": state.value})
    return get_breach(tx, shown)


def note_notification(tx: Tx, shown: str, *, law: Law, notified_at: datetime | None, reason: str) -> Breach:
    """Note when an authority was told, or why it will be told later. Raises BreachNotFound, CannotBeUsed."""
    found = get_breach(tx, shown)
    if notified_at is not None and not found.aware_at <= notified_at <= tx.now():
        raise CannotBeUsed("An authority is told after the firm became aware, and not in the future.")
    values = {"notified_at": notified_at, "reason": reason.strip()[:1_000]}
    if not RegisterStore(tx).change_notice(read_id("brc", shown), law, **values):
        raise BreachNotFound(f"{law.value} does not apply to the breach {shown[:60]}.")
    record_audit(tx, "privacy:notify", shown, {"law": law.value, "told": notified_at is not None})
    return get_breach(tx, shown)
