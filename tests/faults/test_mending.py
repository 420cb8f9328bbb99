"""kill -9 of the process that releases quarantined records, in the middle of it: each is released and decided once."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import psycopg

from finer.ingest.service import acts
from tests.support.server import Server

_BODY = 2_000
_RECORDS = acts.AT_ONCE + acts.STEP + 2 * _BODY
_SELECTION = {"contract": "transaction"}
_DONE = (
    "select a.done, count(*) filter (where q.state = 'released'), count(*) filter (where q.state = 'edited'), "
    "(select coalesce(sum(logged), 0) from ingest_releases) from ingest_quarantine_acts as a, "
    "ingest_quarantined_records as q where a.kind = 'release' group by a.done"
)
_WAITS = (
    "select query from pg_stat_activity where wait_event_type = 'Lock' and usename = 'finer_worker' "
    "and query like '%ingest_receipts%'"
)
_SILENT = (
    "update procrastinate_workers set last_heartbeat = now() - interval '1 hour' where id in "
    "(select worker_id from procrastinate_jobs where status = 'doing' and queue_name = 'quarantine')"
)


def _until(says: str, holds: Callable[[], bool], timeout_s: float = 120) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, says
        time.sleep(0.05)


def _refused(first: int) -> bytes:
    """Payments whose currency is written small, which their contract refuses."""
    start = datetime.now(UTC) - timedelta(hours=1)
    return "".join(
        json.dumps({
            "event_id": f"mended{number}", "occurred_at": (start + timedelta(milliseconds=number)).isoformat(),
            "customer_id": f"mc{number % 900}", "account_id": f"ma{number % 900}", "amount": 12.5,
            "currency": "usd", "merchant_name": "Corner Shop", "merchant_country": "PH", "channel": "pos",
        }) + "\n"
        for number in range(first, first + _BODY)
    ).encode()  # fmt: skip


def _one(database: psycopg.Connection, query: str) -> tuple[int, ...]:
    row = database.execute(query).fetchone()
    assert row is not None
    return tuple(int(value) for value in row)


def test_a_release_that_is_killed_in_its_middle_releases_and_decides_each_record_once(server: Server) -> None:
    key = {"Authorization": f"Bearer {server.api_key}", "Content-Type": "application/x-ndjson"}
    receipts = []
    for first in range(0, _RECORDS, _BODY):
        answer = httpx.post(f"{server.url}/api/v1/events/transaction", content=_refused(first), headers=key, timeout=60)
        assert (answer.status_code, answer.json()["quarantined"]) == (202, _BODY)
        receipts.append(answer.json()["id"])
    change = ("--contract", "transaction", "--set", "currency=upper(currency)", "--tenant", server.tenant, "--json")
    assert json.loads(server.finer_here("quarantine", "fix", *change))["changed"] == _RECORDS
    before = server.rows_in_lake("transactions")
    with (
        contextlib.closing(server.sign_in("data_engineer")) as engineer,
        server.database() as database,
        server.database() as holder,
    ):
        jobs = server.process_of("jobs")
        with holder.transaction():
            # The receipts of a step come behind its records, which are changed by then: whoever holds the last receipt
            # keeps the last step from being committed, and nothing before it.
            holder.execute("set local idle_in_transaction_session_timeout = 0")
            holder.execute("select from ingest_receipts order by id desc limit 1 for update")
            begun = engineer.post("/api/v1/quarantine/releases", json={"selection": _SELECTION})
            assert (begun.status_code, begun.json()["done"]) == (201, acts.AT_ONCE)
            _until("the last step is not reached", lambda: bool(database.execute(_WAITS).fetchone()))
            # Seen from outside, two steps are done; what the third has changed is not committed.
            done = acts.AT_ONCE + acts.STEP
            assert _one(database, _DONE) == (done, done, _RECORDS - done, done)
            jobs.send_signal(signal.SIGKILL)
            jobs.wait(60)
        assert _one(database, _DONE) == (done, done, _RECORDS - done, done)
        # Another process takes over what was begun by one that says nothing for a minute: that minute is over.
        database.execute(_SILENT)
        shown = f"/api/v1/quarantine/acts/{begun.json()['id']}"
        _until("the release is not carried on", lambda: engineer.get(shown).json()["state"] != "running", 240)
        ended = engineer.get(shown).json()
        assert (ended["state"], ended["matched"], ended["done"], ended["changed"]) == ("done", *3 * (_RECORDS,))
        assert _one(database, _DONE) == (_RECORDS, _RECORDS, 0, _RECORDS)
        server.wait_in_lake("transactions", before + _RECORDS, 120)
        for receipt in receipts:
            account = engineer.get(f"/api/v1/receipts/{receipt}").json()
            counts = {name: account[name] for name in ("received", "accepted", "duplicate", "quarantined", "released")}
            assert counts == {
                "received": _BODY, "accepted": _BODY, "duplicate": 0, "quarantined": 0, "released": _BODY
            }  # fmt: skip
    for table in ("transactions", "decisions"):
        statement = f"select count(*), count(distinct event_id) from {table} where event_id like 'mended%'"
        told = json.loads(server.finer_here("sql", statement, "--tenant", server.tenant, "--json"))["rows"]
        assert told == [[_RECORDS, _RECORDS]], table
    verified = server.run_here("verify")
    assert (verified.exit_code, verified.stdout) == (0, "Everything holds.\n"), verified.stdout
    # It takes its time, and says what it is at.
    told = verified.stderr.splitlines()
    assert [line.partition(" ")[0] for line in told] == ["1", "2", "3", "4"]
    assert told[1] == f"2 of 4  {server.tenant}: whether the lake holds what was accepted"
