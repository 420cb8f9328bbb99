"""kill -9 of worker, API and PostgreSQL under load: nothing acknowledged is lost, nothing is there twice."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from bench.support.bodies import Bodies
from bench.support.http import Connection
from tests.support.server import Server, serving

_EVENTS = 100


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(FINER_SNAPSHOT_EVERY_S="2") as found:
        yield found


class _Sender:
    """Sends bodies until told to stop; one that was not acknowledged is sent again, as a careful sender does."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.acknowledged = 0
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
        supply = Bodies(_EVENTS, seed=3)
        connection: Connection | None = None
        body = supply.next()[1]
        while not self._stop.is_set():
            try:
                if connection is None:
                    connection = Connection(self._server.port, self._server.api_key, "/api/v1/events/transaction")
                status, _ = connection.post(body)
            except OSError:
                if connection is not None:
                    connection.close()
                connection = None
                self._stop.wait(0.05)
                continue
            if status == 202:
                self.acknowledged += _EVENTS
                body = supply.next()[1]
        if connection is not None:
            connection.close()


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
        raise AssertionError("the worker did not catch up")


def test_nothing_is_lost_or_doubled(server: Server) -> None:
    sender = _Sender(server)
    try:
        for name in ("worker", "api", "postgres", "worker", "worker"):
            sender.wait_for(20 * _EVENTS)
            os.kill(server.process_of(name).pid, signal.SIGKILL)
        sender.wait_for(20 * _EVENTS)
    finally:
        sender.stop()
    _settle(server)
    assert json.loads(server.finer("verify", "--json")) == {"ok": True, "violations": []}
    statement = "select count(*) as n, count(distinct event_id) as ids from transactions"
    rows = json.loads(server.finer("sql", statement, "--tenant", server.tenant, "--json"))["rows"]
    # Every acknowledged body is there once. The last one may have become durable without its acknowledgement.
    assert rows[0][0] == rows[0][1]
    assert sender.acknowledged <= rows[0][0] <= sender.acknowledged + _EVENTS
    with server.database() as database:
        row = database.execute("select count(*), count(distinct event_id) from decisions_alerts").fetchone()
    assert row is not None
    assert row[0] == row[1] > 0


def test_a_restart_goes_on_where_it_stopped(server: Server) -> None:
    before = server.finer("sql", "select count(*) as n from transactions", "--tenant", server.tenant, "--json")
    server.stop()
    server.start()
    sender = _Sender(server)
    sender.wait_for(5 * _EVENTS)
    sender.stop()
    _settle(server)
    assert json.loads(server.finer("verify", "--json"))["ok"] is True
    after = server.finer("sql", "select count(*) as n from transactions", "--tenant", server.tenant, "--json")
    # The supply of bodies begins again with the same ids: all of them are duplicates of the first test's events.
    assert json.loads(after)["rows"] == json.loads(before)["rows"]
