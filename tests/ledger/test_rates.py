"""Exchange rates: dated, exact to the cent, and honest about currencies without a rate."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from finer.kit.errors import Unprocessable
from finer.kit.hashing import hash_strings, hash_text
from finer.kit.moments import microseconds
from finer.kit.tx import Tx
from finer.ledger import service
from finer.ledger.rules import RateTable
from finer.ledger.types import ExchangeRate


def _convert(table: RateTable, *rows: tuple[int, str, datetime]) -> list[int | None]:
    minor = np.array([row[0] for row in rows], np.int64)
    currency = hash_strings(pa.array([row[1] for row in rows]))
    at = np.array([microseconds(row[2]) for row in rows], np.int64)
    values, known = table.usd_minor(minor, currency, at)
    return [int(value) if known is None or known[i] else None for i, value in enumerate(values)]


_NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_minor_units_of_every_exponent() -> None:
    table = RateTable(
        [
            ExchangeRate("USD", date(1970, 1, 1), Decimal(1)),
            ExchangeRate("JPY", date(1970, 1, 1), Decimal("0.01")),
            ExchangeRate("KWD", date(1970, 1, 1), Decimal(3)),
        ]
    )
    rows = [(80_000, "USD", _NOON), (1000, "JPY", _NOON), (1500, "KWD", _NOON), (1, "XXX", _NOON)]
    assert _convert(table, *rows) == [80_000, 1000, 450, None]
    assert _convert(table, (80_001, "USD", _NOON)) == [80_001]
    assert _convert(table) == []


def test_the_rate_of_the_day_is_used() -> None:
    table = RateTable(
        [ExchangeRate("EUR", date(2026, 6, 1), Decimal("1.2")), ExchangeRate("EUR", date(2026, 1, 1), Decimal("1.1"))]
    )
    days = [
        datetime(2025, 1, 1, tzinfo=UTC),
        datetime(2026, 5, 31, 23, 59, tzinfo=UTC),
        datetime(2026, 6, 1, tzinfo=UTC),
    ]
    assert _convert(table, *((100, "EUR", day) for day in days)) == [110, 110, 120]


def test_cents_beyond_what_a_column_holds_are_not_known() -> None:
    """Such a sum was written as another number, and ended the worker for all firms."""
    table = RateTable([ExchangeRate("EUR", date(2026, 1, 1), Decimal(10_000_000))])
    minor, codes = np.array([10**13, 100], np.int64), np.array([hash_text("EUR")] * 2, np.uint64)
    cents, known = table.usd_minor(minor, codes, np.zeros(2, np.int64))
    assert known is not None
    assert (cents.tolist(), known.tolist()) == ([0, 1_000_000_000], [False, True])


def test_own_rates_stand_beside_the_starter_rates(tx: Tx) -> None:
    assert {rate.currency for rate in service.list_rates(tx)} >= {"USD", "PHP", "SGD"}
    service.load_rates(tx, [ExchangeRate("PHP", date(2026, 6, 1), Decimal("0.02"))])
    assert _convert(service.rate_table(tx), (100_000, "PHP", _NOON), (100, "USD", _NOON)) == [2000, 100]
    service.load_rates(
        tx, [ExchangeRate("EUR", date(year, 1, 1), Decimal(rate)) for year, rate in ((2020, "1.25"), (2999, "2"))]
    )
    assert [service.per_dollar(tx, code) for code in ("EUR", "USD", "XXX")] == [Decimal("0.8"), Decimal(1), None]


@pytest.mark.parametrize(
    ("currency", "usd"),
    [
        ("php", "1"), ("PHP", "0"), ("PHP", "-1"), ("", "1"), ("PHP", "NaN"), ("PHP", "Infinity"), ("PHP", "1e400"),
        ("PHP", "1e-400"), ("PHP", "1e20"),
    ],
)  # fmt: skip
def test_impossible_rates_are_refused(tx: Tx, currency: str, usd: str) -> None:
    with pytest.raises(Unprocessable):
        service.load_rates(tx, [ExchangeRate(currency, date(2026, 6, 1), Decimal(usd))])
