"""The SQL of what a firm wants to reach. Versions are added and never changed: what was wanted on a day can be read."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.kit.tx import Tx
from finer.operations.tables import targets
from finer.operations.types.goals import Targets

_t = targets.c


class TargetStore:
    """The targets of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._connection, self._tenant = tx.connection, tx.tenant

    def newest(self) -> Targets:
        """The version in force; version 0 when the firm never set any."""
        query = sa.select(targets).where(_t.tenant_id == self._tenant).order_by(_t.version.desc()).limit(1)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return Targets()
        content = msgspec.convert(row.content, Targets)
        return msgspec.structs.replace(
            content, version=row.version, changed_by=row.changed_by, changed_at=row.changed_at
        )

    def add(self, wanted: Targets) -> bool:
        """A new version; False when there is one of this number already."""
        content = {"goals": wanted.goals, "plans": msgspec.to_builtins(wanted.plans)}
        added = self._connection.execute(
            insert(targets)
            .values(
                tenant_id=self._tenant, version=wanted.version, content=content, changed_by=wanted.changed_by,
                changed_at=wanted.changed_at,
            )
            .on_conflict_do_nothing()
            .returning(_t.version)
        )  # fmt: skip
        return added.scalar_one_or_none() is not None
