"""Compile what numba compiles into the caches beside the modules.

In a fresh clone every process that starts would compile the same kernels, several at once and under the tracer of
coverage, which takes three times as long.
"""

from __future__ import annotations

from finer.features.service import Engine
from finer.fraud.service import verdicts as fraud
from finer.ingest.service import parsing

if __name__ == "__main__":
    parsing.warm()
    Engine(fraud.windows(), pool_events=1).warm()
