"""HTTP of models: the list, a card, learning, shadow, promotion, taking back. Parse, call, answer."""

from __future__ import annotations

import uuid

from litestar import Controller, get, post

from finer.identity.service import people, proposals
from finer.identity.service.proposals import Kinds
from finer.identity.types.access import Permission
from finer.kit.ids import read_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.scoring.routes.documents import (
    AskedRun,
    Learning,
    ModelDetail,
    ModelList,
    ModelReason,
    ProposedPromotion,
    TrainingBody,
    people_of_models,
    read_plan,
    show_detail,
    show_learning,
    show_summary,
)
from finer.scoring.service import asking, models, monitors
from finer.scoring.types import Model

_READ, _WRITE = Permission.MODELS_READ, Permission.MODELS_WRITE


class ModelController(Controller):
    """Models that score payments."""

    path = "/api/v1/models"
    tags = ["Models"]

    @get("/", opt={"permission": _READ}, sync_to_thread=True, summary="List models")
    def list(self, tx: Tx) -> ModelList:
        """Every model of the firm with a few figures of its card, the newest first."""
        found = models.list_models(tx)
        names = people.names(tx, people_of_models(*found))
        learning = asking.last_training(tx)
        return ModelList(
            items=[show_summary(one, names) for one in found],
            learning=None if learning is None else show_learning(learning),
            as_of=tx.now(),
        )

    @post("/training", opt={"permission": _WRITE}, sync_to_thread=True, status_code=202, summary="Learn a model")
    def train(self, tx: Tx, data: TrainingBody) -> AskedRun:
        """Learn a model from the payments of the lake, as a job; it is learnt again by the same plan every week."""
        return _asked(asking.begin_training(tx, read_plan(data), data.name, data.note))

    @post(
        "/training/cancellation", opt={"permission": _WRITE}, sync_to_thread=True, status_code=200,
        summary="Stop learning",
    )  # fmt: skip
    def stop(self, tx: Tx) -> Learning:
        """The learning under way stops, and leaves no model."""
        return show_learning(asking.stop_training(tx))

    @post("/watch", opt={"permission": _WRITE}, sync_to_thread=True, status_code=202, summary="Look at the models now")
    def watch(self, tx: Tx) -> AskedRun:
        """Let the monitors look, and compare champion and challenger, without waiting for the hour."""
        return _asked(asking.begin_watch(tx))

    @get("/{model_id:str}", opt={"permission": _READ}, sync_to_thread=True, summary="One model")
    def detail(self, tx: Tx, model_id: str) -> ModelDetail:
        """A model with its card, its time in shadow, and what the monitors saw of it."""
        return _show(tx, models.get_model(tx, read_id("mdl", model_id)))

    @post(
        "/{model_id:str}/shadow", opt={"permission": _WRITE}, sync_to_thread=True, status_code=200,
        summary="Try a model on live payments",
    )  # fmt: skip
    def shadow(self, tx: Tx, model_id: str) -> ModelDetail:
        """Let a model score live payments beside the one that decides; it decides nothing."""
        return _show(tx, models.to_shadow(tx, read_id("mdl", model_id)))

    @post(
        "/{model_id:str}/promotion", opt={"permission": _WRITE}, sync_to_thread=True, status_code=202,
        summary="Propose a model",
    )  # fmt: skip
    def promote(
        self, tx: Tx, model_id: str, data: ModelReason, proposal_kinds: Kinds, settings: Settings
    ) -> ProposedPromotion:
        """Ask for the challenger to decide. Somebody else approves it, on the page Approvals."""
        payload = models.promotion(models.get_model(tx, read_id("mdl", model_id)))
        made = proposals.act_or_propose(tx, settings, proposal_kinds, models.PROMOTE, payload, data.reason)
        return ProposedPromotion(proposal=None if made is None else show_id("pro", made.id), done=made is None)

    @post(
        "/{model_id:str}/withdrawal", opt={"permission": _WRITE, "step_up": True}, sync_to_thread=True,
        status_code=200, summary="Take a model out of force",
    )  # fmt: skip
    def withdraw(self, tx: Tx, model_id: str, data: ModelReason) -> ModelDetail:
        """Let the champion before this one decide again, at once; without one, rules decide alone."""
        return _show(tx, models.withdraw(tx, read_id("mdl", model_id), data.reason))

    @post(
        "/{model_id:str}/retirement", opt={"permission": _WRITE}, sync_to_thread=True, status_code=200,
        summary="Retire a model",
    )  # fmt: skip
    def retire(self, tx: Tx, model_id: str, data: ModelReason) -> ModelDetail:
        """Try a candidate or a challenger no longer."""
        return _show(tx, models.retire(tx, read_id("mdl", model_id), data.reason))


def _show(tx: Tx, model: Model) -> ModelDetail:
    champion = models.active_model(tx, model.product)
    names = people.names(tx, people_of_models(model, champion))
    return show_detail(model, names, monitors.history(tx, model.id), champion, tx.now())


def _asked(run: uuid.UUID | None) -> AskedRun:
    return AskedRun(run=None if run is None else show_id("run", run))
