"""Training looks back in time only, gives the same model twice, and what it writes scores as it did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest

from finer.kit.moments import microseconds
from finer.kit.tx import Tx
from finer.scoring.errors import ModelRefused, TrainingRefused
from finer.scoring.rules import metrics
from finer.scoring.rules.ensemble import EnsembleScorer
from finer.scoring.rules.trees import LEAVES_MAX
from finer.scoring.service import models, training
from finer.scoring.service.training import Fold, Recipe, Rows, Table
from tests.scoring.conftest import SEED, SMALL, make_folds, make_table

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
whole_days = st.integers(1, 20).map(lambda days: days * DAY)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(count=st.integers(1, 6), training_time=whole_days, delay=whole_days, test=whole_days)
def test_no_fold_learns_from_a_label_of_its_own_future(
    count: int, training_time: timedelta, delay: timedelta, test: timedelta
) -> None:
    folds = training.backwards(START, count, training=training_time, delay=delay, test=test)
    times = np.arange(microseconds(START - 150 * DAY), microseconds(START), 3_600_000_000 * 6)
    assert folds[-1].test_to == START
    for fold in folds:
        rows = training.rows_of(fold, times)
        assert times[rows.train].max(initial=0) + delay // timedelta(microseconds=1) <= microseconds(fold.test_from)
        if len(rows.test):
            assert times[rows.test].min() >= microseconds(fold.test_from)
    assert all(later.test_from == earlier.test_to for earlier, later in pairwise(folds))


@pytest.mark.parametrize(("count", "delay"), [(0, DAY), (2, timedelta(0)), (2, -DAY)])
def test_a_split_without_a_delay_is_refused(count: int, delay: timedelta) -> None:
    with pytest.raises(TrainingRefused, match="lengths above zero"):
        training.prequential(START, count, training=DAY, delay=delay, test=DAY)


def test_a_label_that_came_late_is_not_learnt_from() -> None:
    fold = Fold(START, START + DAY, START + 2 * DAY, START + 3 * DAY)
    times = np.array([microseconds(START + hours * timedelta(hours=1)) for hours in (1, 2, 50)])
    known = times + np.array([3_600_000_000, 50 * 3_600_000_000, 0])
    rows = training.rows_of(fold, times, known)
    assert (rows.train.tolist(), rows.test.tolist()) == ([0], [2])


def test_precision_within_a_capacity_counts_a_card_once_and_a_found_card_no_more() -> None:
    labels = np.array([1, 0, 0, 1, 1, 0], bool)
    scores = np.array([0.9, 0.1, 0.8, 0.7, 0.9, 0.6])
    cards, days = np.array([0, 0, 1, 2, 0, 1]), np.array([0, 0, 0, 0, 1, 1])
    # Day 0: cards 0 and 1 are looked at, one is right. Day 1: card 0 is known, card 1 is genuine.
    assert metrics.precision_at_capacity(labels, scores, cards, days, 2) == pytest.approx((0.5 + 0.0) / 2)
    assert metrics.precision_at_capacity(labels, labels * 1.0, cards, days, 2) == pytest.approx((1.0 + 0.0) / 2)


def test_thresholds_keep_what_they_promise() -> None:
    random = np.random.default_rng(1)
    labels, scores = random.random(5000) < 0.1, random.random(5000)
    limit = metrics.threshold_by_false_positives(labels, scores, 0.01)
    share = (scores[~labels] >= limit).mean()
    assert 0.009 < share <= 0.01
    assert metrics.threshold_by_false_positives(labels, scores, 1.0) <= scores.min()
    cards, days = random.integers(0, 400, 5000), random.integers(0, 10, 5000)
    limit = metrics.threshold_by_capacity(scores, cards, days, 20)
    assert len({(card, day) for card, day in zip(cards[scores >= limit], days[scores >= limit], strict=True)}) == 200
    with pytest.raises(TrainingRefused, match="no genuine payment"):
        metrics.threshold_by_false_positives(np.ones(3, bool), np.ones(3), 0.1)
    with pytest.raises(TrainingRefused, match="no payment"):
        metrics.threshold_by_capacity(np.empty(0), np.empty(0, int), np.empty(0, int), 1)


def test_an_interval_holds_the_figure_and_is_wider_for_fewer_days() -> None:
    random = np.random.default_rng(2)
    labels = random.random(4000) < 0.1
    scores = labels * 0.5 + random.random(4000)
    few, many = random.integers(0, 4, 4000), random.integers(0, 400, 4000)
    figure = metrics.roc_auc(labels, scores)
    for groups in (few, many):
        low, high = metrics.interval(metrics.roc_auc, labels, scores, groups, seed=0, draws=60)
        assert low < figure < high
    assert np.isnan(metrics.interval(metrics.roc_auc, np.zeros(9, bool), np.ones(9), np.arange(9), seed=0)).all()


def test_a_model_is_the_same_each_time_and_scores_as_it_was_trained(table: Table, recipe: Recipe, text: str) -> None:
    assert training.fit(table, np.arange(4000), recipe, seed=SEED) == text
    scorer = models.load_scorer(text)
    scores = scorer.score(table.columns[:, 4000:])
    assert training.roc_auc(table.labels[4000:], scores) > 0.9
    # Calibrated: as many frauds as the probabilities add up to.
    assert scores.sum() == pytest.approx(table.labels[4000:].sum(), rel=0.25)
    assert scorer.parity() <= models.PARITY_MAX


def test_the_compiled_forest_answers_as_scikit_learn(table: Table, text: str) -> None:
    scorer = models.load_scorer(text)
    assert isinstance(scorer, EnsembleScorer)
    rows = np.arange(4000)
    inputs = table.inputs(rows).T.astype(np.float32)
    trees = len(scorer.document.forest.leaves)
    grown = IsolationForest(n_estimators=trees, max_samples=LEAVES_MAX, random_state=SEED).fit(inputs)
    other = make_table(500, seed=9).inputs(np.arange(500))
    theirs = -grown.score_samples(other.T.astype(np.float32))
    np.testing.assert_allclose(scorer.unusual(other), theirs, rtol=0, atol=1e-9)


def test_too_few_frauds_are_refused(table: Table) -> None:
    genuine = np.flatnonzero(~table.labels)[:500]
    with pytest.raises(TrainingRefused, match="0 frauds among 500"):
        training.learn_recipe(table, [Rows(genuine, genuine)], candidates=[SMALL], seed=SEED)
    with pytest.raises(TrainingRefused, match="at least one fold"):
        training.learn_recipe(table, [], seed=SEED)


def test_labels_that_turn_round_are_refused(table: Table) -> None:
    folds = make_folds()
    turned = table.labels.copy()
    turned[folds[0].test] = table.columns[0, folds[0].test] < 1200
    turned[folds[0].train] = table.columns[0, folds[0].train] > 12_000
    with pytest.raises(TrainingRefused, match="rank genuine ones above frauds"):
        training.learn_recipe(msgspec.structs.replace(table, labels=turned), folds[:1], candidates=[SMALL], seed=SEED)


def test_an_ensemble_is_registered_like_any_model(tx: Tx, table: Table, text: str) -> None:
    made = models.register_model(tx, name="first", product="fraud", text=text, known=set(table.names), threshold=0.5)
    models.crown(tx, made.id)
    (head,) = models.heads(tx, "fraud")
    scorer = models.load(tx, head)
    assert scorer.columns == table.names
    assert scorer.score(table.columns[:, :5]).shape == (5,)
    with pytest.raises(ModelRefused, match=r"account\.count_1h"):
        models.register_model(tx, name="x", product="fraud", text=text, known=set(table.names[:2]), threshold=0.5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "finer-ensemble-9"}, "format"),
        ({"surprise": 1}, "surprise"),
        ({"usual": [1.0]}, "usual"),
        ({"columns": ["amount_minor", "account.mean_30d", "other"]}, "do not read its inputs"),
        (
            {"ratios": [{"name": "amount_to_mean_30d", "numerator": "amount_minor", "denominator": "x"}]},
            "Ratios read x",
        ),
        ({"booster": "tree"}, "not a LightGBM model"),
        ({"forest": {"feature": [0]}}, "differ in length"),
        ({"forest": {"feature": [99]}}, "reads an input"),
        ({"forest": {"leaves": [[1.0]]}}, "do not follow one another"),
        ({"forest": {"path": 0.0}}, "do not follow one another"),
    ],
)
def test_an_altered_model_is_refused(text: str, change: dict[str, Any], said: str) -> None:
    document = msgspec.json.decode(text)
    for name, value in change.items():
        document[name] = document[name] | value if isinstance(value, dict) else value
    with pytest.raises(ModelRefused, match=said):
        models.load_scorer(msgspec.json.encode(document).decode())


def test_half_a_model_is_refused(text: str) -> None:
    with pytest.raises(ModelRefused, match="not an ensemble"):
        models.load_scorer(text[: len(text) // 2])
