"""Small models, learnt in a moment."""

from __future__ import annotations

from functools import cache

import lightgbm
import numpy as np


@cache
def model_text(limit: float = 100) -> str:
    """A model that has learnt that amounts above a limit are fraud."""
    amounts = np.random.default_rng(1).uniform(0, 2 * limit, (2000, 1))
    data = lightgbm.Dataset(amounts, (amounts[:, 0] > limit).astype(float), feature_name=["amount_usd"])
    options = {"objective": "binary", "verbose": -1, "num_threads": 1, "num_leaves": 4, "use_missing": False}
    return str(lightgbm.train(options, data, 20).model_to_string())
