"""Holds: reasons to keep a person's records as they are."""

from __future__ import annotations

from finer.identity.service.audit import record_audit
from finer.kit.ids import new_id, read_id, show_id
from finer.kit.tx import Tx
from finer.privacy.errors import CannotBeUsed, HoldNotFound
from finer.privacy.store.subjects import SubjectStore
from finer.privacy.types import Hold, HoldKind, SubjectKind

_TEXT_MAX = 4_000


def place_hold(tx: Tx, *, kind: HoldKind, subject_kind: SubjectKind, subject: str, reason: str) -> str:
    """Keep a person's records from being erased or forgotten; returns the id of the hold. Raises CannotBeUsed."""
    who, why = subject.strip(), reason.strip()
    if not 1 <= len(who) <= 64 or not 1 <= len(why) <= _TEXT_MAX:
        raise CannotBeUsed("A hold names a person by id, and says why in at most 4,000 characters.")
    identifier = new_id()
    SubjectStore(tx).add_hold(
        identifier,
        Hold(
            id=show_id("hld", identifier),
            kind=kind,
            subject_kind=subject_kind,
            subject=who,
            reason=why,
            placed_by=tx.actor.name,
            placed_at=tx.now(),
            released_by=None,
            released_at=None,
        ),
    )
    record_audit(tx, "privacy:hold", show_id("hld", identifier), {"kind": kind.value})
    return show_id("hld", identifier)


def list_holds(tx: Tx, *, open_only: bool = False) -> list[Hold]:
    """Holds of the firm, the latest first."""
    return SubjectStore(tx).holds(open_only=open_only)


def release_hold(tx: Tx, shown: str) -> None:
    """The reason is gone. Raises HoldNotFound."""
    if not SubjectStore(tx).release_hold(read_id("hld", shown), tx.actor.name, tx.now()):
        raise HoldNotFound(f"There is no open hold {shown[:60]}.")
    record_audit(tx, "privacy:release", shown)


def held_customers(tx: Tx) -> list[str]:
    """Customer ids whose records must be kept, whatever their age."""
    kinds = (HoldKind.LEGAL, HoldKind.AML)
    found = SubjectStore(tx).holds(open_only=True, kinds=kinds)
    return sorted({one.subject for one in found if one.subject_kind is SubjectKind.CUSTOMER})
