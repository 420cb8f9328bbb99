"""The row of the firm itself, as its administrators change it."""

from __future__ import annotations

import sqlalchemy as sa

from finer.identity.tables.core import tenants
from finer.identity.types.access import Tenant
from finer.kit.tx import Tx


class FirmStore:
    """The firm of a transaction."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def second_factor_required(self) -> bool:
        """Whether everybody of the firm has to come in by two factors."""
        query = sa.select(tenants.c.second_factor_required).where(tenants.c.id == self._tenant)
        return bool(self._connection.execute(query).scalar_one())

    def require_second_factor(self, required: bool) -> None:
        """Ask everybody for two factors, or not."""
        mine = tenants.c.id == self._tenant
        self._connection.execute(tenants.update().where(mine).values(second_factor_required=required))

    def change(self, firm: Tenant) -> None:
        """Store its name, its time zone and its look."""
        self._connection.execute(
            tenants.update()
            .where(tenants.c.id == self._tenant)
            .values(name=firm.name, timezone=firm.timezone, branding=firm.branding)
        )
