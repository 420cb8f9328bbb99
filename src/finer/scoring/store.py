"""The SQL of scoring."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from finer.kit.lock_keys import LockKey
from finer.kit.tx import Tx
from finer.scoring.tables import models, watches
from finer.scoring.types import Model, ModelCard, ModelComparison, ModelState, TrainingPlan, Watch

_t = models.c
_DOCUMENTS: dict[str, Any] = {"plan": TrainingPlan, "card": ModelCard, "comparison": ModelComparison, "watch": Watch}
_PLAIN = [name for name in Model.__struct_fields__ if name not in _DOCUMENTS]
_SHOWN = [_t[name] for name in Model.__struct_fields__ if name != "text"]


class ModelStore:
    """Models of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def lock(self) -> None:
        """Let one change of the firm's models follow another."""
        self._connection.exec_driver_sql(
            "select pg_advisory_xact_lock(%s, hashtext(%s))", (LockKey.MODELS.value, str(self._tenant))
        )

    def next_version(self, product: str) -> int:
        """The number of the next version of a product's model."""
        query = sa.select(sa.func.coalesce(sa.func.max(_t.version), 0) + 1).where(
            _t.tenant_id == self._tenant, _t.product == product
        )
        return int(self._connection.execute(query).scalar_one())

    def add(self, model: Model) -> None:
        """A new version."""
        values: dict[str, Any] = {name: getattr(model, name) for name in _PLAIN}
        values |= {name: _document(getattr(model, name)) for name in _DOCUMENTS}
        self._connection.execute(models.insert().values(tenant_id=self._tenant, **values))

    def change(self, identifier: uuid.UUID, **values: Any) -> None:
        """How far a model has come, or what is known of it; `comparison` and `watch` are structures."""
        values |= {name: _document(values[name]) for name in _DOCUMENTS if name in values}
        self._connection.execute(
            models.update().where(_t.tenant_id == self._tenant, _t.id == identifier).values(**values)
        )

    def versions(self, product: str | None, states: Sequence[ModelState] = ()) -> list[Model]:
        """Every version of a product's model (None: of all products), the newest first; their texts are left out."""
        query = sa.select(*_SHOWN).where(_t.tenant_id == self._tenant)
        if product is not None:
            query = query.where(_t.product == product)
        if states:
            query = query.where(_t.state.in_(list(states)))
        return [_model(row, "") for row in self._connection.execute(query.order_by(_t.registered_at.desc(), _t.id))]

    def find(self, identifier: uuid.UUID) -> Model | None:
        """One version, without its text."""
        query = sa.select(*_SHOWN).where(_t.tenant_id == self._tenant, _t.id == identifier)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _model(row, "")

    def text(self, identifier: uuid.UUID) -> str:
        """The text of a model."""
        query = sa.select(_t.text).where(_t.tenant_id == self._tenant, _t.id == identifier)
        return str(self._connection.execute(query).scalar_one())

    def of(self, sha256: str) -> Model | None:
        """A model by the hash of its text, with the text; the one registered first where there are several."""
        query = (
            sa.select(*_SHOWN, _t.text)
            .where(_t.tenant_id == self._tenant, _t.sha256.startswith(sha256, autoescape=True))
            .order_by(_t.id)
            .limit(1)
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _model(row, row.text)

    def heads(self, product: str) -> list[sa.Row[Any]]:
        """(id, state, sha256, threshold) of what decides, what is tried, and what decided before, the latest first."""
        order = sa.case((_t.state == ModelState.CHAMPION, 0), (_t.state == ModelState.CHALLENGER, 1), else_=2)
        query = (
            sa.select(_t.id, _t.state, _t.sha256, _t.threshold)
            .where(
                _t.tenant_id == self._tenant,
                _t.product == product,
                _t.state.in_([ModelState.CHAMPION, ModelState.CHALLENGER])
                | ((_t.state == ModelState.RETIRED) & _t.champion_at.is_not(None)),
            )
            .order_by(order, _t.retired_at.desc())
        )
        return list(self._connection.execute(query))

    def altered(self) -> list[sa.Row[Any]]:
        """(product, version, name) of models whose text is not the one that was registered."""
        query = sa.select(_t.product, _t.version, _t.name).where(
            _t.tenant_id == self._tenant,
            sa.func.encode(sa.func.sha256(sa.func.convert_to(_t.text, "UTF8")), "hex") != _t.sha256,
        )
        return list(self._connection.execute(query))

    def add_watch(self, model: uuid.UUID, seen: Watch) -> None:
        """Keep what the monitors saw; the model holds the newest."""
        psis = [one.psi for one in seen.inputs]
        self._connection.execute(
            watches.insert().values(
                tenant_id=self._tenant,
                model_id=model,
                at=seen.at,
                score_psi=None if seen.score is None else seen.score.psi,
                worst_psi=max(psis, default=None),
                calibration_ratio=None if seen.ratio is None else seen.ratio.value,
                state=seen.state,
            )
        )
        self.change(model, watch=seen)

    def watches(self, model: uuid.UUID, since: datetime) -> list[sa.Row[Any]]:
        """(at, score_psi, worst_psi, calibration_ratio, state) of a model, the oldest first."""
        w = watches.c
        query = (
            sa.select(w.at, w.score_psi, w.worst_psi, w.calibration_ratio, w.state)
            .where(w.tenant_id == self._tenant, w.model_id == model, w.at >= since)
            .order_by(w.at)
        )
        return list(self._connection.execute(query))

    def forget_watches(self, before: datetime) -> int:
        """Delete what the monitors saw before then."""
        done = self._connection.execute(
            watches.delete().where(watches.c.tenant_id == self._tenant, watches.c.at < before)
        )
        return done.rowcount


def _document(value: Any) -> Any:
    return sa.null() if value is None else msgspec.to_builtins(value)


def _model(row: sa.Row[Any], text: str) -> Model:
    plain = {name: getattr(row, name) for name in _PLAIN if name != "text"}
    plain["state"] = ModelState(row.state)
    documents: dict[str, Any] = {
        name: None if getattr(row, name) is None else msgspec.convert(getattr(row, name), kind)
        for name, kind in _DOCUMENTS.items()
    }
    return Model(**plain, text=text, **documents)
