"""Models of a firm: checked when they are registered and when they are loaded, tried in shadow, put in force by two.

A model is a candidate until somebody lets it score live payments in shadow, as the challenger. A second person makes it
the champion, which decides; the champion before it is retired and can be taken back at once.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from finer.identity.service.audit import record_audit
from finer.identity.types.proposals import Change
from finer.kit.ids import new_id, read_id, show_id
from finer.kit.tx import Tx
from finer.scoring.errors import ModelChanged, ModelNotAcceptable, ModelNotFound, ModelRefused
from finer.scoring.rules.ensemble import Scorer, load_scorer
from finer.scoring.rules.trees import has_linear_trees
from finer.scoring.store import ModelStore
from finer.scoring.types import Measure, Model, ModelCard, ModelComparison, ModelState, TrainingPlan

__all__ = [
    "Head",
    "Scorer",
    "active_model",
    "get_model",
    "heads",
    "list_models",
    "load",
    "load_scorer",
    "model_of",
    "register_model",
]

PARITY_MAX = 1e-12
PROMOTE = "models:promote"
NAME_MAX, WORDS_MAX = 80, 1_000


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """A model that scores live records, or did: champion first, then the challenger, then former champions."""

    id: uuid.UUID
    state: ModelState
    sha256: str
    threshold: float


def register_model(
    tx: Tx,
    *,
    name: str,
    product: str,
    text: str,
    known: set[str],
    threshold: float,
    card: ModelCard | None = None,
    plan: TrainingPlan | None = None,
    owner: str = "",
    note: str = "",
    sha256: str = "",
) -> Model:
    """Check a model and keep it as a candidate: LightGBM's own text, or an ensemble as training writes it.

    Raises ModelRefused when the text is no binary model, has another hash than `sha256` (where one is given), reads a
    column that is not in `known`, has linear trees, or when the compiled scorer differs from LightGBM by more than
    PARITY_MAX on random rows.
    """
    digest = hashlib.sha256(text.encode()).hexdigest()
    if sha256 and digest != sha256.lower():
        raise ModelRefused(f"The file has the SHA-256 {digest}, not {sha256}: it was altered, or it is another one.")
    scorer = load_scorer(text)
    unknown = [column for column in scorer.columns if column not in known]
    if unknown:
        raise ModelRefused(f"The model reads {', '.join(unknown)}, which {product} does not have.")
    if has_linear_trees(text):
        raise ModelRefused(
            "The model was trained with linear_tree=true: its leaves are lines and not numbers. LightGBM cannot say "
            "what each column adds to such a score, and every alert has to. Train it again with linear_tree=false."
        )
    if not 0 < threshold <= 1:
        raise ModelRefused(f"The threshold is {threshold}; it must be above 0 and at most 1.")
    difference = scorer.parity()
    if difference > PARITY_MAX:
        raise ModelRefused(f"The compiled scorer differs from LightGBM by {difference:.3g}. Please report this model.")
    store = ModelStore(tx)
    store.lock()
    model = Model(
        id=new_id(),
        name=name.strip()[:NAME_MAX],
        product=product,
        version=store.next_version(product),
        state=ModelState.CANDIDATE,
        columns=list(scorer.columns),
        text=text,
        sha256=digest,
        threshold=threshold,
        note=note.strip()[:WORDS_MAX],
        author=tx.actor.id,
        owner=owner or tx.actor.id,
        registered_at=tx.now(),
        plan=plan,
        card=card,
    )
    store.add(model)
    _record(tx, "models:register", model, {"name": model.name, "sha256": digest})
    return model


def list_models(tx: Tx, product: str | None = None) -> list[Model]:
    """Every version of a product's model (None: of all products), the newest first, without their texts."""
    return ModelStore(tx).versions(product)


def get_model(tx: Tx, identifier: uuid.UUID) -> Model:
    """One version, without its text. Raises ModelNotFound."""
    found = ModelStore(tx).find(identifier)
    if found is None:
        raise ModelNotFound(f"There is no model {show_id('mdl', identifier)}.")
    return found


def text_of(tx: Tx, identifier: uuid.UUID) -> str:
    """The text of a model as it was registered. Raises ModelNotFound, and ModelRefused when it was altered since."""
    model = get_model(tx, identifier)
    return _checked(ModelStore(tx).text(identifier), model.sha256)


def active_model(tx: Tx, product: str) -> Model | None:
    """The champion of a product without its text, or None."""
    return next(iter(ModelStore(tx).versions(product, [ModelState.CHAMPION])), None)


def challenger(tx: Tx, product: str) -> Model | None:
    """The challenger of a product without its text, or None."""
    return next(iter(ModelStore(tx).versions(product, [ModelState.CHALLENGER])), None)


