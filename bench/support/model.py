"""A 100-tree model for load tests, trained on made-up rows in a second."""

from __future__ import annotations

import lightgbm
import numpy as np

from tests.support.server import Server

COLUMNS = [
    "amount_usd", "account.count_10s", "account.count_1h", "account.count_24h", "account.sum_24h",
    "account.count_ever", "merchant.count_10m", "local_hour",
]  # fmt: skip


def learnt_text(seed: int = 11) -> str:
    """100 trees of 31 leaves in LightGBM's own text."""
    generator = np.random.default_rng(seed)
    rows = generator.lognormal(2, 1.5, (20_000, len(COLUMNS)))
    target = ((rows[:, 0] > 300) | (rows[:, 1] > 60)) ^ (generator.random(20_000) < 0.002)
    data = lightgbm.Dataset(rows, target.astype(int), feature_name=COLUMNS)
    options = {
        "objective": "binary",
        "num_leaves": 31,
        "verbose": -1,
        "num_threads": 1,
        "seed": 1,
        "use_missing": False,
    }
    return str(lightgbm.train(options, data, 100).model_to_string())


def register_model(server: Server, seed: int = 11) -> None:
    """Train a model and let it decide for the benchmark's tenant."""
    file = server.folder / f"model-{seed}.txt"
    file.write_text(learnt_text(seed))
    server.finer(
        "model", "register", str(file), "--tenant", server.tenant, "--name", "bench", "--threshold", "0.99",
        "--champion",
    )  # fmt: skip
