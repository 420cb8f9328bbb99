"""Changing one's own password."""

from __future__ import annotations

import uuid

from finer.identity.service.audit import record_audit
from finer.identity.service.factors import password_hash_of
from finer.identity.service.password_policy import check_new_password
from finer.identity.service.people import get_user
from finer.identity.service.sessions import end_other_sessions, renew_session
from finer.identity.service.tenants import get_tenant
from finer.identity.store.factors import FactorStore
from finer.identity.store.rows import IdentityStore
from finer.identity.types.access import Factor, Principal
from finer.kit.ids import show_id
from finer.kit.passwords import hash_password
from finer.kit.settings import Settings
from finer.kit.tx import Tx


def has_password(tx: Tx, user: uuid.UUID) -> bool:
    """Whether a person has a password at all; some are only let in by links. Raises UserNotFound."""
    return password_hash_of(tx, user) is not None


def change_password(tx: Tx, settings: Settings, caller: Principal, new: str) -> str:
    """Set a new password; the caller has just proven who it is. Returns the new token of this session.

    Whatever else could act for this person ends: other sessions, sign-in links and half-done sign-ins. Raises
    NotAcceptable, SessionNotFound.
    """
    user = get_user(tx, caller.id)
    firm = get_tenant(tx)
    check_new_password(settings, new, (user.email, user.name, firm.name, firm.slug))
    store = IdentityStore(tx)
    store.set_password(user.id, hash_password(new, settings))
    store.remove_links(user.id)
    FactorStore(tx).remove_pending(user.id)
    record_audit(tx, "users:change_password", show_id("usr", user.id))
    end_other_sessions(tx, user.id, caller.session_id)
    # To somebody with a second factor the password alone is no fresh proof of the strength that sensitive acts want.
    fresh = Factor.PASSWORD if Factor.PASSWORD in caller.proofs or Factor.LINK in caller.proofs else None
    return renew_session(tx, caller.session_id, fresh)