def heads(tx: Tx, product: str) -> list[Head]:
    """The models that score live records now, and those that decided before, the latest first."""
    return [
        Head(id=row.id, state=ModelState(row.state), sha256=row.sha256, threshold=row.threshold)
        for row in ModelStore(tx).heads(product)
    ]


def load(tx: Tx, head: Head) -> Scorer:
    """A model ready to score. Raises ModelRefused when its text is not the one that was registered."""
    return load_scorer(_checked(ModelStore(tx).text(head.id), head.sha256))


def model_of(tx: Tx, sha256: str) -> Model | None:
    """A registered model by the SHA-256 of its text or the beginning of it, in force or not; None when there is none.

    Raises ModelRefused when its text is not the one that was registered.
    """
    found = ModelStore(tx).of(sha256)
    if found is not None:
        _checked(found.text, found.sha256)
    return found


def to_shadow(tx: Tx, identifier: uuid.UUID) -> Model:
    """Let a candidate, or a model of before, score live records without deciding; a challenger before it is retired.

    Raises ModelNotFound, ModelChanged, and ModelRefused when the text was altered.
    """
    store = ModelStore(tx)
    store.lock()
    model = _in_state(tx, identifier, ModelState.CANDIDATE, ModelState.RETIRED)
    load_scorer(_checked(store.text(identifier), model.sha256))
    for one in store.versions(model.product, [ModelState.CHALLENGER]):
        store.change(one.id, state=ModelState.RETIRED, retired_at=tx.now())
        _record(tx, "models:retire", one, {"reason": f"Version {model.version} is tried instead."})
    store.change(identifier, state=ModelState.CHALLENGER, challenger_at=tx.now(), retired_at=None, comparison=None)
    _record(tx, "models:shadow", model, {})
    return get_model(tx, identifier)


def retire(tx: Tx, identifier: uuid.UUID, reason: str) -> Model:
    """Try a candidate or a challenger no longer. Raises ModelChanged, also for the champion."""
    store = ModelStore(tx)
    store.lock()
    model = _in_state(tx, identifier, ModelState.CANDIDATE, ModelState.CHALLENGER)
    said = _reason(reason)
    store.change(identifier, state=ModelState.RETIRED, retired_at=tx.now())
    _record(tx, "models:retire", model, {"reason": said})
    return get_model(tx, identifier)


def withdraw(tx: Tx, identifier: uuid.UUID, reason: str) -> Model:
    """Take the champion out of force at once, by one person: a model that does harm cannot wait for a second one.

    The champion before it decides again, as it was approved; without one, rules decide alone. Returns the model that
    was withdrawn. Raises ModelChanged for a model that is not the champion.
    """
    store = ModelStore(tx)
    store.lock()
    model = _in_state(tx, identifier, ModelState.CHAMPION)
    said = _reason(reason)
    store.change(identifier, state=ModelState.RETIRED, retired_at=tx.now())
    before = _before(tx, model)
    if before is not None:
        store.change(before.id, state=ModelState.CHAMPION, champion_at=tx.now(), retired_at=None)
    _record(tx, "models:withdraw", model, {"reason": said, "in_force": None if before is None else before.version})
    return get_model(tx, identifier)


def crown(tx: Tx, identifier: uuid.UUID) -> Model:
    """Make a model the champion at once, as the operator of the installation does from the command line."""
    store = ModelStore(tx)
    store.lock()
    model = _in_state(tx, identifier, ModelState.CANDIDATE, ModelState.CHALLENGER, ModelState.RETIRED)
    return _crown(tx, store, model)


def promotion(model: Model) -> dict[str, Any]:
    """The payload of the proposal to make a challenger the champion."""
    return {
        "model": show_id("mdl", model.id),
        "version": f"{model.product}/{model.version}",
        "sha256": model.sha256,
        "threshold": model.threshold,
    }


def promotion_version(tx: Tx, payload: Mapping[str, Any]) -> str:
    """The state that a promotion starts from. Raises ModelNotFound, ModelChanged, ModelRefused."""
    model = _proposed(tx, payload)
    champion = active_model(tx, model.product)
    return f"{'' if champion is None else champion.sha256}:{model.sha256}"


def describe_promotion(tx: Tx, payload: Mapping[str, Any]) -> list[Change]:
    """What a promotion changes, with what the card and the time in shadow say of it."""
    model = _proposed(tx, payload)
    champion = active_model(tx, model.product)
    old: dict[str, str] = {} if champion is None else _shown(champion)
    found = [Change(name, old.get(name, ""), value) for name, value in _shown(model).items()]
    if model.comparison is not None:
        found += _compared(model.comparison)
    return found


