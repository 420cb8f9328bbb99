"""The nouns of the ledger."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec


class ExchangeRate(msgspec.Struct, frozen=True):
    """What one major unit of `currency` is worth in US dollars, from `day` (UTC) on until the next rate."""

    currency: str
    day: date
    usd_per_unit: Decimal
