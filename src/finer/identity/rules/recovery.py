"""Recovery codes: ten that work once each, for whoever has lost the other factor."""

from __future__ import annotations

import re

COUNT = 10
SECRET_CHARACTERS = 10
ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"
"""Thirty characters that nobody takes for one another; ten of them are 49 bits, behind argon2id and a throttle."""
_CODE = re.compile(rf"^([0-9])([{ALPHABET}]{{{SECRET_CHARACTERS}}})$")


def show_recovery_code(number: int, secret: str) -> str:
    """`3-k7m2q-9xw4t`. The number finds the one hash that the secret is compared with."""
    half = SECRET_CHARACTERS // 2
    return f"{number}-{secret[:half]}-{secret[half:]}"


def read_recovery_code(text: str) -> tuple[int, str] | None:
    """(number, secret) of a recovery code, however it is spaced; None for a text that is none."""
    found = _CODE.fullmatch(re.sub(r"[\s-]", "", text).lower())
    return None if found is None else (int(found[1]), found[2])
