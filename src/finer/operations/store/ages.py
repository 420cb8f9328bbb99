"""The SQL of what was found about orders that wait."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.kit.tx import Tx
from finer.operations.tables import order_ages
from finer.operations.types.orders import OrderAges


class AgeStore:
    """What waits at one tenant, as of the last look."""

    def __init__(self, tx: Tx) -> None:
        self._connection, self._tenant = tx.connection, tx.tenant

    def find(self) -> OrderAges | None:
        """The last look; None before the first."""
        query = sa.select(order_ages.c.document).where(order_ages.c.tenant_id == self._tenant)
        found = self._connection.execute(query).scalar_one_or_none()
        return None if found is None else msgspec.convert(found, OrderAges)

    def keep(self, found: OrderAges) -> None:
        """Keep a look in the place of the one before."""
        values = {"as_of": found.as_of, "document": msgspec.to_builtins(found)}
        new = insert(order_ages).values(tenant_id=self._tenant, **values)
        self._connection.execute(new.on_conflict_do_update(index_elements=["tenant_id"], set_=values))
