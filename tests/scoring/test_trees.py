"""The compiled tree scorer gives what LightGBM gives, and refuses what it cannot score."""

from __future__ import annotations

import platform
import subprocess
import sys

import lightgbm
import numpy as np
import pytest

from finer.kit.tx import Tx
from finer.scoring.errors import ModelRefused
from finer.scoring.rules.trees import TreeScorer
from finer.scoring.service import models as service
from finer.scoring.types import ModelState


def _train(
    objective: str = "binary", leaves: int = 31, categories: bool = False, **more: object
) -> tuple[str, np.ndarray]:
    generator = np.random.default_rng(7)
    rows = generator.lognormal(1, 1.5, (3000, 5))
    if categories:
        rows[:, 0] = generator.integers(0, 9, 3000)
    noise = generator.random(3000) < 0.3
    target = (((rows[:, 0] > 3) & (rows[:, 1] > 2)) ^ noise).astype(int)
    data = lightgbm.Dataset(rows, target, categorical_feature=[0] if categories else "auto")
    options = {
        "objective": objective,
        "num_leaves": leaves,
        "verbose": -1,
        "num_threads": 1,
        "seed": 7,
        "min_data_in_leaf": 2,
        **more,
    }
    return lightgbm.train(options, data, 20).model_to_string(), rows


@pytest.mark.parametrize(
    ("leaves", "categories", "compiled"), [(31, False, True), (64, False, True), (80, False, False), (15, True, False)]
)
def test_scores_equal_lightgbm(leaves: int, categories: bool, compiled: bool) -> None:
    text, rows = _train(leaves=leaves, categories=categories)
    scorer = TreeScorer(text)
    assert scorer.compiled is compiled
    assert scorer.parity() <= service.PARITY_MAX
    sample = np.ascontiguousarray(rows[:130].T)
    scores = scorer.score(sample)
    np.testing.assert_allclose(scores, scorer.booster.predict(rows[:130]), rtol=0, atol=1e-12)
    # Also values that are exactly on a threshold, and rows that are explained without others.
    for told in (sample, scorer.sample(3, 130), sample[:, :1]):
        parts = scorer.booster.predict(np.ascontiguousarray(told.T), pred_contrib=True)
        np.testing.assert_allclose(scorer.contributions(told), parts, rtol=0, atol=1e-12)
    # A payment that comes alone is scored another way, to the same last bit: a replay may batch it differently.
    alone = np.concatenate([scorer.score(np.ascontiguousarray(sample[:, [row]])) for row in range(130)])
    if compiled:
        np.testing.assert_array_equal(alone, scores)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="there scikit-learn has to be loaded before LightGBM")
