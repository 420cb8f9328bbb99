"""A model made from history: folds by time, parameters and threshold from earlier weeks, a card from the last ones.

Import this only where something is trained; see finer.scoring.service.training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from finer.scoring.errors import TrainingRefused
from finer.scoring.rules import card as cards
from finer.scoring.rules.ensemble import Scorer, load_scorer
from finer.scoring.rules.metrics import threshold_by_capacity, threshold_by_false_positives
from finer.scoring.rules.splits import Fold, backwards
from finer.scoring.rules.training import POSITIVES_MIN, Rows, Table
from finer.scoring.service.training import CANDIDATES, Recipe, fit, learn_recipe, rows_of
from finer.scoring.types import Measure, ModelCard, ModelComparison, Side, TrainingPlan

__all__ = ["History", "Live", "Made", "compare", "make", "reach"]

Array = np.ndarray[Any, np.dtype[Any]]
THREADS = 1
"""Training runs beside the deciding of payments, on the same machine."""


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Payments to learn from, all arrays (rows,): `times` int64 (microseconds since 1970 UTC), `known_at` likewise.

    `known_at` says when the label of a row became known, and for one that nobody reported, when it counts as genuine.
    `entities` and `days` are int64 codes of accounts and days, `groups` texts by the name of a column.
    """

    table: Table
    times: Array
    known_at: Array
    entities: Array
    days: Array
    groups: Mapping[str, Array]


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A model that was learnt: its text, its threshold, and its card."""

    text: str
    threshold: float
    card: ModelCard


def reach(plan: TrainingPlan, now: datetime) -> tuple[datetime, datetime]:
    """The period that training reads: from the first fold's first row to the last one whose label is ripe."""
    folds = _folds(plan, now)
    return folds[0].train_from, folds[-1].test_to


def make(
    history: History, plan: TrainingPlan, now: datetime, timer: Callable[[], float], tell: Callable[[int, int], None]
) -> Made:
    """Learn a model by a plan, from what is known `now`. `tell(done, of)` is called on the way, and may raise.

    Raises TrainingRefused when there is too little to learn from, with what there is and what to change.
    """
    began = timer()
    folds, known = _folds(plan, now), history.known_at if plan.labels == "as_known" else None
    rows = [rows_of(fold, history.times, known) for fold in folds]
    for fold, one in zip(folds, rows, strict=True):
        _check(history, plan, fold, one)
    steps, done = plan.folds * len(CANDIDATES) + 3, 0

    def step() -> None:
        nonlocal done
        tell(done, steps)
        done += 1

    recipe = learn_recipe(history.table, rows[:-1], seed=plan.seed, threads=THREADS, tell=step)
    step()
    threshold = _threshold(history, plan, rows[-2], recipe)
    step()
    text = fit(history.table, rows[-1].train, recipe, seed=plan.seed, threads=THREADS)
    step()
    card = _card(history, plan, folds[-1], rows[-1], recipe, load_scorer(text), threshold, now)
    tell(steps, steps)
    return Made(text=text, threshold=threshold, card=msgspec.structs.replace(card, seconds=timer() - began))


def _folds(plan: TrainingPlan, now: datetime) -> list[Fold]:
    """Folds of which the last ends where labels are ripe: `plan.folds` to choose by, and one to judge by."""
    day = timedelta(days=1)
    return backwards(
        now - plan.delay_days * day, plan.folds + 1, training=plan.days * day, delay=plan.delay_days * day,
        test=plan.test_days * day,
    )  # fmt: skip


def _check(history: History, plan: TrainingPlan, fold: Fold, rows: Rows) -> None:
    """Say in the period's own words what is missing, before an hour is spent on it."""
    labels = history.table.labels
    learnt, all_of_it = int(labels[rows.train].sum()), int(labels[fold.training_rows(history.times)].sum())
    said = f"{fold.train_from:%Y-%m-%d} to {fold.train_to:%Y-%m-%d}"
    if learnt < POSITIVES_MIN:
        hint = "Choose a longer period, or wait for labels."
        if all_of_it >= POSITIVES_MIN and plan.labels == "as_known":
            hint = (
                f"{all_of_it} are known by now: where a history was loaded at once, take labels as known after the "
                "delay (labels: after_delay)."
            )
        raise TrainingRefused(
            f"In {said} there are {len(rows.train):,} payments and {learnt} frauds that were known when the trial "
            f"began; at least {POSITIVES_MIN} frauds are needed. {hint}"
        )
    tested = labels[rows.test]
    if not tested.any() or tested.all():
        raise TrainingRefused(
            f"The {len(tested):,} payments of {fold.test_from:%Y-%m-%d} to {fold.test_to:%Y-%m-%d} hold "
            f"{int(tested.sum())} known frauds, so nothing could be said of the model. Choose longer trials."
        )


