"""Beginnings of a source that is read again: numbers, days and moments as texts."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

_NUMBER = re.compile(r"-?[0-9]{1,200}(\.[0-9]{1,200})?")
_BIGINT_MIN, _BIGINT_MAX = -(2**63), 2**63 - 1


def is_number(text: str) -> bool:
    """Whether a text is a number as PostgreSQL writes it; any other beginning is a day or a moment."""
    return _NUMBER.fullmatch(text) is not None


def as_bigint(number: str) -> str:
    """The least bigint that is at or after a number, or the last one: where a column of whole numbers is read from."""
    whole = int(Decimal(number).to_integral_value(ROUND_CEILING))
    return str(min(max(whole, _BIGINT_MIN), _BIGINT_MAX))
