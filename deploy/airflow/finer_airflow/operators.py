"""Tasks: send a file of records, run a job, wait for a table."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

try:
    from airflow.sdk import BaseOperator, BaseSensorOperator
except ImportError:  # Airflow 2
    from airflow.models import BaseOperator
    from airflow.sensors.base import BaseSensorOperator
try:
    from airflow.sdk.exceptions import AirflowException
except ImportError:  # Airflow 2, and 3.0
    from airflow.exceptions import AirflowException

from finer_airflow.client import FinerClient, bodies
from finer_airflow.hook import FinerHook
from finer_airflow.triggers import OVER, FinerRunTrigger

_MEDIA = {
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/x-ndjson",
    ".json": "application/json",
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".arrow": "application/vnd.apache.arrow.stream",
}


def _named(context: Any, task_id: str) -> str:
    """A name for what a task asks that stays the same when Airflow tries it again."""
    instance = context["ti"]
    return f"airflow/{instance.dag_id}/{instance.run_id}/{task_id}/{getattr(instance, 'map_index', -1)}"[:200]


class FinerSendFileOperator(BaseOperator):
    """Sends a file of records, waits until all of them are decided on, and returns what became of them.

    Fails when more than `quarantined_share_max` of the records were quarantined, and says by which rules. Lines are
    sent in bodies of some megabytes, other formats as one body. Sending a file again makes
    duplicates, which count once.
    """

    template_fields: Sequence[str] = ("contract", "path")

    def __init__(
        self,
        *,
        contract: str,
        path: str,
        quarantined_share_max: float = 0.0,
        finer_conn_id: str = FinerHook.default_conn_name,
        poll_s: float = 1.0,
        wait_s: float = 600.0,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self.contract, self.path, self.quarantined_share_max = contract, path, quarantined_share_max
        self.finer_conn_id, self.poll_s, self.wait_s = finer_conn_id, poll_s, wait_s

    def execute(self, context: Any) -> dict[str, int]:
        """Send, wait, judge."""
        client, file = FinerHook(self.finer_conn_id).get_conn(), Path(self.path)
        media = _MEDIA.get(file.suffix.lower())
        if media is None:
            raise AirflowException(f"{file.name} is none of {', '.join(_MEDIA)}.")
        named, receipts = _named(context, self.task_id), []
        with file.open("rb") as opened:
            pieces = bodies(iter(opened)) if media == "application/x-ndjson" else iter([opened.read()])
            for number, piece in enumerate(pieces):
                receipts.append(client.send(self.contract, piece, media, f"{named}/{number}"))
        done = [self._waited(client, one["id"]) for one in receipts]
        names = ("received", "accepted", "duplicate", "quarantined")
        total = {name: sum(int(one[name]) for one in done) for name in names}
        self.log.info("%s: %s; receipts %s", file.name, total, ", ".join(one["id"] for one in done))
        if total["quarantined"] > self.quarantined_share_max * max(1, total["received"]):
            causes = {f"{one['field']} {one['rule']}" for receipt in done for one in receipt["problems"]}
            raise AirflowException(
                f"{total['quarantined']} of {total['received']} records were quarantined: {', '.join(sorted(causes))}. "
                "The page Quarantine of Finer shows, mends and releases them."
            )
        return total

    def _waited(self, client: FinerClient, identifier: str) -> dict[str, Any]:
        ends = time.monotonic() + self.wait_s
        while True:
            found = client.receipt(identifier)
            if found["state"] == "done":
                return found
            if time.monotonic() > ends:
                raise AirflowException(f"{identifier} was not decided on within {self.wait_s:.0f} s.")
            time.sleep(self.poll_s)


class FinerJobOperator(BaseOperator):
    """Runs a job of Finer, waits for it, and returns what it counted; fails with the reason that Finer gives.

    With `day`, for a day that is over (jobs that are `dated`). With `deferrable`, no worker is held while it waits.
    """

    template_fields: Sequence[str] = ("job", "day")

    def __init__(
        self,
        *,
        job: str,
        day: str | None = None,
        deferrable: bool = False,
        finer_conn_id: str = FinerHook.default_conn_name,
        poll_s: float = 5.0,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self.job, self.day, self.deferrable = job, day, deferrable
        self.finer_conn_id, self.poll_s = finer_conn_id, poll_s
        self._run_id: str | None = None

    def execute(self, context: Any) -> dict[str, int]:
        """Ask for the run, and wait."""
        client, key = (
            FinerHook(self.finer_conn_id).get_conn(),
            f"{_named(context, self.task_id)}/{self._attempt(context)}",
        )
        run = client.run_job(self.job, key) if self.day is None else client.run_job_for(self.job, self.day, key)
        self._run_id = run["id"]
        self.log.info("%s runs as %s", self.job, run["id"])
        if self.deferrable:
            self.defer(
                trigger=FinerRunTrigger(run["id"], self.finer_conn_id, self.poll_s), method_name="execute_complete"
            )
        while run["state"] not in OVER:
            time.sleep(self.poll_s)
            run = client.run(run["id"])
        return self.execute_complete(context, run)

    def execute_complete(self, _context: Any, event: dict[str, Any]) -> dict[str, int]:
        """Judge a run that is over."""
        if event["state"] != "succeeded":
            raise AirflowException(
                f"{event['job']} {event['state']}: {event['error'] or 'no reason given'} ({event['id']})"
            )
        return {name: int(value) for name, value in event["counts"].items()}

    def on_kill(self) -> None:
        """Airflow stopped the task: so is the run."""
        if self._run_id is not None:
            FinerHook(self.finer_conn_id).get_conn().cancel(self._run_id)

    @staticmethod
    def _attempt(context: Any) -> int:
        """A run that failed is asked for anew when Airflow tries the task again; one whose answer was lost is not."""
        return int(getattr(context["ti"], "try_number", 1))


class FinerTableSensor(BaseSensorOperator):
    """Waits until a table of the lake holds a record that occurred at `until` or later."""

    template_fields: Sequence[str] = ("table", "until")

    def __init__(
        self, *, table: str, until: str, finer_conn_id: str = FinerHook.default_conn_name, **more: Any
    ) -> None:
        super().__init__(**more)
        self.table, self.until, self.finer_conn_id = table, until, finer_conn_id

    def poke(self, _context: Any) -> bool:
        """Whether it is there now."""
        wanted = datetime.fromisoformat(self.until)
        for table in FinerHook(self.finer_conn_id).get_conn().lake()["tables"]:
            fresh = table.get("freshness")
            if table["name"] == self.table and fresh and fresh["newest"]:
                return datetime.fromisoformat(fresh["newest"]) >= wanted
        return False
