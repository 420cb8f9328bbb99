"""Money is an integer of minor units with its currency; floats never hold money.

Exponents are those of ISO 4217 (list one, as of 2026-01): the number of decimals of the minor unit. Every currency
that is not named here has two.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

EXPONENTS: dict[str, int] = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV"), 0
    ),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
MAX_EXPONENT = 4


def exponent(currency: str) -> int:
    """Decimals of the currency's minor unit."""
    return EXPONENTS.get(currency, 2)


class Money(msgspec.Struct, frozen=True):
    """An amount: `minor` units of `currency` (ISO 4217 code)."""

    minor: int
    currency: str

    def decimal(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def __str__(self) -> str:
        return f"{self.decimal():,.{exponent(self.currency)}f} {self.currency}"
