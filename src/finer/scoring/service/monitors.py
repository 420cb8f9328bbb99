"""Monitors of a model in service: does it see what it learnt from, and is there as much fraud as it says.

What they find is kept with the model; whoever works on models is told when a limit of its card is passed, once, and
again when all is well.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from finer.identity.types.access import Permission
from finer.kit.ids import show_id
from finer.kit.tx import Tx
from finer.notifications import service as notifications
from finer.notifications.types import NewNotification, Severity
from finer.scoring.rules.drift import drift, log_odds, ratio
from finer.scoring.store import ModelStore
from finer.scoring.types import Drift, Measure, Model, Watch, WatchLimits, WatchState

__all__ = ["KEPT", "Look", "Seen", "altered", "forget_old", "history", "keep", "look", "tell_of_altered"]

Array = np.ndarray[Any, np.dtype[Any]]
KEPT = timedelta(days=400)
ROWS_MIN = 500
"""A spread of fewer payments than this says nothing yet."""
_EXPECTED_MIN = 5.0
_NAMED_MAX = 3
_ORDER: tuple[WatchState, ...] = ("unknown", "ok", "warning", "alarm")


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Payments: what a model reads of them, float64 (columns, rows), its scores of them, and labels (1 is fraud).

    There are fewer scores than rows where another model has scored some.
    """

    columns: Array
    scores: Array
    labels: Array


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One look in the past: the index of the score, the worst one of an input, and how many times as much fraud."""

    at: datetime
    score_psi: float | None
    worst_psi: float | None
    calibration_ratio: float | None
    state: str


def look(model: Model, period: tuple[datetime, datetime], recent: Seen, ripe: Seen, now: datetime) -> Watch:
    """Hold what a model saw within `period` to its card, and its scores of `ripe` payments to their labels."""
    card = model.card
    limits = WatchLimits() if card is None else card.limits
    score: Drift | None = None
    inputs: list[Drift] = []
    rows = recent.columns.shape[1]
    if card is not None and rows >= ROWS_MIN:
        found = [
            drift(base, values, limits, card.tested_rows)
            for base, values in zip(card.baselines, recent.columns, strict=True)
        ]
        inputs = sorted(found, key=lambda one: -one.psi)
    if card is not None and len(recent.scores) >= ROWS_MIN:
        score = drift(card.score, log_odds(recent.scores), limits, card.tested_rows)
    expected, observed = float(ripe.scores.sum()), int((ripe.labels == 1).sum())
    times = ratio(observed, expected)
    calibration = _calibration(times, expected, limits)
    states: list[WatchState] = [calibration, *(one.state for one in inputs), *([] if score is None else [score.state])]
    return Watch(
        at=now,
        since=period[0],
        until=period[1],
        rows=rows,
        score=score,
        inputs=inputs,
        calibration_rows=len(ripe.scores),
        expected=expected,
        observed=observed,
        ratio=times,
        calibration=calibration,
        state=max(states, key=_ORDER.index),
        says=_says(score, inputs, times, calibration, observed, expected),
    )


def keep(tx: Tx, model: Model, seen: Watch) -> None:
    """Keep what was seen, and tell those who work on models when it calls for them."""
    ModelStore(tx).add_watch(model.id, seen)
    key = f"models.watch:{model.product}"
    if seen.state not in ("warning", "alarm"):
        notifications.settle(tx, key)
        return
    notifications.notify(
        tx,
        NewNotification(
            kind="models.watch",
            severity=Severity.CRITICAL if seen.state == "alarm" else Severity.WARNING,
            key=key,
            link=f"/models/{show_id('mdl', model.id)}",
            title=f"The model {model.name} (version {model.version}) sees other payments than it learnt from"
            if seen.calibration not in ("warning", "alarm")
            else f"The scores of {model.name} (version {model.version}) are not what really happens",
            text=f"{' '.join(seen.says)} Learn a new model, or look for what changed.",
            permission=Permission.MODELS_READ,
        ),
    )


def altered(tx: Tx) -> list[str]:
    """The models whose text is not the one that was registered, as sentences."""
    return [f"{row.name} ({row.product} {row.version})" for row in ModelStore(tx).altered()]


def tell_of_altered(tx: Tx, names: list[str]) -> None:
    """Tell those who work on models that somebody changed one behind their backs."""
    if not names:
        notifications.settle(tx, "models.altered")
        return
    notifications.notify(
        tx,
        NewNotification(
            kind="models.altered",
            severity=Severity.CRITICAL,
            key="models.altered",
            link="/models",
            title="The text of a model was altered in the database",
            text=f"{', '.join(names)}: the text is not the one that was registered, so it is not used. The last good "
            "model goes on deciding. Find out who changed it, and register it again.",
            permission=Permission.MODELS_READ,
        ),
    )


def history(tx: Tx, model: uuid.UUID, span: timedelta = timedelta(days=90)) -> list[Look]:
    """What the monitors saw of a model, the oldest first."""
    return [
        Look(
            at=row.at, score_psi=row.score_psi, worst_psi=row.worst_psi, calibration_ratio=row.calibration_ratio,
            state=row.state,
        )
        for row in ModelStore(tx).watches(model, tx.now() - span)
    ]  # fmt: skip


def forget_old(tx: Tx) -> int:
    """Delete what the monitors saw more than 400 days ago."""
    return ModelStore(tx).forget_watches(tx.now() - KEPT)


def _calibration(times: Measure | None, expected: float, limits: WatchLimits) -> WatchState:
    """An alarm only where the bounds lie beyond the limit: a handful of frauds more is chance."""
    if times is None or times.low is None or times.high is None:
        return "unknown"
    if times.low > limits.calibration or (expected >= _EXPECTED_MIN and times.high < 1 / limits.calibration):
        return "alarm"
    return "ok" if expected >= _EXPECTED_MIN else "unknown"


def _says(
    score: Drift | None,
    inputs: list[Drift],
    times: Measure | None,
    calibration: WatchState,
    observed: int,
    expected: float,
) -> list[str]:
    found = []
    if score is not None and score.state != "ok":
        found.append(f"The scores are spread in another way than in the trial (stability index {score.psi:.2f}).")
    moved = [one for one in inputs if one.state != "ok"]
    if moved:
        named = ", ".join(f"{one.name} ({one.psi:.2f})" for one in moved[:_NAMED_MAX])
        more = "" if len(moved) <= _NAMED_MAX else f" and {len(moved) - _NAMED_MAX} more"
        found.append(f"Inputs moved: {named}{more}.")
    if calibration == "alarm" and times is not None:
        found.append(
            f"There were {observed:,} known frauds where the scores add up to {expected:,.1f}, {times.value:.2f} times "
            "as many."
        )
    return found
