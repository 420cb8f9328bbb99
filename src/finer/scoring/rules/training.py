"""Training: boosted trees from labels, an isolation forest without, parameters and calibration from earlier folds.

Every random choice follows one seed, and no fold sees a label that nobody knew when its test began.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import lightgbm
import msgspec
import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression

from finer.scoring.errors import TrainingRefused
from finer.scoring.rules.ensemble import Calibration, Ensemble, Forest, Ratio, inputs_of, unusual_by
from finer.scoring.rules.metrics import average_precision
from finer.scoring.rules.trees import LEAVES_MAX, Trees, TreeScorer

Array = np.ndarray[Any, np.dtype[Any]]
POSITIVES_MIN = 20
"""Fewer frauds than these teach nothing that would hold tomorrow."""
FOREST_TREES = 50
FOREST_PARITY_MAX = 1e-9


class Parameters(msgspec.Struct, frozen=True):
    """What is chosen on validation folds: the shape of the boosted trees."""

    trees: int
    leaves: int
    rate: float
    rows_in_leaf: int
    columns_share: float = 0.5
    rows_share: float = 0.8
    ridge: float = 1.0


class Rows(msgspec.Struct, frozen=True):
    """Rows to learn from or to try on, and their labels: places in the columns of a `Table`."""

    train: Array
    test: Array


class Choice(msgspec.Struct, frozen=True):
    """What the folds say: the parameters, each candidate's mean, and the log-odds of each fold's test."""

    parameters: Parameters
    means: list[float]
    margins: list[Array]


class Table(msgspec.Struct, frozen=True):
    """What training reads: `columns` float64 (columns, rows), NaN where missing, and `labels` bool (rows,)."""

    names: list[str]
    ratios: list[Ratio]
    columns: Array
    labels: Array

    def inputs(self, rows: Array) -> Array:
        """Columns and ratios of some rows, float64 (inputs, rows)."""
        places = [(self.names.index(one.numerator), self.names.index(one.denominator)) for one in self.ratios]
        return inputs_of(self.columns[:, rows], places)

    @property
    def input_names(self) -> list[str]:
        """Columns, then ratios."""
        return [*self.names, *(ratio.name for ratio in self.ratios)]


def choose(
    table: Table,
    folds: Sequence[Rows],
    candidates: Sequence[Parameters],
    *,
    seed: int,
    threads: int = 1,
    tell: Callable[[], None] = lambda: None,
) -> Choice:
    """The candidate with the best mean average precision over the folds; the first of equal ones.

    `tell` is called before each training, and may raise to end it all.
    """
    if not folds or not candidates:
        raise TrainingRefused("Choosing parameters needs at least one fold and one candidate. Choose a longer period.")
    best: list[Array] = []
    means: list[float] = []
    for candidate in candidates:
        margins = []
        for fold in folds:
            tell()
            scorer = TreeScorer(boost(table, fold.train, candidate, seed=seed, threads=threads))
            margins.append(scorer.margins(table.inputs(fold.test)))
        found = [average_precision(table.labels[fold.test], one) for fold, one in zip(folds, margins, strict=True)]
        means.append(float(np.mean(found)))
        if means[-1] > max(means[:-1], default=-1.0):
            best = margins
    return Choice(candidates[int(np.argmax(means))], means, best)


def boost(table: Table, rows: Array, parameters: Parameters, *, seed: int, threads: int = 1) -> str:
    """Boosted trees in LightGBM's own text. Raises TrainingRefused when there are too few frauds to learn from."""
    labels = table.labels[rows]
    positives = int(labels.sum())
    if positives < POSITIVES_MIN or positives == len(labels):
        raise TrainingRefused(
            f"There are {positives} frauds among {len(labels)} payments to learn from; at least {POSITIVES_MIN} and as "
            "many genuine ones are needed. Choose a longer period, or wait for labels."
        )
    options = {
        "objective": "binary",
        "num_leaves": parameters.leaves,
        "learning_rate": parameters.rate,
        "min_data_in_leaf": parameters.rows_in_leaf,
        "feature_fraction_bynode": parameters.columns_share,
        "bagging_fraction": parameters.rows_share,
        "bagging_freq": 1,
        "lambda_l2": parameters.ridge,
        "use_missing": False,
        "seed": seed,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": threads,
        "verbose": -1,
    }
    inputs = np.ascontiguousarray(table.inputs(rows).T)
    data = lightgbm.Dataset(inputs, labels.astype(np.int8), feature_name=table.input_names, free_raw_data=True)
    return str(lightgbm.train(options, data, parameters.trees).model_to_string())


