"""Contributions add up to the score, and the sentences are about what made it."""

from __future__ import annotations

import re

import lightgbm
import numpy as np
import pytest

from finer.scoring.rules.trees import TreeScorer
from finer.scoring.service import explanations, models
from finer.scoring.service.explanations import Meaning
from finer.scoring.service.training import Table

MEANINGS = {
    "amount_minor": Meaning("amount of the payment", "USD", 100.0),
    "account.mean_30d": Meaning("mean payment of the account in 30 days", "USD", 100.0),
    "account.count_1h": Meaning("payments of the account in 1 h"),
}


def test_contributions_add_up_to_the_score(table: Table, text: str) -> None:
    scorer = models.load_scorer(text)
    for row in np.ascontiguousarray(table.columns[:, 4000:4150].T):
        found = explanations.explain(scorer, row, 0.5, MEANINGS)
        total = found.common + sum(one.log_odds for one in found.contributions)
        assert abs(total - found.log_odds) <= explanations.ADDITIVITY_MAX
        assert found.score == pytest.approx(float(scorer.score(row[:, None])[0]), abs=1e-12)
        assert len(found.contributions) == len(table.input_names) + 1


def test_a_large_payment_is_explained_in_the_customers_own_terms(table: Table, text: str) -> None:
    scorer = models.load_scorer(text)
    row = np.array([30_000.0, 4000.0, 1.0])
    found = explanations.explain(scorer, row, 0.3, MEANINGS)
    assert found.score > 0.3
    assert any(
        re.match(r"Amount of the payment is 7\.5 times the mean payment of the account in 30 days; usual is 1\.", one)
        for one in found.reasons
    )
    said = re.fullmatch(
        r"It would have passed had the (.*) been (at most|more than) ([\d,.]+) ?(\w*)\.", found.would_pass or ""
    )
    assert said is not None
    column = next(name for name, meaning in MEANINGS.items() if meaning.name == said[1])
    value = float(said[3].replace(",", "")) * MEANINGS[column].scale
    changed = row.copy()
    changed[table.names.index(column)] = value + (-1 if said[2] == "at most" else 1)  # it is shown rounded
    assert scorer.score(changed[:, None])[0] < 0.3


def test_what_passes_needs_no_change(table: Table, text: str) -> None:
    found = explanations.explain(models.load_scorer(text), np.array([4000.0, 4000.0, np.nan]), 0.3, {})
    assert found.would_pass is None


def test_a_model_from_elsewhere_is_explained_too() -> None:
    random = np.random.default_rng(5)
    rows = random.uniform(0, 1000, (4000, 2))
    data = lightgbm.Dataset(rows, (rows[:, 0] > 700).astype(int), feature_name=["amount", "other"])
    trained = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1, "num_leaves": 8}, data, 20)
    scorer = TreeScorer(trained.model_to_string())
    found = explanations.explain(scorer, np.array([900.0, 500.0]), 0.5, {})
    assert abs(found.common + sum(one.log_odds for one in found.contributions) - found.log_odds) <= 1e-6
    assert found.reasons[0] == "Amount: 900."
    assert re.match(r"It would have passed had the amount been at most (69\d|70\d)", found.would_pass or "")
    assert explanations.explain(scorer, np.array([900.0, 500.0]), 1e-9, {}).would_pass is None


@pytest.mark.parametrize(
    ("value", "meaning", "reads"),
    [
        (899.77, Meaning("time", "s"), "15 minutes"),
        (84_123.82, Meaning("time", "s"), "23.4 hours"),
        (45.0, Meaning("time", "s"), "45 s"),
        (7_200.000000001, Meaning("time", "s"), "2 hours"),
        (259_200.0, Meaning("time", "s"), "3 days"),
        (np.nan, Meaning("time", "s"), "not known"),
        (31_187.0, MEANINGS["amount_minor"], "311.87 USD"),
        (4.0, MEANINGS["account.count_1h"], "4"),
    ],
)
def test_values_read_as_people_write_them(value: float, meaning: Meaning, reads: str) -> None:
    assert explanations.shown(value, meaning) == reads
