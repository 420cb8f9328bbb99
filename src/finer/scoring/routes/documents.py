"""What scoring shows of models, and what it takes, as they leave and enter the system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeAlias

import msgspec

from finer.kit.ids import show_id
from finer.kit.runs import JobRun, RunState
from finer.scoring.service.monitors import Look
from finer.scoring.types import (
    LabelsAs,
    Measure,
    Model,
    ModelCard,
    ModelComparison,
    ModelState,
    ThresholdRule,
    TrainingPlan,
    Watch,
    WatchState,
)

ModelId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^mdl_[0-9a-f]{32}$")]
_Words: TypeAlias = Annotated[str, msgspec.Meta(max_length=1_000)]
_HEADLINE = ("average precision", "recall", "false-positive rate")


class ModelSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A model in the list. `measures` are a few figures of its card; `watch` is how it does, where it decides."""

    id: ModelId
    name: str
    product: str
    version: int
    state: ModelState
    threshold: float
    sha256: str
    note: str
    author: str
    owner: str
    registered_at: datetime
    challenger_at: datetime | None
    champion_at: datetime | None
    approved_by: str
    retired_at: datetime | None
    measures: list[Measure]
    watch: WatchState | None


class Learning(msgspec.Struct, frozen=True, kw_only=True):
    """A learning that somebody asked for: how far it is, or how it ended; `stopping` once it was asked to stop."""

    run: str
    name: str
    state: RunState
    asked_by: str
    asked_at: datetime
    ended_at: datetime | None
    done: int | None
    total: int | None
    error: str
    lines: list[str]
    stopping: bool


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """Every model of the firm, the newest first, and the learning that was asked for last."""

    items: list[ModelSummary]
    learning: Learning | None
    as_of: datetime


class ModelDetail(ModelSummary, frozen=True, kw_only=True):
    """A model whole: its card, what the time in shadow and the monitors say, and what is in force beside it."""

    columns: list[str]
    plan: TrainingPlan | None
    card: ModelCard | None
    comparison: ModelComparison | None
    last_watch: Watch | None
    looks: list[Look]
    champion: ModelSummary | None
    as_of: datetime


class TrainingBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model is learnt; see TrainingPlan.

    `target` is accounts a day for the rule `capacity`, and a share of genuine payments for `false_positive_rate`.
    """

    name: Annotated[str, msgspec.Meta(max_length=80)] = ""
    note: _Words = ""
    days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 28
    delay_days: Annotated[int, msgspec.Meta(ge=1, le=90)] = 7
    test_days: Annotated[int, msgspec.Meta(ge=1, le=60)] = 7
    folds: Annotated[int, msgspec.Meta(ge=1, le=6)] = 2
    labels: LabelsAs = "as_known"
    threshold_rule: ThresholdRule = "capacity"
    target: Annotated[float, msgspec.Meta(gt=0, le=1_000_000)] = 100
    capacity: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 100


class ModelReason(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why."""

    reason: _Words


class AskedRun(msgspec.Struct, frozen=True, kw_only=True):
    """The run of a job that was asked for; null when the same one is about to run."""

    run: str | None


class ProposedPromotion(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a promotion: a proposal, or `done` where nobody has to approve."""

    proposal: str | None
    done: bool


def read_plan(body: TrainingBody) -> TrainingPlan:
    """What a request says of how to learn."""
    fields = {name: getattr(body, name) for name in TrainingPlan.__struct_fields__ if name != "seed"}
    return TrainingPlan(**fields)


def show_learning(run: JobRun) -> Learning:
    """A learning as the page Models shows it."""
    return Learning(
        run=show_id("run", run.id),
        name=str(run.arguments.get("name", "")),
        state=run.state,
        asked_by=run.asked_by,
        asked_at=run.asked_at,
        ended_at=run.ended_at,
        done=run.done,
        total=run.total,
        error=run.error,
        lines=run.lines,
        stopping=run.cancel_asked,
    )


def people_of_models(*models: Model | None) -> list[str]:
    """Everybody whom `show_summary` and `show_detail` call by name."""
    return [person for one in models if one is not None for person in (one.author, one.owner, one.approved_by)]


def show_summary(model: Model, names: Mapping[str, str]) -> ModelSummary:
    """A model as lists show it; `names` are those of people by their ids."""
    return ModelSummary(**_fields(model, names))


def show_detail(
    model: Model, names: Mapping[str, str], looks: Sequence[Look], champion: Model | None, now: datetime
) -> ModelDetail:
    """A model as its page shows it."""
    return ModelDetail(
        **_fields(model, names),
        columns=model.columns,
        plan=model.plan,
        card=model.card,
        comparison=model.comparison,
        last_watch=model.watch,
        looks=list(looks),
        champion=None if champion is None else show_summary(champion, names),
        as_of=now,
    )


def _fields(model: Model, names: Mapping[str, str]) -> dict[str, Any]:
    measures = [] if model.card is None else model.card.measures
    watching = model.state is ModelState.CHAMPION and model.watch is not None
    return {
        "id": show_id("mdl", model.id),
        "name": model.name,
        "product": model.product,
        "version": model.version,
        "state": model.state,
        "threshold": model.threshold,
        "sha256": model.sha256,
        "note": model.note,
        "author": names.get(model.author, ""),
        "owner": names.get(model.owner, ""),
        "registered_at": model.registered_at,
        "challenger_at": model.challenger_at,
        "champion_at": model.champion_at,
        "approved_by": names.get(model.approved_by, ""),
        "retired_at": model.retired_at,
        "measures": [one for one in measures if one.name in _HEADLINE or one.name.startswith("precision at")],
        "watch": model.watch.state if watching and model.watch is not None else None,
    }