def isolate(table: Table, rows: Array, *, seed: int) -> Forest:
    """An isolation forest over the rows, labels not looked at, in the form that the compiled scorer takes."""
    inputs = table.inputs(rows).T.astype(np.float32)
    samples = min(LEAVES_MAX, len(inputs))
    grown = IsolationForest(n_estimators=FOREST_TREES, max_samples=samples, random_state=seed, n_jobs=1).fit(inputs)
    forest = _flatten(grown, samples)
    ours = unusual_by(forest.trees(), forest.path, np.ascontiguousarray(inputs.T, np.float64))
    some = slice(0, 2000)
    difference = float(np.abs(ours[some] + grown.score_samples(inputs[some])).max())
    if difference > FOREST_PARITY_MAX:
        raise TrainingRefused(
            f"The compiled isolation forest differs from scikit-learn's by {difference:.3g}. Please report this."
        )
    return msgspec.structs.replace(forest, usual=float(ours.mean()))


def fit_ensemble(
    table: Table, rows: Array, calibration: Calibration, parameters: Parameters, *, seed: int, threads: int = 1
) -> Ensemble:
    """The model that goes into service: trees and forest from the rows, weights from earlier folds."""
    return Ensemble(
        columns=table.names,
        ratios=table.ratios,
        booster=boost(table, rows, parameters, seed=seed, threads=threads),
        forest=isolate(table, rows, seed=seed),
        calibration=calibration,
        usual=[float(value) for value in np.median(table.inputs(rows[~table.labels[rows]]), axis=1)],
    )


def calibrate(table: Table, folds: Sequence[Rows], margins: Sequence[Array], *, seed: int) -> Calibration:
    """The weights of trees and forest, by logistic regression on the tests of the folds taken together.

    `margins` are the trees' log-odds on each test, by `choose`. The trees' weight is above zero, and a forest that
    would count against its own finding gets no weight.
    """
    unusual = []
    for fold in folds:
        forest = isolate(table, fold.train, seed=seed)
        unusual.append(unusual_by(forest.trees(), forest.path, table.inputs(fold.test)))
    label = np.concatenate([table.labels[fold.test] for fold in folds])
    margin, strange = np.concatenate(margins), np.concatenate(unusual)
    fitted = LogisticRegression(C=1e6, max_iter=1000).fit(np.column_stack([margin, strange]), label)
    weights = fitted.coef_[0]
    if weights[1] < 0:
        fitted = LogisticRegression(C=1e6, max_iter=1000).fit(margin[:, None], label)
        weights = np.array([fitted.coef_[0][0], 0.0])
    if weights[0] <= 0:
        raise TrainingRefused(
            "On later payments the trees rank genuine ones above frauds. Look at the labels of the period, "
            "or choose another one."
        )
    return Calibration(float(fitted.intercept_[0]), float(weights[0]), float(weights[1]))


def _flatten(grown: IsolationForest, samples: int) -> Forest:
    trees = Trees()
    left: list[int] = []
    for estimator in grown.estimators_:
        tree = estimator.tree_
        values: list[float] = []

        def visit(node: int, depth: int, tree: Any = tree, values: list[float] = values) -> int:
            below = int(tree.children_left[node])
            if below < 0:
                values.append(depth + _search_depth(int(tree.n_node_samples[node])))
                return 1 << (len(values) - 1)
            split = trees.add_split(int(tree.feature[node]), float(tree.threshold[node]))
            left.append(0)
            left[split] = visit(below, depth + 1)
            return left[split] | visit(int(tree.children_right[node]), depth + 1)

        visit(0, 0)
        trees.end_tree(values)
    path = len(grown.estimators_) * _search_depth(samples)
    return Forest(trees.feature, trees.threshold, left, trees.start, trees.leaves, path, 0.5)


def _search_depth(rows: int) -> float:
    """The mean depth at which a search in a random binary tree of so many rows ends unsuccessfully."""
    if rows <= 2:
        return float(max(rows - 1, 0))
    return 2.0 * (math.log(rows - 1.0) + float(np.euler_gamma)) - 2.0 * (rows - 1.0) / rows
