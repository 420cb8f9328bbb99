"""A 100-tree model for load tests, trained on made-up rows in a second."""

from __future__ import annotations

import lightgbm
import numpy as np

from tests.support.server import Server

COLUMNS = [
    "amount_usd", "account.count_10s", "account.count_1h", "account.count_24h", "account.sum_24h",
    "account.count_ever", "merchant.count_10m", "local_hour",
]  # fmt: skip


def register_model(server: Server) -> None:
    """Train 100 trees of 31 leaves and register them for the benchmark's tenant."""
    generator = np.random.default_rng(11)
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
    file = server.folder / "model.txt"
    lightgbm.train(options, data, 100).save_model(file)
    server.finer("model", "register", str(file), "--tenant", server.tenant, "--name", "bench", "--threshold", "0.99",
                 "--champion")  # fmt: skip
