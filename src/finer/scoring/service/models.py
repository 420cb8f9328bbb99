"""The models of a firm: checked when they are registered, one in force for each product."""

from __future__ import annotations

import hashlib

from finer.kit.ids import new_id
from finer.kit.tx import Tx
from finer.scoring.errors import ModelRefused
from finer.scoring.rules.ensemble import Scorer, load_scorer
from finer.scoring.store import ModelStore
from finer.scoring.types import Model

__all__ = ["Scorer", "active_model", "load_scorer", "model_of", "register_model"]

PARITY_MAX = 1e-12


def register_model(tx: Tx, *, name: str, product: str, text: str, known: set[str], threshold: float) -> Model:
    """Check a model and put it in force for a product: LightGBM's own text, or an ensemble as training writes it.

    Raises ModelRefused when the text is no binary model, reads a column that is not in `known`, or when the
    compiled scorer differs from LightGBM by more than PARITY_MAX on random rows.
    """
    scorer = load_scorer(text)
    unknown = [column for column in scorer.columns if column not in known]
    if unknown:
        raise ModelRefused(f"The model reads {', '.join(unknown)}, which {product} does not have.")
    if not 0 < threshold <= 1:
        raise ModelRefused(f"The threshold is {threshold}; it must be above 0 and at most 1.")
    difference = scorer.parity()
    if difference > PARITY_MAX:
        raise ModelRefused(f"The compiled scorer differs from LightGBM by {difference:.3g}. Please report this model.")
    model = Model(
        id=new_id(),
        name=name,
        product=product,
        columns=scorer.columns,
        text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        threshold=threshold,
        registered_at=tx.now(),
        active=True,
    )
    ModelStore(tx).add_active(model)
    return model


def active_model(tx: Tx, product: str) -> Model | None:
    """The model in force for a product, or None."""
    return ModelStore(tx).active(product)


def model_of(tx: Tx, sha256: str) -> Model | None:
    """A registered model by the SHA-256 of its text, in force or not; None when there is none."""
    return ModelStore(tx).of(sha256)
