"""The SQL of scoring."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from finer.kit.tx import Tx
from finer.scoring.tables import models
from finer.scoring.types import Model


class ModelStore:
    """Models of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def add_active(self, model: Model) -> None:
        """Add a model and let it take the place of the active one of its product."""
        self._connection.execute(
            models.update()
            .where(models.c.tenant_id == self._tenant, models.c.product == model.product, models.c.active)
            .values(active=False)
        )
        self._connection.execute(models.insert().values(tenant_id=self._tenant, **msgspec.structs.asdict(model)))

    def active(self, product: str) -> Model | None:
        """The model in force for a product."""
        query = sa.select(*(models.c[name] for name in Model.__struct_fields__)).where(
            models.c.tenant_id == self._tenant, models.c.product == product, models.c.active
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else Model(**row._mapping)

    def of(self, sha256: str) -> Model | None:
        """A model by the hash of its text; the one registered first where there are several."""
        query = (
            sa.select(*(models.c[name] for name in Model.__struct_fields__))
            .where(models.c.tenant_id == self._tenant, models.c.sha256 == sha256)
            .order_by(models.c.id)
            .limit(1)
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else Model(**row._mapping)
