"""The row of the firm itself, as its administrators change it."""

from __future__ import annotations

from finer.identity.tables.core import tenants
from finer.identity.types import Tenant
from finer.kit.tx import Tx


class FirmStore:
    """The firm of a transaction."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def change(self, firm: Tenant) -> None:
        """Store its name, its time zone and its look."""
        self._connection.execute(
            tenants.update()
            .where(tenants.c.id == self._tenant)
            .values(name=firm.name, timezone=firm.timezone, branding=firm.branding)
        )
