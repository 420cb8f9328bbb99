"""How strong a proof of identity is, and when a fresh one is asked for (NIST SP 800-63B, reauthentication)."""

from __future__ import annotations

from datetime import datetime, timedelta

from finer.identity.types.access import Factor

STRONG = frozenset({Factor.PASSKEY, Factor.TOTP, Factor.RECOVERY})
"""Factors that stand for more than one secret: a device, or a code beside the password."""
_PROVIDER = frozenset({Factor.SSO, Factor.SSO_MFA})


def strongest_proofs(*, password: bool, totp: bool, passkey: bool) -> tuple[Factor, ...]:
    """Which factors show best that it is this person, given what they have set up.

    A weaker one never stands in for a stronger one: whoever knows only the password of somebody with a second factor
    proves nothing.
    """
    strong = [factor for factor, there in ((Factor.PASSKEY, passkey), (Factor.TOTP, totp)) if there]
    if strong:
        return (*strong, Factor.RECOVERY)
    return (Factor.PASSWORD,) if password else (Factor.LINK, Factor.SSO, Factor.SSO_MFA)


def is_stepped_up(
    factor: Factor, auth_at: datetime, proofs: tuple[Factor, ...], now: datetime, lasts: timedelta
) -> bool:
    """Whether the last proof of a session is fresh, and as strong as this person's can be."""
    return (factor in proofs or factor in STRONG) and timedelta(0) <= now - auth_at <= lasts


def missing_factors(factor: Factor, proofs: tuple[Factor, ...]) -> tuple[Factor, ...]:
    """Which second factors a sign-in by `factor` still needs; empty when it is enough.

    A firm's own provider asks for what the firm wants asked, so nothing is added to its word.
    """
    return () if factor in STRONG | _PROVIDER or not STRONG.intersection(proofs) else proofs


def is_second_factor_missing(*, required: bool, factor: Factor) -> bool:
    """Whether a session began with less than its firm asks of everybody."""
    return required and factor not in STRONG and factor is not Factor.SSO_MFA
