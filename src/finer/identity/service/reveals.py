"""Looking at one masked value in clear: counted, with a reason, in the audit trail."""

from __future__ import annotations

import uuid
from datetime import timedelta

from finer.identity.errors import NotAcceptable, PermissionMissing, TooManyReveals
from finer.identity.service.audit import record_audit
from finer.identity.store.reveals import RevealStore
from finer.kit.ids import new_id
from finer.kit.tx import Tx

REVEALS_PER_HOUR = 50
REASON_MIN, REASON_MAX = 5, 1000
_HOUR = timedelta(hours=1)


def note_reveal(tx: Tx, subject: str, field: str, reason: str) -> int:
    """Note that the caller is shown this field of `subject`; returns how many more they may see this hour.

    The caller has checked that the person may see it. Raises NotAcceptable without a reason, PermissionMissing for a
    machine, TooManyReveals.
    """
    trimmed = " ".join(reason.split())
    if not REASON_MIN <= len(trimmed) <= REASON_MAX:
        raise NotAcceptable(f"Say why you need to see it, in {REASON_MIN} to {REASON_MAX} characters.")
    if tx.actor.kind != "user":
        raise PermissionMissing("Only people look at values in clear.")
    store, person, now = RevealStore(tx), uuid.UUID(tx.actor.id), tx.now()
    before = store.count_since(person, now - _HOUR)
    if before >= REVEALS_PER_HOUR:
        raise TooManyReveals(
            f"You have looked at {before} values in clear within an hour, which is as many as one person may.",
            retry_after_s=600,
        )
    store.add(new_id(), person, subject, field, trimmed, now)
    record_audit(tx, "reveal", subject, {"field": field, "reason": trimmed})
    return REVEALS_PER_HOUR - before - 1
