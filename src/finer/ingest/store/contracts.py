"""The SQL of contract versions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from finer.ingest.tables import contract_versions
from finer.ingest.types.contracts import ContractVersion, DraftTrial, VersionState
from finer.kit.tx import Tx

_t = contract_versions.c
_SHOWN = (
    _t.id, _t.contract, _t.version, _t.state, _t.document, _t.revision, _t.note, _t.author, _t.created_at,
    _t.updated_at, _t.published_by, _t.published_at, _t.retired_at, _t.trial,
)  # fmt: skip


class ContractStore:
    """Versions and drafts of one tenant's contracts."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._tenant = tx.tenant

    def published(self) -> list[Any]:
        """(id, state) of every version that is or was in force."""
        return list(self._tx.connection.execute(sa.select(_t.id, _t.state).where(self._mine(), _t.state != "draft")))

    def texts(self, identifiers: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
        """The texts of versions by their id."""
        rows = self._tx.connection.execute(sa.select(_t.id, _t.document).where(self._mine(), _t.id.in_(identifiers)))
        return {row.id: row.document for row in rows}

    def versions(self, contract: str | None = None) -> list[ContractVersion]:
        """Versions and drafts, of one contract if given, the newest first."""
        query = sa.select(*_SHOWN).where(self._mine())
        if contract is not None:
            query = query.where(_t.contract == contract)
        return [_version(row) for row in self._tx.connection.execute(query.order_by(_t.id.desc()))]

    def find(self, identifier: uuid.UUID, *, lock: bool = False) -> ContractVersion | None:
        """One version or draft; locked, so that two who change it do so one after the other."""
        query = sa.select(*_SHOWN).where(self._mine(), _t.id == identifier)
        row = self._tx.connection.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else _version(row)

    def add(self, version: ContractVersion) -> None:
        """A new draft."""
        fields = {name: getattr(version, name) for name in version.__struct_fields__ if name != "trial"}
        self._tx.connection.execute(contract_versions.insert().values(tenant_id=self._tenant, **fields))

    def change_draft(
        self, identifier: uuid.UUID, *, version: str, document: str, note: str, author: str, at: datetime
    ) -> None:
        """Another text for a draft; what was tried was the old one."""
        self._update(
            identifier, version=version, document=document, note=note, author=author, updated_at=at,
            revision=_t.revision + 1, trial=sa.null(),
        )  # fmt: skip

    def set_trial(self, identifier: uuid.UUID, revision: int, trial: DraftTrial) -> bool:
        """What the trial of a draft has found so far; False when the draft is another one by now."""
        changed = self._tx.connection.execute(
            contract_versions.update()
            .where(self._mine(), _t.id == identifier, _t.state == "draft", _t.revision == revision)
            .values(trial=msgspec.to_builtins(trial))
        )
        return bool(changed.rowcount)

    def delete_draft(self, identifier: uuid.UUID) -> None:
        """The draft is gone."""
        self._tx.connection.execute(
            contract_versions.delete().where(self._mine(), _t.id == identifier, _t.state == "draft")
        )

    def retire(self, contract: str, at: datetime) -> None:
        """The version in force is so no longer."""
        self._tx.connection.execute(
            contract_versions.update()
            .where(self._mine(), _t.contract == contract, _t.state == "published")
            .values(state="retired", retired_at=at)
        )

    def publish(self, identifier: uuid.UUID, by: str, at: datetime) -> None:
        """The draft is the version in force from now on."""
        self._update(identifier, state="published", published_by=by, published_at=at, updated_at=at)

    def _update(self, identifier: uuid.UUID, **values: Any) -> None:
        self._tx.connection.execute(
            contract_versions.update().where(self._mine(), _t.id == identifier, _t.state == "draft").values(**values)
        )

    def _mine(self) -> sa.ColumnElement[bool]:
        return _t.tenant_id == self._tenant


def _version(row: Any) -> ContractVersion:
    trial = None if row.trial is None else msgspec.convert(row.trial, DraftTrial)
    return ContractVersion(**{**row._mapping, "state": VersionState(row.state), "trial": trial})