def execute_promotion(tx: Tx, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Make the challenger the champion: it decides within seconds. Raises as `promotion_version`."""
    store = ModelStore(tx)
    store.lock()
    model = _proposed(tx, payload)
    _crown(tx, store, model)
    return {"model": model.name, "version": model.version}


def note_comparison(tx: Tx, identifier: uuid.UUID, found: ModelComparison) -> bool:
    """Keep how a challenger did beside the champion; False when it is the challenger no more."""
    store = ModelStore(tx)
    model = store.find(identifier)
    if model is None or model.state is not ModelState.CHALLENGER:
        return False
    store.change(identifier, comparison=found)
    return True


def _crown(tx: Tx, store: ModelStore, model: Model) -> Model:
    load_scorer(_checked(store.text(model.id), model.sha256))
    champion = active_model(tx, model.product)
    if champion is not None:
        store.change(champion.id, state=ModelState.RETIRED, retired_at=tx.now())
    store.change(model.id, state=ModelState.CHAMPION, champion_at=tx.now(), approved_by=tx.actor.id, retired_at=None)
    _record(tx, PROMOTE, model, {"before": None if champion is None else champion.version, "sha256": model.sha256})
    return get_model(tx, model.id)


def _before(tx: Tx, model: Model) -> Model | None:
    """The champion before this one whose text is still the one that was registered."""
    store = ModelStore(tx)
    retired = store.versions(model.product, [ModelState.RETIRED])
    former = [one for one in retired if one.champion_at and one.id != model.id]
    for one in sorted(former, key=lambda each: each.retired_at or each.registered_at, reverse=True):
        if hashlib.sha256(store.text(one.id).encode()).hexdigest() == one.sha256:
            return one
    return None


def _proposed(tx: Tx, payload: Mapping[str, Any]) -> Model:
    model = get_model(tx, read_id("mdl", str(payload["model"])))
    if model.state is not ModelState.CHALLENGER:
        raise ModelChanged(
            f"{model.product} {model.version} is {model.state}; a model becomes champion out of shadow. Try it first."
        )
    if promotion(model) != dict(payload):
        raise ModelChanged("The model is another one than the one that was proposed. Propose it again.")
    _checked(ModelStore(tx).text(model.id), model.sha256)
    return model


def _in_state(tx: Tx, identifier: uuid.UUID, *states: ModelState) -> Model:
    model = get_model(tx, identifier)
    if model.state not in states:
        raise ModelChanged(f"{model.product} {model.version} is {model.state}, not {' or '.join(states)}.")
    return model


def _checked(text: str, sha256: str) -> str:
    found = hashlib.sha256(text.encode()).hexdigest()
    if found != sha256:
        raise ModelRefused(
            f"The stored text of the model {sha256[:12]} was altered: its SHA-256 is {found[:12]} now. It is not used. "
            "Register the model again from its file, and look into the database's own log for who changed it."
        )
    return text


def _reason(reason: str) -> str:
    said = reason.strip()
    if not said:
        raise ModelNotAcceptable("Say why: the audit trail keeps it.")
    return said[:WORDS_MAX]


def _shown(model: Model) -> dict[str, str]:
    found = {
        "Model": f"{model.name} (version {model.version})",
        "SHA-256": model.sha256,
        "Threshold": f"{model.threshold:.6g}",
    }
    if model.card is None:
        return found | {"Card": "none: it was brought from elsewhere"}
    card = model.card
    found["Learnt from"] = (
        f"{card.rows:,} payments, {card.frauds:,} frauds, {card.learnt_since:%Y-%m-%d} to {card.learnt_until:%Y-%m-%d}"
    )
    return found | {one.name: _measured(one) for one in card.measures}


def _measured(one: Measure) -> str:
    if one.value is None:
        return "not known"
    bounds = "" if one.low is None or one.high is None else f" ({one.low:.4g} to {one.high:.4g})"
    return f"{one.value:.4g}{bounds}"


def _compared(found: ModelComparison) -> list[Change]:
    said = f"{found.rows:,} payments in shadow, {found.frauds:,} known frauds, {found.legitimate:,} known good ones"
    changes = [Change("In shadow", "", said)]
    sides = {one.name: one for one in found.champion.measures}
    for one in found.challenger.measures:
        before = sides.get(one.name)
        changes.append(Change(f"In shadow: {one.name}", "" if before is None else _measured(before), _measured(one)))
    return changes


def _record(tx: Tx, action: str, model: Model, detail: dict[str, Any]) -> None:
    record_audit(tx, action, show_id("mdl", model.id), {"product": model.product, "version": model.version} | detail)
