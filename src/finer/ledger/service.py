"""The ledger's public interface."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Context, Decimal

from finer.kit.errors import Unprocessable
from finer.kit.tx import Tx
from finer.ledger.rules import RateTable, starter_rates
from finer.ledger.store import LedgerStore
from finer.ledger.types import ExchangeRate

__all__ = ["RateTable", "list_rates", "load_rates", "per_dollar", "rate_table"]

_CURRENCY = re.compile(r"^[A-Z]{3}$")
_SHOWN = Context(prec=12)
_LEAST, _MOST = Decimal("0.000000001"), Decimal(10_000_000)
"""No currency of today is worth less or more; what lies far beyond overflows where amounts are converted and summed."""


def rate_table(tx: Tx) -> RateTable:
    """The tenant's rates, arranged for columns; the starter rates until the firm has loaded its own."""
    return RateTable(LedgerStore(tx).rates() or starter_rates())


def list_rates(tx: Tx) -> list[ExchangeRate]:
    """The tenant's rates by currency and day; the starter rates until the firm has loaded its own."""
    return LedgerStore(tx).rates() or starter_rates()


def per_dollar(tx: Tx, currency: str) -> Decimal | None:
    """Units of a currency that one US dollar is worth today, to twelve digits; None where no rate is known."""
    rates = [one for one in list_rates(tx) if one.currency == currency]
    until_now = [one for one in rates if one.day <= tx.now().date()]
    # As everywhere, the first rate holds for what was before it.
    rate = until_now[-1] if until_now else next(iter(rates), None)
    return None if rate is None else _SHOWN.divide(Decimal(1), rate.usd_per_unit)


def load_rates(tx: Tx, rates: Iterable[ExchangeRate]) -> int:
    """Add or replace rates; returns how many. Raises Unprocessable for a code or rate that cannot be one."""
    checked = list(rates)
    for rate in checked:
        if not _CURRENCY.match(rate.currency):
            raise Unprocessable(f"{rate.currency!r} is not an ISO 4217 code of three capital letters.")
        if not (rate.usd_per_unit.is_finite() and _LEAST <= rate.usd_per_unit <= _MOST):
            raise Unprocessable(
                f"The rate of {rate.currency} on {rate.day} is {rate.usd_per_unit}; it must be between {_LEAST:f} and "
                f"{_MOST:f} dollars."
            )
    store = LedgerStore(tx)
    if not store.rates():
        # The first own rates stand beside the starter rates of all other currencies.
        store.put(starter_rates())
    return store.put(checked)
