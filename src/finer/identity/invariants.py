"""What must always be true of identity; each function returns sentences, empty when all is well."""

from __future__ import annotations

from finer.identity.store.rows import IdentityStore
from finer.identity.types import Permission, Role
from finer.kit.ids import show_id
from finer.kit.tx import Tx


def tenant_exists(tx: Tx) -> list[str]:
    """The firm of every row exists."""
    return [] if IdentityStore(tx).tenant() is not None else [f"There is no firm {tx.tenant}, but rows of it."]


def keys_expire_after_they_are_made(tx: Tx) -> list[str]:
    """No API key expired before it was made: such a row was tampered with."""
    return [f"The API key {prefix} expired before it was made." for prefix in IdentityStore(tx).backdated_keys()]


def sessions_keep_their_order(tx: Tx) -> list[str]:
    """A session begins, is seen, and ends, in this order."""
    return [
        f"Session {show_id('ses', session)} was seen or ended before it began."
        for session in IdentityStore(tx).impossible_sessions()
    ]


def grants_are_known(tx: Tx) -> list[str]:
    """Every stored role and every scope of a key is one that the grants table knows."""
    known = {*Role, *Permission}
    return [
        f"{who} holds {what!r}, which is no role and no permission."
        for who, what in IdentityStore(tx).granted()
        if what not in known
    ]


def audit_names_somebody(tx: Tx) -> list[str]:
    """Every line of the audit trail says who acted."""
    return [f"Audit line {show_id('aud', line)} does not say who." for line in IdentityStore(tx).nameless_audit()]
