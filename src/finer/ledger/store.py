"""The SQL of the ledger."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.kit.tx import Tx
from finer.ledger.tables import exchange_rates
from finer.ledger.types import ExchangeRate


class LedgerStore:
    """Exchange rates of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def rates(self) -> list[ExchangeRate]:
        """Every rate, by currency and day."""
        table = exchange_rates
        query = (
            sa.select(table.c.currency, table.c.day, table.c.usd_per_unit)
            .where(table.c.tenant_id == self._tx.tenant)
            .order_by(table.c.currency, table.c.day)
        )
        return [ExchangeRate(*row) for row in self._tx.connection.execute(query)]

    def put(self, rates: Iterable[ExchangeRate]) -> int:
        """Add rates, replacing those of the same currency and day; returns how many."""
        rows = [
            {
                "tenant_id": self._tx.tenant,
                "currency": rate.currency,
                "day": rate.day,
                "usd_per_unit": rate.usd_per_unit,
            }
            for rate in rates
        ]
        if rows:
            statement = insert(exchange_rates)
            statement = statement.on_conflict_do_update(
                index_elements=["tenant_id", "currency", "day"], set_={"usd_per_unit": statement.excluded.usd_per_unit}
            )
            self._tx.connection.execute(statement, rows)
        return len(rows)
