"""Whether somebody is who they say, before a session begins."""

from __future__ import annotations

import uuid
from dataclasses import replace

from finer.identity.errors import TooManyAttempts
from finer.identity.rules.checks import read_email
from finer.identity.rules.throttle import ACCOUNT, ADDRESS, account_key, address_key
from finer.identity.service.audit import note_account, record_audit
from finer.identity.service.sessions import secret_hash
from finer.identity.store.lookups import LookupStore
from finer.identity.store.rows import IdentityStore
from finer.identity.store.sealed import email_index
from finer.kit.db import NO_TENANT
from finer.kit.ids import show_id
from finer.kit.passwords import hash_password, is_outdated, verify_password
from finer.kit.settings import Settings
from finer.kit.tx import Tx


def check_password_sign_in(
    tx: Tx, settings: Settings, *, email: str, password: str, address: str
) -> tuple[uuid.UUID, uuid.UUID] | None:
    """(tenant, user) when address and password fit; None otherwise, after the same work.

    An attempt is counted before the password is looked at, so that many at once do not slip through. Raises
    TooManyAttempts, before any hash is computed, when the account or the address tried too often. The caller commits
    in either case, so that attempts and the audit line stay; it runs only a few of these at once.
    """
    store = LookupStore(tx.connection)
    known = read_email(email)
    account, origin = account_key(known or ""), address_key(address)
    wait = store.count_attempt(origin, ADDRESS, tx.now()) or store.count_attempt(account, ACCOUNT, tx.now())
    if wait:
        _note_account(tx, store, known)
        raise TooManyAttempts(
            f"Too many sign-ins failed. Try again in {wait} s, or ask an administrator for a sign-in link.",
            retry_after_s=wait,
        )
    row = None if known is None else store.user(email_index(tx, known))
    if not verify_password(None if row is None else row.password_hash, password, settings) or row is None:
        # Whose audit line it is shows in no answer, and writing it takes as long in either case.
        tenant, subject = (NO_TENANT, "nobody") if row is None else (row.tenant_id, show_id("usr", row.id))
        store.enter(tenant)
        record_audit(replace(tx, tenant=tenant), "session:begin", subject, outcome="refused")
        return None
    store.forget_attempts(account)
    store.give_back_attempt(origin)
    if is_outdated(row.password_hash, settings):
        store.enter(row.tenant_id)
        IdentityStore(replace(tx, tenant=row.tenant_id)).set_password(row.id, hash_password(password, settings))
    return row.tenant_id, row.id


def _note_account(tx: Tx, store: LookupStore, email: str | None) -> None:
    """Whose account is being tried, for the trail of that firm; the answer says nothing of it."""
    row = None if email is None else store.user(email_index(tx, email))
    if row is not None:
        note_account(row.tenant_id, show_id("usr", row.id))


def check_link_sign_in(tx: Tx, token: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """(tenant, user) of a sign-in link that is still good; None otherwise."""
    row = LookupStore(tx.connection).link(secret_hash(token))
    return None if row is None or row.expires_at <= tx.now() else (row.tenant_id, row.user_id)


def count_passkey_attempt(tx: Tx, address: str) -> None:
    """Count the beginning of a sign-in by passkey; who it will be is not known yet. Raises TooManyAttempts."""
    wait = LookupStore(tx.connection).count_attempt(address_key(address), ADDRESS, tx.now())
    if wait:
        raise TooManyAttempts(f"Too many sign-ins failed. Try again in {wait} s.", retry_after_s=wait)


def give_back_attempt(tx: Tx, address: str) -> None:
    """The sign-in worked, so its attempt counts for nothing."""
    LookupStore(tx.connection).give_back_attempt(address_key(address))
