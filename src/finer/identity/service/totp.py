"""Authenticator apps: enrolment that has to be proven, and taking them away."""

from __future__ import annotations

import uuid

import msgspec
import pyotp

from finer.identity.errors import AlreadyExists, FactorNotFound, ProofRefused
from finer.identity.rules.totp import enrolment_uri, fitting_step, read_code
from finer.identity.service.audit import record_audit
from finer.identity.service.factors import after_adding, after_removing
from finer.identity.service.people import get_user
from finer.identity.service.sessions import renew_session
from finer.identity.service.tenants import get_tenant
from finer.identity.store.factors import FactorStore
from finer.identity.types.access import Factor, Principal
from finer.kit.ids import show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx


class Enrolment(msgspec.Struct, frozen=True):
    """What an authenticator app needs; shown once, and of no use before a code of it was entered."""

    secret: str
    uri: str

    def __repr__(self) -> str:
        return "Enrolment(...)"


def begin_totp(tx: Tx, user: uuid.UUID) -> Enrolment:
    """A new secret (160 bits, RFC 4226 section 4) for an app. Raises AlreadyExists when an app is set up."""
    secret = pyotp.random_base32(32)
    if not FactorStore(tx).begin_totp(user, secret, tx.now()):
        raise AlreadyExists("An authenticator app is set up already. Remove it first, then set up the new one.")
    issuer = f"Finer {get_tenant(tx).name}".replace(":", " ")
    return Enrolment(secret, enrolment_uri(secret, get_user(tx, user).email, issuer))


def confirm_totp(tx: Tx, settings: Settings, caller: Principal, code: str) -> tuple[list[str], str]:
    """From now on the app is asked for at sign-in; returns recovery codes if there were none, and a session token.

    Raises FactorNotFound when no enrolment was begun, ProofRefused when the code does not fit.
    """
    store, user = FactorStore(tx), caller.id
    row = store.totp(user)
    if row is None or row.confirmed_at is not None:
        raise FactorNotFound("No app is being set up. Begin again with a new QR code.")
    digits = read_code(code)
    step = None if digits is None else fitting_step(store.totp_secret(user), digits, tx.now(), row.last_step)
    if step is None or not store.confirm_totp(user, step, tx.now()):
        raise ProofRefused("This code does not fit. Enter the newest one, and check that the phone's clock is right.")
    record_audit(tx, "totp:add", show_id("usr", user))
    return after_adding(tx, settings, user), renew_session(tx, caller.session_id, Factor.TOTP)


def use_totp(tx: Tx, user: uuid.UUID, code: str) -> bool:
    """Whether a code fits, which uses it up. The caller has counted the attempt."""
    store = FactorStore(tx)
    row, digits = store.totp(user), read_code(code)
    if row is None or row.confirmed_at is None or digits is None:
        return False
    step = fitting_step(store.totp_secret(user), digits, tx.now(), row.last_step)
    return step is not None and store.use_totp_step(user, step)


def remove_totp(tx: Tx, user: uuid.UUID) -> None:
    """Take the app away. Raises FactorNotFound."""
    if not FactorStore(tx).remove_totp(user):
        raise FactorNotFound("There is no authenticator app to remove.")
    record_audit(tx, "totp:remove", show_id("usr", user))
    after_removing(tx, user)
