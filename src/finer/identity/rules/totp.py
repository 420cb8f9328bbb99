"""Time-based one-time passwords (RFC 6238): six digits, steps of 30 seconds, SHA-1, as all authenticator apps make."""

from __future__ import annotations

import hmac
import re
from datetime import datetime

import pyotp

STEP_S = 30
_CODE = re.compile(r"^[0-9]{6}$")


def read_code(text: str) -> str | None:
    """The six digits of a code, typed with or without a space; None for a text that is none."""
    digits = "".join(text.split())
    return digits if _CODE.fullmatch(digits) else None


def fitting_step(secret: str, code: str, now: datetime, last_step: int) -> int | None:
    """The step whose code this is: the present one or a neighbour, later than the last one used; None when none fits.

    `secret` is base32. A step that was used, or lies before a used one, never fits again (RFC 6238, section 5.2).
    """
    present = int(now.timestamp()) // STEP_S
    generator = pyotp.TOTP(secret, interval=STEP_S)
    found = None
    # All three are computed and compared in constant time, so that the answer's time says nothing.
    for step in (present - 1, present, present + 1):
        fits = hmac.compare_digest(generator.generate_otp(step), code)
        found = step if fits and step > last_step else found
    return found


def enrolment_uri(secret: str, email: str, issuer: str) -> str:
    """What an authenticator app reads from the QR code (otpauth)."""
    return pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=email, issuer_name=issuer)
