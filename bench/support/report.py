"""The one JSON object that a benchmark prints as its last line."""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil


def machine() -> str:
    """Cores, processor, memory and Python of this machine."""
    name = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            name = line.split(":", 1)[1].strip()
            break
    memory = psutil.virtual_memory().total / 2**30
    return f"{psutil.cpu_count()} cores, {name}, {memory:.0f} GiB, Python {platform.python_version()}"


def median(values: Sequence[float]) -> float:
    """The median, 0 for nothing."""
    return float(statistics.median(values)) if values else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie (nearest rank), 0 for nothing."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return float(ordered[min(len(ordered) - 1, int(share * len(ordered)))])


def report(
    row: str,
    figures: Mapping[str, float],
    goal: str,
    holds: bool,
    *,
    peers: Mapping[str, float] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Print the result of one row of the numbers to reach."""
    # An error of 1e-9 is not 0, and not 0.0000 either.
    rounded = {name: round(value, 4) or float(f"{value:.2g}") for name, value in figures.items()}
    print(
        json.dumps(
            {
                "row": row,
                "figures": rounded,
                "goal": goal,
                "holds": holds,
                "peers": dict(peers or {}),
                "machine": machine(),
                "settings": dict(settings or {}),
            }
        ),
        flush=True,
    )
