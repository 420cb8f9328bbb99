"""kill -9 of worker, API, PostgreSQL and the template of the processes, under load: nothing is lost, nothing twice."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator

import httpx
import psutil
import psycopg
import pytest

from bench.support.bodies import Bodies
from bench.support.http import Connection
from finer.kit.ids import show_id
from finer.kit.postgres import EmbeddedPostgres
from tests.support.server import Server, serving

_EVENTS = 100
# What is killed has to have work, not all work that it can take: everything sent is gone through once more at the end.
_PAUSE_S = 0.02


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(FINER_SNAPSHOT_EVERY_S="2") as found:
        yield found


class _Sender:
    """Sends bodies until told to stop; one that was not acknowledged is sent again, as a careful sender does."""

    path, kind, events, first_digit = "/api/v1/events/transaction", "application/x-ndjson", _EVENTS, b"0"

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stop = threading.Event()
        self._supply = Bodies(self.events, seed=3)
        self._body = self._next()
        self.acknowledged = 0
        self.answers: list[bytes] = []
        self.start()

    def _next(self) -> bytes:
        return self._supply.next()[1].replace(b'"event_id": "0', b'"event_id": "' + self.first_digit)

    def start(self) -> None:
        """Begin, or go on where it was stopped."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def wait_for(self, more: int) -> None:
        """Until `more` further events are acknowledged."""
        goal = self.acknowledged + more
        deadline = time.monotonic() + 60
        while self.acknowledged < goal:
            assert time.monotonic() < deadline, "the server did not come back"
            self._stop.wait(0.01)

    def _run(self) -> None:
        connection: Connection | None = None
        while not self._stop.is_set():
            try:
                if connection is None:
                    connection = Connection(self._server.port, self._server.api_key, self.path, self.kind)
                status, answer = connection.post(self._body)
            except OSError:
                if connection is not None:
                    connection.close()
                connection = None
                self._stop.wait(0.05)
                continue
            if status in {200, 202}:
                self.acknowledged += self.events
                self.answers.append(answer)
                self._body = self._next()
                self._stop.wait(_PAUSE_S)
        if connection is not None:
            connection.close()


class _Asker(_Sender):
    """Asks for decisions, one after the other."""

    path, kind, events, first_digit = "/api/v1/decisions", "application/json", 1, b"d"


def _settle(server: Server) -> None:
    with server.database() as database:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            row = database.execute(
                "select (select coalesce(sum(next_offset), 0) from kit_log_heads) = "
                "(select coalesce(sum(next_offset), 0) from kit_log_consumers where name = 'pipeline')"
            ).fetchone()
            if row is not None and row[0]:
                return
            time.sleep(0.05)
        raise AssertionError("the worker did not catch up")


def _report_frauds(server: Server) -> int:
    """Say of some payments of the lake that they were frauds; how many are labelled now."""
    server.wait_in_lake("transactions")
    statement = "select event_id, occurred_at from transactions order by hash(event_id) limit 40"
    found = json.loads(server.finer_here("sql", statement, "--tenant", server.tenant, "--json"))["rows"]
    labels = [
        {
            "event_id": event, "occurred_at": at, "known_at": at, "verdict": "confirmed_fraud",
            "source": "chargeback", "reason": "Charged back.",
        }
        for event, at in found
    ]  # fmt: skip
    headers = {"Authorization": f"Bearer {server.api_key}"}
    with contextlib.suppress(httpx.TransportError):  # the API, or what is behind it, may be the one that was killed
        answer = httpx.post(f"{server.url}/api/v1/labels", json={"labels": labels}, headers=headers, timeout=60)
        assert answer.status_code in {200, 503}, answer.text
    with contextlib.suppress(psycopg.OperationalError), server.database() as database:
        row = database.execute("select count(*) from fraud_label_rows").fetchone()
        return 0 if row is None else int(row[0])
    return 0


def test_nothing_is_lost_or_doubled(server: Server) -> None:
    sender, asker = _Sender(server), _Asker(server)
    known = 0
    try:
        for name in ("worker", "api", "template", "worker", "postgres", "worker"):
            sender.wait_for(20 * _EVENTS)
            known = max(known, _report_frauds(server))
            os.kill(server.process_of(name).pid, signal.SIGKILL)
        sender.wait_for(20 * _EVENTS)
        sender.stop()
        asker.wait_for(20)  # behind all that was sent
    finally:
        sender.stop()
        asker.stop()
    # Jobs stand behind what the sender asked for, and a run whose end could not be written down, because PostgreSQL was
    # gone at that moment, is taken up again a minute later.
    deadline = time.monotonic() + 240
    while known == 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
        known = _report_frauds(server)
    # What became known last stands before payments that come after it, however late the jobs were.
    sender.start()
    sender.wait_for(20 * _EVENTS)
    sender.stop()
    _settle(server)
    assert json.loads(server.finer_here("verify", "--json")) == {"ok": True, "violations": []}
    statement = "select count(*) as n, count(distinct event_id) as ids from transactions"
    rows = json.loads(server.finer_here("sql", statement, "--tenant", server.tenant, "--json"))["rows"]
    # Every acknowledged body is there once. The last ones may have become durable without their acknowledgement.
    assert rows[0][0] == rows[0][1]
    acknowledged = sender.acknowledged + asker.acknowledged
    assert acknowledged <= rows[0][0] <= acknowledged + _EVENTS + 1
    with server.database() as database:
        stored = {show_id("dec", one) for (one,) in database.execute("select id from decisions_decisions")}
        # Whoever was answered finds that very decision: its records went to the disk with it, not before.
        assert {json.loads(answer)["id"] for answer in asker.answers} <= stored
        row = database.execute("select count(*), count(distinct event_id) from decisions_alerts").fetchone()
        frauds = database.execute("select count(*), count(log_offset), count(distinct event_id) from fraud_label_rows")
        told = frauds.fetchone()
    assert row is not None
    assert row[0] == row[1] > 0
    # Frauds that became known meanwhile are counted, each once; `verify` has recomputed the windows that hold them.
    assert told is not None
    assert told[0] == told[2] >= known > 0
    assert told[1] > 0
    counted = "select max(merchant_frauds_28d) as most from decisions"
    assert json.loads(server.finer_here("sql", counted, "--tenant", server.tenant, "--json"))["rows"][0][0] > 0


def test_a_restart_goes_on_where_it_stopped(server: Server) -> None:
    before = server.finer_here("sql", "select count(*) as n from transactions", "--tenant", server.tenant, "--json")
    server.stop()
    server.start()
    sender = _Sender(server)
    sender.wait_for(5 * _EVENTS)
    sender.stop()
    _settle(server)
    assert json.loads(server.finer_here("verify", "--json"))["ok"] is True
    after = server.finer_here("sql", "select count(*) as n from transactions", "--tenant", server.tenant, "--json")
    # The supply of bodies begins again with the same ids: all of them are duplicates of the first test's events.
    assert json.loads(after)["rows"] == json.loads(before)["rows"]


def test_nothing_outlives_a_killed_supervisor_but_the_database(server: Server) -> None:
    names = ("api", "worker", "jobs", "sources", "template")
    processes = [server.process_of(name) for name in names]
    server.process.kill()
    server.process.wait()
    _, left = psutil.wait_procs(processes, timeout=30)
    assert left == []
    EmbeddedPostgres(server.folder).stop()
