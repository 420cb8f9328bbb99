"""Finer in Airflow: send files, run jobs, wait for data."""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """What Airflow asks a provider package: here the connection type `finer`."""
    return {
        "package-name": "finer-airflow",
        "name": "Finer",
        "description": "Sends records to Finer, runs its jobs, and waits for its data.",
        "connection-types": [
            {"connection-type": "finer", "hook-class-name": "finer_airflow.hook.FinerHook"},
        ],
    }
