"""The SQL of the policy of cases. Versions are added and never changed: what was in force on a day can be read."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.decisions.tables.cases import case_policies
from finer.decisions.types.policy import CasePolicy, PolicyContent
from finer.kit.tx import Tx

_p = case_policies.c
_BEFORE = {"priority_from_usd": {"urgent": 1_000, "high": 250}}
"""What a version says that was made when priorities began at the same losses in every firm."""


class CasePolicyStore:
    """The policies of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def newest(self) -> CasePolicy | None:
        """The version in force; None when the firm never made one."""
        query = sa.select(case_policies).where(_p.tenant_id == self._tenant).order_by(_p.version.desc()).limit(1)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        content = msgspec.convert(_BEFORE | row.content, PolicyContent)
        return CasePolicy(
            content=content, version=row.version, changed_by=row.changed_by,
            changed_at=row.changed_at,
        )  # fmt: skip

    def add(self, policy: CasePolicy) -> bool:
        """A new version; False when there is one of this number already."""
        added = self._connection.execute(
            insert(case_policies)
            .values(
                tenant_id=self._tenant, version=policy.version, content=msgspec.to_builtins(policy.content),
                changed_by=policy.changed_by, changed_at=policy.changed_at,
            )
            .on_conflict_do_nothing()
            .returning(_p.version)
        )  # fmt: skip
        return added.scalar_one_or_none() is not None
