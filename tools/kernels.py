"""Compile what numba compiles into the caches beside the modules.

In a fresh clone every process that starts would compile the same kernels, several at once and under the tracer of
coverage, which takes three times as long.
"""

from __future__ import annotations

import numpy as np

from finer.features.service import Engine
from finer.fraud.service import verdicts as fraud
from finer.ingest.service import parsing
from finer.kit.deduplication import Deduplicator

if __name__ == "__main__":
    parsing.warm()
    Engine(fraud.windows(), pool_events=1).warm()
    # More than a new table has room for, so that it is moved to a larger one.
    Deduplicator().check(np.arange(5_000, dtype=np.uint64), np.zeros(5_000, np.uint32))
