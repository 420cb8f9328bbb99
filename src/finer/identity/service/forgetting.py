"""Letting go of what was kept of people who sign in: erasing one, and forgetting what is past its time."""

from __future__ import annotations

import uuid
from datetime import datetime

from finer.identity.service.audit import record_audit
from finer.identity.store.forgetting import ForgettingStore
from finer.identity.store.sealed import person_subject
from finer.kit.crypto.fields import destroy
from finer.kit.ids import show_id
from finer.kit.tx import Tx


def erase_user(tx: Tx, user: uuid.UUID) -> dict[str, int]:
    """Destroy a person's keys, so that address and name cannot be read anywhere, and let them in no more.

    The row stays, so that the audit trail and the alerts still say which one of the staff it was, by id.
    """
    store = ForgettingStore(tx)
    found = {
        "sessions": store.remove_sessions(user),
        "sign-in links": store.remove_links(user),
        "sign-in factors and teams": store.remove_factors(user),
    }
    store.blank_user(user, tx.now())
    record_audit(tx, "users:erase", show_id("usr", user))
    return found | {"keys": destroy(tx, person_subject(user))}


def old_sessions(tx: Tx, before: datetime, *, forget: bool) -> int:
    """Sessions not used since then; deleted when `forget`."""
    return ForgettingStore(tx).old_sessions(before, forget=forget)


def old_links(tx: Tx, before: datetime, *, forget: bool) -> int:
    """Sign-in links that ended before then; deleted when `forget`."""
    return ForgettingStore(tx).old_links(before, forget=forget)
