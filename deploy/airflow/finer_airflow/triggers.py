"""Waiting for a run without a worker: the triggerer asks every few seconds how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from finer_airflow.hook import FinerHook

OVER = frozenset({"succeeded", "failed", "cancelled", "skipped"})


class FinerRunTrigger(BaseTrigger):
    """Fires once a run of a job is over."""

    def __init__(self, run_id: str, finer_conn_id: str, poll_s: float) -> None:
        super().__init__()
        self.run_id, self.finer_conn_id, self.poll_s = run_id, finer_conn_id, poll_s

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """How Airflow keeps the trigger."""
        wanted = {"run_id": self.run_id, "finer_conn_id": self.finer_conn_id, "poll_s": self.poll_s}
        return ("finer_airflow.triggers.FinerRunTrigger", wanted)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ask until the run is over."""
        client = await asyncio.to_thread(FinerHook(self.finer_conn_id).get_conn)
        while True:
            found = await asyncio.to_thread(client.run, self.run_id)
            if found["state"] in OVER:
                yield TriggerEvent({name: found[name] for name in ("id", "job", "state", "counts", "error")})
                return
            await asyncio.sleep(self.poll_s)
