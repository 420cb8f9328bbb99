"""A row of the log that cannot be processed is set aside and told; what stands around it is decided, none is lost."""

from __future__ import annotations

import json
import time
import uuid

import httpx
import psycopg

from bench.support.bodies import Bodies
from bench.support.http import Connection
from tests.support.server import Server

_EVENTS = 100


def _caught_up(database: psycopg.Connection) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        row = database.execute(
            "select (select coalesce(sum(next_offset), 0) from kit_log_heads) = "
            "(select coalesce(sum(next_offset), 0) from kit_log_consumers where name = 'pipeline')"
        ).fetchone()
        if row is not None and row[0]:
            return
        time.sleep(0.05)
    raise AssertionError("the worker did not catch up")


def _send(server: Server, body: bytes) -> int:
    connection = Connection(server.port, server.api_key, "/api/v1/events/transaction")
    try:
        return connection.post(body)[0]
    finally:
        connection.close()


def _in_lake(server: Server) -> int:
    answer = server.finer_here("sql", "select count(*) as n from transactions", "--tenant", server.tenant, "--json")
    return int(json.loads(answer)["rows"][0][0])


def _told(server: Server, command: str) -> tuple[int, str]:
    done = server.run_here(command, "--json")
    return done.exit_code, done.stdout


def _metric(server: Server) -> float:
    deadline = time.monotonic() + 30
    found = 0.0
    while time.monotonic() < deadline and not found:
        lines = httpx.get(f"{server.url}/metrics").text.splitlines()
        found = next(float(line.split()[1]) for line in lines if line.startswith("finer_log_records_set_aside "))
        time.sleep(0.1)
    return found


def test_a_row_that_cannot_be_processed_holds_nothing_up_and_can_be_put_back(server: Server) -> None:
    supply = Bodies(_EVENTS, seed=5)
    with server.database() as database:
        _caught_up(database)
        server.finer_here("verify")  # which waits for the lake
        others = server.rows_in_lake("transactions")
        body = supply.next()[1]
        # The first one may meet a connection that a test before has broken: it is sent again, as the answer says.
        assert 202 in (_send(server, body) for _ in range(5))
        _caught_up(database)
        worker = server.process_of("worker")
        worker.suspend()
        # The three rows are read as one group: the faulty one has to be told from its neighbours.
        assert _send(server, supply.next()[1]) == 202
        faulty = supply.next()[1]
        assert _send(server, faulty) == 202
        assert _send(server, supply.next()[1]) == 202
        rows = database.execute("select base_offset, payload, tenant_id from kit_log order by base_offset").fetchall()
        place, good, tenant = rows[-2]
        database.execute("update kit_log set payload = '\\x00' where base_offset = %s", (place,))
        worker.resume()
        _caught_up(database)
        assert worker.pid != server.process_of("worker").pid

        row = database.execute(
            "select base_offset, count, tries, payload, error from kit_log_failures where set_aside_at is not null"
        ).fetchone()
        assert row is not None
        assert row[:4] == (place, _EVENTS, 3, b"\x00")
        assert "Invalid" in row[4]
        status, says = _told(server, "doctor")
        assert status == 1
        assert f"{_EVENTS} records of 1 firms are set aside" in says
        status, says = _told(server, "verify")
        assert status == 1
        assert f"{_EVENTS} records of transaction at offset {place} are set aside" in says
        assert _metric(server) == _EVENTS
        _check_bell(database, tenant)
        assert _in_lake(server) == others + 3 * _EVENTS

        # What was wrong has been mended: here the row itself.
        database.execute("update kit_log_failures set payload = %s", (good,))
        done = json.loads(server.finer_here("log", "replay", "--tenant", server.tenant, "--json"))
        assert done == [{"tenant": server.tenant, "rows": 1, "records": _EVENTS}]
        _caught_up(database)
        assert json.loads(server.finer_here("verify", "--json")) == {"ok": True, "violations": []}
        assert json.loads(server.finer_here("log", "list", "--json")) == []
        # The sender's second try brings nothing new, and a worker that begins anew finds a log and a lake that agree.
        assert _send(server, faulty) == 202
        _caught_up(database)
        worker = server.process_of("worker")
        worker.terminate()
        worker.wait(60)
        assert _send(server, faulty) == 202
        _caught_up(database)
    assert json.loads(server.finer_here("verify", "--json"))["ok"] is True
    assert _in_lake(server) == others + 4 * _EVENTS


def _check_bell(database: psycopg.Connection, tenant: uuid.UUID) -> None:
    row = database.execute(
        "select severity, title from notifications_notifications where tenant_id = %s and kind = 'pipeline.set_aside'",
        (tenant,),
    ).fetchone()
    assert row == ("critical", f"{_EVENTS} records of transaction could not be processed")
