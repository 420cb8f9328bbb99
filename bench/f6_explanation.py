"""F6: explaining an alert of the ensemble: milliseconds each, and how far the parts are from the score.

The model is trained on a small world of bench/handbook_world.py, with as many trees and inputs as the benchmark's.
"""

from __future__ import annotations

import time
from datetime import timedelta

import numpy as np

from bench.handbook import compute
from bench.handbook_world import make_world
from bench.support.report import median, percentile, report
from finer.kit.moments import from_microseconds
from finer.scoring.service import explanations, models, training

SEED, ALERTS = 0, 500


def main() -> None:
    """The payments with the highest scores, one after the other."""
    found = compute(make_world(SEED, customers=400, terminals=800, days=90))
    end = from_microseconds(int(found.times[-1]))
    week = timedelta(days=7)
    folds = [
        training.rows_of(fold, found.times)
        for fold in training.backwards(end, 2, training=4 * week, delay=week, test=week)
    ]
    recipe = training.learn_recipe(found.table, folds, candidates=training.CANDIDATES[:1], seed=SEED)
    scorer = models.load_scorer(training.fit(found.table, folds[-1].train, recipe, seed=SEED))
    columns = found.table.columns[:, folds[-1].test]
    scores = scorer.score(columns)
    chosen = np.argsort(-scores)[:ALERTS]
    threshold = float(scores[chosen[-1]])
    milliseconds, errors = [], []
    for place in chosen:
        row = np.ascontiguousarray(columns[:, place])
        begin = time.perf_counter()
        one = explanations.explain(scorer, row, threshold, {})
        milliseconds.append((time.perf_counter() - begin) * 1000)
        errors.append(abs(one.common + sum(part.log_odds for part in one.contributions) - one.log_odds))
    figures = {"ms": median(milliseconds), "ms_p95": percentile(milliseconds, 0.95), "max_error": max(errors)}
    good = figures["ms"] <= 5 and figures["max_error"] <= explanations.ADDITIVITY_MAX
    settings = {"alerts": ALERTS, "inputs": len(found.table.input_names), "trees": recipe.parameters.trees}
    report("F6", figures, "<= 5 ms; <= 1e-6", good, settings=settings)


if __name__ == "__main__":
    main()
