"""Holds: reasons to keep a person's records as they are."""

from __future__ import annotations

from finer.facts.privacy import ErasureApproved
from finer.identity.service import people
from finer.identity.service.audit import record_audit
from finer.kit.ids import new_id, read_id, show_id
from finer.kit.tx import Tx
from finer.privacy.errors import CannotBeUsed, HoldNotFound
from finer.privacy.store.subjects import SubjectStore
from finer.privacy.types import KEEPING, Hold, HoldKind, SubjectKind

_SUBJECT_MAX, _TEXT_MAX = 64, 4_000


def named(tx: Tx, kind: SubjectKind, subject: str) -> str:
    """The id of whom somebody named: a user by e-mail address or id. Raises UserNotFound, CannotBeUsed."""
    text = subject.strip()
    if kind is SubjectKind.USER:
        user = people.get_user(tx, read_id("usr", text)) if text.startswith("usr_") else people.user_by_email(tx, text)
        return show_id("usr", user.id)
    if not 1 <= len(text) <= _SUBJECT_MAX or not text.isprintable():
        raise CannotBeUsed(f"The id of a {kind.value} has 1 to {_SUBJECT_MAX} characters that can be shown.")
    return text


def place_hold(tx: Tx, *, kind: HoldKind, subject_kind: SubjectKind, subject: str, reason: str) -> str:
    """Keep a person's records from being erased or forgotten; returns the id of the hold.

    Raises UserNotFound, CannotBeUsed.
    """
    who, why = named(tx, subject_kind, subject), reason.strip()
    if not 1 <= len(why) <= _TEXT_MAX:
        raise CannotBeUsed("A hold says why in at most 4,000 characters.")
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


def list_holds(tx: Tx) -> list[Hold]:
    """Holds of the firm, the latest first."""
    return SubjectStore(tx).holds(open_only=False)


def release_hold(tx: Tx, shown: str) -> None:
    """The reason is gone: an erasure that was approved, and waited for nothing else, goes on. Raises HoldNotFound."""
    store, identifier = SubjectStore(tx), read_id("hld", shown)
    if not store.release_hold(identifier, tx.actor.name, tx.now()):
        raise HoldNotFound(f"There is no open hold {shown[:60]}.")
    record_audit(tx, "privacy:release", shown)
    for request in store.approved_erasures(identifier):
        if request.held not in KEEPING:
            tx.record(ErasureApproved(request_id=request.id))


def held_customers(tx: Tx) -> list[str]:
    """Customer ids whose records must be kept, whatever their age."""
    found = SubjectStore(tx).holds(open_only=True, kinds=sorted(KEEPING))
    return sorted({one.subject for one in found if one.subject_kind is SubjectKind.CUSTOMER})