def test_a_process_that_only_scores_does_not_load_what_trains() -> None:
    code = """
import sys
from finer.scoring.rules.trees import TreeScorer
scorer = TreeScorer(sys.stdin.read())
print(sorted({"sklearn", "scipy.stats"} & set(sys.modules)), scorer.booster.num_trees())
from sklearn.metrics import roc_auc_score  # who trains in the same process has it all the same
print(roc_auc_score([0, 1], [0.1, 0.9]))
"""
    done = subprocess.run([sys.executable, "-c", code], input=_train()[0], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[] 20", "1.0"]


def test_missing_values_go_where_lightgbm_sends_them() -> None:
    text, rows = _train()
    scorer = TreeScorer(text)
    sample = np.ascontiguousarray(rows[:10].T)
    sample[1, 3] = np.nan
    np.testing.assert_array_equal(scorer.score(sample), scorer.booster.predict(np.ascontiguousarray(sample.T)))
    parts = scorer.booster.predict(np.ascontiguousarray(sample.T), pred_contrib=True)
    np.testing.assert_allclose(scorer.contributions(sample), parts, rtol=0, atol=1e-12)


def test_values_without_end_are_explained_by_the_leaves_that_they_reach() -> None:
    text, rows = _train()
    scorer = TreeScorer(text)
    sample = np.ascontiguousarray(rows[:90].T)
    sample[0, :30], sample[1, 20:60], sample[2, 50:] = np.inf, -np.inf, -np.inf
    parts = scorer.booster.predict(np.ascontiguousarray(sample.T), pred_contrib=True)
    np.testing.assert_allclose(scorer.contributions(sample), parts, rtol=0, atol=1e-12)
    np.testing.assert_allclose(scorer.contributions(sample).sum(axis=1), scorer.margins(sample), rtol=0, atol=1e-12)


def test_a_model_to_which_zero_is_a_missing_value_is_scored_by_lightgbm() -> None:
    generator = np.random.default_rng(7)
    rows = generator.lognormal(1, 1.5, (3000, 5)) * (generator.random((3000, 5)) < 0.7)
    target = ((rows[:, 0] > 3) & (rows[:, 1] > 2)).astype(int)
    options = {"objective": "binary", "verbose": -1, "num_threads": 1, "seed": 7, "zero_as_missing": True}
    scorer = TreeScorer(lightgbm.train(options, lightgbm.Dataset(rows, target), 20).model_to_string())
    sample = np.ascontiguousarray(rows[:130].T)
    np.testing.assert_array_equal(scorer.score(sample), scorer.booster.predict(rows[:130]))
    np.testing.assert_array_equal(scorer.contributions(sample), scorer.booster.predict(rows[:130], pred_contrib=True))


def test_thresholds_of_which_lightgbm_shows_only_a_limit_are_left_to_it() -> None:
    generator = np.random.default_rng(7)
    rows = generator.lognormal(1, 1.5, (3000, 2)) * 1e300
    options = {"objective": "binary", "verbose": -1, "num_threads": 1, "seed": 7}
    model = lightgbm.train(options, lightgbm.Dataset(rows, (rows[:, 0] > 3e300).astype(int)), 20)
    sample = np.ascontiguousarray(rows[:130].T)
    np.testing.assert_array_equal(TreeScorer(model.model_to_string()).score(sample), model.predict(rows[:130]))


def test_a_model_that_does_not_count_its_rows_is_explained_by_lightgbm() -> None:
    text, rows = _train()
    left_out = ("leaf_count", "internal_count", "tree_sizes")  # the last are offsets within the text
    scorer = TreeScorer("\n".join(line for line in text.splitlines() if not line.startswith(left_out)))
    parts = scorer.booster.predict(rows[:3], pred_contrib=True)
    np.testing.assert_array_equal(scorer.contributions(np.ascontiguousarray(rows[:3].T)), parts)


@pytest.mark.parametrize("text", ["", "not a model", "tree\nversion=v4\n"])
def test_a_text_that_is_no_model_is_refused(text: str) -> None:
    with pytest.raises(ModelRefused):
        TreeScorer(text)


def test_a_regression_is_refused() -> None:
    with pytest.raises(ModelRefused, match="binary"):
        TreeScorer(_train(objective="regression")[0])


@pytest.mark.parametrize("leaves", [31, 80])
def test_a_model_with_linear_trees_is_refused_with_what_to_do_instead(tx: Tx, leaves: int) -> None:
    text, _ = _train(leaves=leaves, linear_tree=True)
    known = {f"Column_{i}" for i in range(5)}
    with pytest.raises(ModelRefused, match="linear_tree=false"):
        service.register_model(tx, name="x", product="fraud", text=text, known=known, threshold=0.9)


def test_crowning_a_model_retires_the_one_before_it(tx: Tx) -> None:
    text, _ = _train()
    known = {f"Column_{i}" for i in range(5)}
    assert service.active_model(tx, "fraud") is None
    for name in ("first", "second"):
        made = service.register_model(tx, name=name, product="fraud", text=text, known=known, threshold=0.9)
        service.crown(tx, made.id)
    active = service.active_model(tx, "fraud")
    assert active is not None
    assert (active.name, active.version, active.columns) == ("second", 2, sorted(known))
    assert [one.state for one in service.list_models(tx, "fraud")] == [ModelState.CHAMPION, ModelState.RETIRED]
    with pytest.raises(ModelRefused, match="Column_4"):
        service.register_model(tx, name="x", product="fraud", text=text, known=known - {"Column_4"}, threshold=0.9)
