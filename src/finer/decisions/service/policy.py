"""The policy of a firm's case desk: priorities, due times and checklists, in versions that are changed as a whole."""

from __future__ import annotations

from finer.decisions.errors import CasePolicyChanged
from finer.decisions.rules.policy import STANDARD, checked, differences
from finer.decisions.store.cases import CaseStore
from finer.decisions.store.policy import CasePolicyStore
from finer.decisions.types.policy import CasePolicy, PolicyContent
from finer.identity.service.audit import record_audit
from finer.kit.tx import Tx

__all__ = ["STANDARD", "change", "in_force"]


def in_force(tx: Tx) -> CasePolicy:
    """The policy that cases are worked by; of a firm that never made one, what comes with Finer."""
    return CasePolicyStore(tx).newest() or CasePolicy(content=STANDARD)


def change(tx: Tx, version: int, content: PolicyContent) -> CasePolicy:
    """Work cases by another policy from now on; `version` is the one that the caller has seen.

    Open cases keep their checklists. They are due as much earlier or later as the time of their priority changed. When
    priorities begin at other losses, open cases get the one of what is expected to be lost in them now; one that
    becomes more urgent has the time of its new priority from now on, unless it was due before.
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
    CaseStore(tx).rank_anew(before.content, wanted, tx.now())
    detail = {"version": after.version, **differences(before.content, wanted)}
    record_audit(tx, "cases:policy", "case-policy", detail)
    return after
