"""What a person can prove who they are with: the list of it, and the recovery codes that go with second factors."""

from __future__ import annotations

import secrets
import uuid

from finer.identity.errors import FactorNotFound, NotAcceptable
from finer.identity.rules import recovery
from finer.identity.rules.step_up import STRONG, strongest_proofs
from finer.identity.service.audit import record_audit
from finer.identity.service.people import get_user, user_by_email
from finer.identity.service.sessions import end_other_sessions
from finer.identity.store.factors import FactorStore
from finer.identity.store.firm import FirmStore
from finer.identity.store.lookups import LookupStore
from finer.identity.store.sealed import email_index
from finer.identity.types.access import Factor, Factors
from finer.kit.ids import show_id
from finer.kit.passwords import hash_password
from finer.kit.settings import Settings
from finer.kit.tx import Tx


def list_factors(tx: Tx, user: uuid.UUID) -> Factors:
    """What a person has set up. Raises UserNotFound."""
    store = FactorStore(tx)
    totp = store.totp(user)
    return Factors(
        password=password_hash_of(tx, user) is not None,
        totp_since=None if totp is None else totp.confirmed_at,
        recovery_codes_left=store.recovery_codes_left(user),
        passkeys=store.passkeys(user),
    )


def proofs_of(tx: Tx, user: uuid.UUID) -> tuple[Factor, ...]:
    """Which factors show best that it is this person. Raises UserNotFound."""
    found = list_factors(tx, user)
    return strongest_proofs(password=found.password, totp=found.totp_since is not None, passkey=bool(found.passkeys))


def password_hash_of(tx: Tx, user: uuid.UUID) -> str | None:
    """The stored password hash of a person, None when there is none. Raises UserNotFound."""
    row = LookupStore(tx.connection).user(email_index(tx, get_user(tx, user).email))
    return None if row is None or row.id != user else row.password_hash


def renew_recovery_codes(tx: Tx, settings: Settings, user: uuid.UUID) -> list[str]:
    """Ten new recovery codes in place of the old ones; this is the only time that they can be read.

    Raises FactorNotFound for somebody without a factor that they could stand in for.
    """
    if not STRONG.intersection(proofs_of(tx, user)):
        raise FactorNotFound("Set up an authenticator app or a passkey first; recovery codes stand in for those.")
    fresh = {
        number: "".join(secrets.choice(recovery.ALPHABET) for _ in range(recovery.SECRET_CHARACTERS))
        for number in range(recovery.COUNT)
    }
    hashes = {number: hash_password(secret, settings) for number, secret in fresh.items()}
    FactorStore(tx).replace_recovery_codes(user, hashes, tx.now())
    record_audit(tx, "recovery_codes:renew", show_id("usr", user))
    return [recovery.show_recovery_code(number, secret) for number, secret in fresh.items()]


def reset_factors(tx: Tx, *, email: str) -> None:
    """Take every second factor of a person away and end their sessions: for whoever has lost them all.

    The caller has made sure, by another way, that it is this person who asks. Raises UserNotFound.
    """
    user = user_by_email(tx, email).id
    store = FactorStore(tx)
    removed = {"passkeys": len(store.passkeys(user)), "totp": store.remove_totp(user)}
    for passkey in store.passkeys(user):
        store.remove_passkey(user, passkey.id)
    store.replace_recovery_codes(user, {}, tx.now())
    store.remove_pending(user)
    record_audit(tx, "users:reset_factors", show_id("usr", user), removed)
    end_other_sessions(tx, user, None)


def after_adding(tx: Tx, settings: Settings, user: uuid.UUID) -> list[str]:
    """Recovery codes for whoever has just set up a first second factor; empty when there are codes already."""
    if FactorStore(tx).recovery_codes_left(user):
        return []
    return renew_recovery_codes(tx, settings, user)


def after_removing(tx: Tx, user: uuid.UUID) -> None:
    """Recovery codes stand in for another factor: they go with the last one.

    Raises NotAcceptable when it was the last one and the firm wants one of everybody.
    """
    if not {Factor.TOTP, Factor.PASSKEY}.intersection(proofs_of(tx, user)):
        if FirmStore(tx).second_factor_required():
            raise NotAcceptable("Your firm wants a second factor. Set another one up first, then remove this one.")
        FactorStore(tx).replace_recovery_codes(user, {}, tx.now())
