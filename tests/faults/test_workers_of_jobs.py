"""The two workers of `finer jobs`: where one ends, what waits in its queues does not wait for ever."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import httpx
import psutil

from tests.support.server import Server

_REFUSING = (
    "create function refuse_facts() returns trigger language plpgsql as $$ begin raise 'no facts now'; end $$",
    """create trigger refuse_facts before update on procrastinate_jobs for each row
       when (new.queue_name = 'facts' and new.status = 'doing') execute function refuse_facts()""",
)
_PAYMENT = {
    "event_id": "charged-back", "occurred_at": "2026-11-20T10:00:00Z", "customer_id": "c", "account_id": "a",
    "amount": 12.5, "currency": "USD", "merchant_name": "Corner Shop", "merchant_country": "PH", "channel": "pos",
}  # fmt: skip
_LABEL = {
    "event_id": "charged-back", "occurred_at": "2026-11-20T10:00:00Z", "known_at": "2026-11-20T11:00:00Z",
    "verdict": "confirmed_fraud", "source": "chargeback", "reason": "Charged back.",
}  # fmt: skip


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_worker_that_the_database_ended_takes_its_process_along_and_its_queues_are_worked_on(server: Server) -> None:
    before = server.process_of("jobs").pid
    headers = {"Authorization": f"Bearer {server.api_key}"}
    client = httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=60)
    with client, server.database() as database:
        client.post("/events/transaction", json=[_PAYMENT]).raise_for_status()

        def waiting() -> int:
            [found] = database.execute("select count(*) from procrastinate_jobs where queue_name = 'facts'").fetchall()
            return int(found[0])

        def anew() -> bool:
            with contextlib.suppress(psutil.NoSuchProcess, LookupError, StopIteration):
                return bool(server.process_of("jobs").pid != before)
            return False

        _wait(lambda: waiting() == 0)
        for statement in _REFUSING:
            database.execute(statement)
        try:
            _wait(
                lambda: client.post("/labels", json={"labels": [_LABEL]}).status_code == 200
            )  # once it is in the lake
            assert waiting() == 1
            _wait(anew)
        finally:
            database.execute("drop function refuse_facts() cascade")
        _wait(lambda: waiting() == 0)
