"""The policy of a firm's case desk: due times and checklists, changed as a whole, one version after the other."""

from __future__ import annotations

from finer.decisions.errors import CasePolicyChanged
from finer.decisions.rules.policy import STANDARD, checked, differences
from finer.decisions.store.cases import CaseStore
from finer.decisions.store.policy import CasePolicyStore
from finer.decisions.types.cases import Priority
from finer.decisions.types.policy import CasePolicy, PolicyContent
from finer.identity.service.audit import record_audit
from finer.kit.tx import Tx

__all__ = ["STANDARD", "change", "in_force"]


def in_force(tx: Tx) -> CasePolicy:
    """The policy that cases are worked by; of a firm that never made one, what comes with Finer."""
    return CasePolicyStore(tx).newest() or CasePolicy(content=STANDARD)


def change(tx: Tx, version: int, content: PolicyContent) -> CasePolicy:
    """Work cases by another policy from now on; `version` is the one that the caller has seen.

    Open cases keep their checklists, and are due as much earlier or later as the time of their priority changed.
    Saying the same again changes nothing. Raises CasePolicyNotAcceptable, CasePolicyChanged.
    """
    before, wanted = in_force(tx), checked(content)
    if before.version != version:
        who = before.changed_by or "Finer"
        raise CasePolicyChanged(
            f"{who} has changed it since: it is at version {before.version}. Read it again.", version=before.version
        )
    if wanted == before.content:
        return before
    after = CasePolicy(content=wanted, version=version + 1, changed_by=tx.actor.name, changed_at=tx.now())
    if not CasePolicyStore(tx).add(after):
        raise CasePolicyChanged("Somebody has changed it at this moment. Read it again.", version=version + 1)
    for priority in Priority:
        moved = wanted.due_minutes.after(priority) - before.content.due_minutes.after(priority)
        if moved:
            CaseStore(tx).move_due(priority, moved)
    detail = {"version": after.version, **differences(before.content, wanted)}
    record_audit(tx, "cases:policy", "case-policy", detail)
    return after
