"""What must always be true of identity; each function returns sentences, empty when all is well."""

from __future__ import annotations

from finer.identity.rules.chain import Walk, genesis
from finer.identity.store.chain import ChainStore
from finer.identity.store.machines import MachineStore
from finer.identity.store.rows import IdentityStore
from finer.identity.types.access import Permission, Role
from finer.kit.ids import show_id
from finer.kit.tx import Tx

_TAIL = 20_000  # entries of the chain that are checked every hour; all of them are checked every night


def tenant_exists(tx: Tx) -> list[str]:
    """The firm of every row exists."""
    return [] if IdentityStore(tx).tenant() is not None else [f"There is no firm {tx.tenant}, but rows of it."]


def keys_expire_after_they_are_made(tx: Tx) -> list[str]:
    """No API key expired before it was made: such a row was tampered with."""
    return [f"The API key {prefix} expired before it was made." for prefix in MachineStore(tx).backdated()]


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


def audit_chain_holds(tx: Tx) -> list[str]:
    """The latest entries of the audit chain are the ones that were sealed; `finer audit verify` checks all of them."""
    store = ChainStore(tx)
    last, _ = store.end()
    first = max(0, last - _TAIL)
    walk = Walk(sequence=first, hash=genesis(tx.tenant) if first == 0 else store.hashes([first]).get(first, b""))
    walk.feed(store.sealed_rows(first, last))
    return [finding.says for finding in walk.findings()]