def _threshold(history: History, plan: TrainingPlan, rows: Rows, recipe: Recipe) -> float:
    """From the fold before the last: what is judged later must not have chosen its own threshold."""
    scorer = load_scorer(fit(history.table, rows.train, recipe, seed=plan.seed, threads=THREADS))
    scores = scorer.score(history.table.columns[:, rows.test])
    if plan.threshold_rule == "false_positive_rate":
        return threshold_by_false_positives(history.table.labels[rows.test], scores, plan.target)
    return threshold_by_capacity(scores, history.entities[rows.test], history.days[rows.test], int(plan.target))


def _card(
    history: History,
    plan: TrainingPlan,
    fold: Fold,
    rows: Rows,
    recipe: Recipe,
    scorer: Scorer,
    threshold: float,
    now: datetime,
) -> ModelCard:
    columns = np.ascontiguousarray(history.table.columns[:, rows.test])
    labels, scores = history.table.labels[rows.test], scorer.score(columns)
    tried = cards.Tried(
        labels=labels, scores=scores, entities=history.entities[rows.test], days=history.days[rows.test]
    )
    bins, error = cards.calibrated(tried)
    return ModelCard(
        learnt_since=fold.train_from,
        learnt_until=fold.train_to,
        tested_since=fold.test_from,
        tested_until=fold.test_to,
        rows=len(rows.train),
        frauds=int(history.table.labels[rows.train].sum()),
        tested_rows=len(labels),
        tested_frauds=int(labels.sum()),
        label_delay_days=plan.delay_days,
        labels=plan.labels,
        labels_as_of=now,
        inputs=list(history.table.input_names),
        parameters={name: float(value) for name, value in msgspec.structs.asdict(recipe.parameters).items()},
        tried=list(recipe.tried),
        threshold_rule=plan.threshold_rule,
        threshold_target=plan.target,
        measures=cards.measures(tried, threshold, plan.capacity, seed=plan.seed),
        curve=cards.curve(labels, scores),
        calibration=bins,
        calibration_error=error,
        score=cards.score_spread(scores),
        baselines=cards.spreads(history.table.names, columns),
        groups=cards.groups(tried, threshold, {name: values[rows.test] for name, values in history.groups.items()}),
        weights=cards.weights(scorer, columns, seed=plan.seed),
        seed=plan.seed,
        seconds=0.0,
    )


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """Live payments that champion and challenger have both scored; all (rows,).

    `labels` int8: 1 is fraud, 2 genuine, 0 not known. `ripe` says which rows are old enough to count as genuine when
    nobody reported them.
    """

    champion: Array
    challenger: Array
    labels: Array
    ripe: Array
    entities: Array
    days: Array


def compare(
    live: Live,
    names: tuple[str, str],
    thresholds: tuple[float, float],
    capacity: int,
    period: tuple[datetime, datetime],
    now: datetime,
    *,
    seed: int = 0,
) -> ModelComparison:
    """Champion and challenger (in this order) on the same payments, by what is known now of the ripe ones.

    With too few labels the counts are told, and in `problem` what is missing.
    """
    judged = live.ripe | (live.labels > 0)
    fraud = (live.labels == 1)[judged]
    tried = [
        cards.Tried(labels=fraud, scores=scores[judged], entities=live.entities[judged], days=live.days[judged])
        for scores in (live.champion, live.challenger)
    ]
    enough = len(fraud) > 0 and bool(fraud.any()) and not bool(fraud.all())
    flagged = [live.champion >= thresholds[0], live.challenger >= thresholds[1]]
    sides = []
    for place in (0, 1):
        mine, other = flagged[place], flagged[1 - place]
        sides.append(
            Side(
                model=names[place],
                threshold=thresholds[place],
                flagged=int(mine.sum()),
                frauds=int((mine & (live.labels == 1)).sum()),
                legitimate=int((mine & (live.labels == 2)).sum()),
                unjudged=int((mine & ~other & (live.labels == 0)).sum()),
                measures=cards.measures(tried[place], thresholds[place], capacity, seed=seed) if enough else [],
            )
        )
    differences: list[Measure] = cards.paired(tried[0], tried[1].scores, seed=seed) if enough else []
    return ModelComparison(
        since=period[0],
        until=period[1],
        as_of=now,
        rows=len(live.labels),
        frauds=int((live.labels == 1).sum()),
        legitimate=int((live.labels == 2).sum()),
        champion=sides[0],
        challenger=sides[1],
        differences=differences,
        both_flagged=int((flagged[0] & flagged[1]).sum()),
        problem="" if enough else "No fraud is known yet among the payments that both have scored. Wait for labels.",
    )
