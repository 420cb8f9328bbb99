"""Showing who one is by a password or a code: counted before it is looked at, wherever it is asked for."""

from __future__ import annotations

import uuid

from finer.identity.errors import TooManyAttempts
from finer.identity.rules.recovery import read_recovery_code
from finer.identity.rules.step_up import STRONG
from finer.identity.rules.throttle import ACCOUNT, account_key, second_factor_key
from finer.identity.rules.totp import read_code
from finer.identity.service.audit import note_account, record_audit
from finer.identity.service.factors import password_hash_of
from finer.identity.service.people import get_user
from finer.identity.service.totp import use_totp
from finer.identity.store.factors import FactorStore
from finer.identity.store.lookups import LookupStore
from finer.identity.types.access import Factor, Principal
from finer.kit.ids import show_id
from finer.kit.passwords import verify_password
from finer.kit.settings import Settings
from finer.kit.tx import Tx


def worth(caller: Principal, factor: Factor) -> Factor | None:
    """What a fresh proof does for a session: itself, or nothing when it is weaker than this person's strongest."""
    return factor if factor in caller.proofs or factor in STRONG else None


def prove_by_password(tx: Tx, settings: Settings, user: uuid.UUID, password: str) -> Factor | None:
    """PASSWORD when it fits, else None; a refusal is audited, so the caller commits in either case.

    Raises TooManyAttempts before any hash is computed: the attempts are those of signing in, counted together.
    """
    key = account_key(get_user(tx, user).email)
    _count(tx, user, key)
    if not verify_password(password_hash_of(tx, user), password, settings):
        _audit_refusal(tx, user, Factor.PASSWORD)
        return None
    LookupStore(tx.connection).forget_attempts(key)
    return Factor.PASSWORD


def prove_by_code(tx: Tx, settings: Settings, user: uuid.UUID, code: str) -> Factor | None:
    """TOTP or RECOVERY when a code of the app or a recovery code fits, which uses it up; else None.

    The caller commits in either case. Raises TooManyAttempts.
    """
    key = second_factor_key(user)
    _count(tx, user, key)
    factor = Factor.RECOVERY if read_code(code) is None else Factor.TOTP
    fits = use_totp(tx, user, code) if factor is Factor.TOTP else _use_recovery(tx, settings, user, code)
    if not fits:
        _audit_refusal(tx, user, factor)
        return None
    LookupStore(tx.connection).forget_attempts(key)
    return factor


def _use_recovery(tx: Tx, settings: Settings, user: uuid.UUID, code: str) -> bool:
    parts = read_recovery_code(code)
    stored = None if parts is None else LookupStore(tx.connection).recovery_code(tx.tenant, user, parts[0])
    # A text that cannot be a code takes as long as a wrong one.
    if not verify_password(stored, parts[1] if parts else code, settings) or parts is None:
        return False
    if not FactorStore(tx).use_recovery_code(user, parts[0], tx.now()):
        return False
    record_audit(tx, "recovery_codes:use", show_id("usr", user), {"number": parts[0]})
    return True


def _count(tx: Tx, user: uuid.UUID, key: bytes) -> None:
    wait = LookupStore(tx.connection).count_attempt(key, ACCOUNT, tx.now())
    if wait:
        note_account(tx.tenant, show_id("usr", user))
        raise TooManyAttempts(f"Too many attempts failed. Try again in {wait} s.", retry_after_s=wait)


def _audit_refusal(tx: Tx, user: uuid.UUID, factor: Factor) -> None:
    record_audit(tx, "session:prove", show_id("usr", user), {"factor": str(factor)}, outcome="refused")
