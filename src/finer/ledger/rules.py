"""Pure arithmetic of exchange rates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from finer.kit.hashing import hash_text
from finer.kit.money import exponent
from finer.ledger.types import ExchangeRate

_DAY_US = 86_400_000_000
_USD_EXPONENT = 2
_EPOCH = date(1970, 1, 1)
Array = np.ndarray[Any, np.dtype[Any]]

# Rounded to two or three digits and meant for a first look only: a firm loads its own rates with `finer fx load`.
STARTER_RATES = {
    "USD": "1", "EUR": "1.1", "GBP": "1.3", "JPY": "0.0067", "CNY": "0.14", "HKD": "0.128", "SGD": "0.75",
    "MYR": "0.22", "PHP": "0.0175", "THB": "0.029", "IDR": "0.000062", "VND": "0.00004", "INR": "0.0118",
    "AUD": "0.66", "NZD": "0.6", "KRW": "0.00073", "TWD": "0.031", "BND": "0.75", "KHR": "0.00025",
    "LAK": "0.000046", "MMK": "0.00048", "AED": "0.272", "SAR": "0.266", "CHF": "1.15", "CAD": "0.73",
}  # fmt: skip
_CENTS_MAX = 2.0**53


def starter_rates() -> list[ExchangeRate]:
    """The rates of a new tenant, valid from 1970 on."""
    return [ExchangeRate(code, _EPOCH, Decimal(rate)) for code, rate in STARTER_RATES.items()]


class RateTable:
    """Rates arranged for whole columns: US dollar minor units from minor units, currency and time."""

    def __init__(self, rates: Iterable[ExchangeRate]) -> None:
        by_currency: dict[str, list[ExchangeRate]] = {}
        for rate in rates:
            by_currency.setdefault(rate.currency, []).append(rate)
        self._tables: dict[int, tuple[Array, Array]] = {}
        for currency, found in by_currency.items():
            found.sort(key=lambda rate: rate.day)
            days = np.array([(rate.day - _EPOCH).days for rate in found], np.int64)
            shift = Decimal(10) ** (_USD_EXPONENT - exponent(currency))
            factors = np.array([float(rate.usd_per_unit * shift) for rate in found], np.float64)
            self._tables[hash_text(currency)] = (days, factors)

    def usd_minor(self, minor: Array, currency: Array, occurred_us: Array) -> tuple[Array, Array | None]:
        """US dollar cents of each amount, rounded half to even, and where they are known (None: everywhere).

        `minor` int64, `currency` uint64 hashes, `occurred_us` int64; all shape (n,). An amount before the first
        rate of its currency uses that first rate. Cents are not known without a rate, nor beyond 2**53.
        """
        n = len(minor)
        if n == 0:
            return np.zeros(0, np.int64), None
        out = np.zeros(n, np.int64)
        # Most batches hold one currency; then no mask is needed.
        codes = currency[:1] if (currency == currency[0]).all() else np.unique(currency)
        known: Array | None = None
        for code in codes:
            rows: Any = slice(None) if len(codes) == 1 else currency == code
            table = self._tables.get(int(code))
            if table is None:
                known = np.ones(n, np.bool_) if known is None else known
                known[rows] = False
                continue
            days, factors = table
            if len(days) == 1:
                factor: Any = factors[0]
            else:
                place = np.searchsorted(days, occurred_us[rows] // _DAY_US, side="right") - 1
                factor = factors[np.maximum(place, 0)]
            cents = np.rint(minor[rows] * factor)
            held = np.abs(cents) <= _CENTS_MAX
            if not held.all():
                known = np.ones(n, np.bool_) if known is None else known
                known[rows] = held
                cents = np.where(held, cents, 0)
            out[rows] = cents.astype(np.int64)
        return out, known
