"""CANARY: marks of another firm and secrets of both, looked for in all that anybody gets to see. One hit fails.

B01 and B03 by search instead of by list: whoever forgets a wall shows a mark, wherever it was.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from finer.identity.types.access import Role
from tests.security.matrix import ask, read_rows
from tests.security.world import PRINCIPALS, Samples, World
from tests.support.asgi import Driver
from tests.support.server import Server, serving

_QUERIES = ("q", "rule", "action", "receipt", "before", "contract", "account", "actor", "subject", "cursor", "tenant")


@pytest.fixture(scope="module")
def foreign(theirs: World) -> Samples:
    """One of everything of the other firm: nobody of ours can use any of it up."""
    found = theirs.samples()
    for row in read_rows():
        found.path(row.path)
    return found


@pytest.mark.parametrize("who", PRINCIPALS)
def test_b03_nobody_sees_a_mark_of_the_other_firm_or_a_secret(
    driver: Driver, ours: World, theirs: World, foreign: Samples, who: str
) -> None:
    """A walk over all routes with our own things, then with theirs in path, query and headers."""
    mine = ours.samples()
    credentials = {} if who == "anonymous" else ours.headers(who)
    seen: list[tuple[str, str]] = []
    for row in read_rows():
        if row.path == "/api/v1/session" and row.method == "DELETE":
            continue  # the walk goes on
        # Whom the guard turns away gets no further with anything; the matrix holds that it does, with our own things.
        refused = row.expected[who] in ("401", "403")
        answers = [ask(driver, row, credentials, samples) for samples in ((foreign,) if refused else (mine, foreign))]
        seen += [(f"{row.method} {row.path}", answer.everything()) for answer in answers]
        if not row.writes and not refused:
            ids = "&".join(f"{name}={foreign.value('alert_id')}" for name in _QUERIES)
            marks = "&".join(f"{name}={theirs.mark[:8]}" for name in _QUERIES)
            path = mine.path(row.path)
            tricks = {"last-event-id": "0", "x-tenant": theirs.mark, "x-tenant-id": str(theirs.firm.tenant.id)}
            for target in (f"{path}?{ids}", f"{path}?{marks}", f"{path}?tenant={theirs.firm.tenant.id}"):
                answer = driver.call(row.method, target, credentials | tricks)
                seen.append((f"{row.method} {target[:60]}", answer.everything()))
    forbidden = [theirs.mark, theirs.firm.tenant.id.hex, str(theirs.firm.tenant.id), *ours.secrets, *theirs.secrets]
    forbidden += ["$argon2", "Traceback (most recent"]
    found = [(where, secret) for where, text in seen for secret in forbidden if secret in text]
    assert found == []


def test_the_search_would_find_what_it_looks_for(driver: Driver, ours: World) -> None:
    samples, headers = ours.samples(), ours.headers(Role.RISK_ANALYST.value)
    [row] = [row for row in read_rows() if (row.method, row.path) == ("GET", "/api/v1/alerts/{alert_id}")]
    assert ours.mark in ask(driver, row, headers, samples).everything()


# --- a whole Finer: streams, exports, logs and files ---------------------------------------------------------------

_MARK = "zq7canary"
_ROLES = ("risk_analyst", "auditor", "data_engineer", "executive", "administrator")


def _payment(name: str, number: int, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": f"{name}-{number}", "occurred_at": f"2026-11-20T10:00:{number % 60:02d}Z", "amount": 1234.5,
        "customer_id": f"cus{name}{number}", "account_id": f"acc{name}{number}", "currency": "USD",
        "merchant_name": f"shop {name} {number}", "merchant_city": f"city {name}", "merchant_country": "PH",
        "channel": "web", "device_id": f"dev{name}{number}", **fields,
    }  # fmt: skip


def _send(server: Server, key: str, *records: dict[str, Any]) -> None:
    body = "".join(json.dumps(record) + "\n" for record in records)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
    httpx.post(f"{server.url}/api/v1/events/transaction", content=body, headers=headers).raise_for_status()


class Scene:
    """A running Finer with our firm (acme) and theirs, whose every text has the mark in it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        server.finer_here("tenant", "create", _MARK, f"{_MARK} bank", "--currency", "PHP", "--timezone", "Asia/Manila",
                     "--second-factor", "optional")  # fmt: skip
        made = server.finer_here("key", "create", _MARK, "--tenant", _MARK, "--scope", "events:write", "--json")
        self.their_key = json.loads(made)["key"]
        self.clients = {role: server.sign_in(role) for role in _ROLES}
        for number in range(30):
            _send(server, server.api_key, _payment("ours", number))
            _send(server, self.their_key, _payment(_MARK, number), _payment(_MARK, 900 + number, amount=_MARK))
        self._wait_until_raised()

    def _wait_until_raised(self) -> None:
        deadline = time.monotonic() + 60
        with self.server.database() as database:
            while time.monotonic() < deadline:
                row = database.execute("select count(distinct tenant_id), count(*) from decisions_alerts").fetchone()
                if row is not None and row[0] == 2 and row[1] >= 40:
                    return
                time.sleep(0.1)
        raise TimeoutError("The alerts of the two firms did not come.")

    def secrets(self) -> list[str]:
        """What no log and no answer may hold."""
        sessions = [client.cookies["finer_session"] for client in self.clients.values()]
        keys = [self.their_key.split("_", 2)[2], self.server.api_key.split("_", 2)[2]]
        return [*sessions, *keys, "correct horse battery staple"]


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with serving() as server:
        found = Scene(server)
        yield found
        for client in found.clients.values():
            client.close()


def test_b03_no_answer_of_a_running_finer_has_the_mark(scene: Scene) -> None:
    reads = [row.path for row in read_rows() if not row.writes and not row.parameters and "stream" not in row.path]
    for role, client in scene.clients.items():
        for path in reads:
            if path != "/metrics":
                text = client.get(path).text
                assert _MARK not in text, (role, path)
                assert [secret for secret in scene.secrets() if secret in text] == [], (role, path)
    alerts = scene.clients["risk_analyst"].get("/api/v1/alerts").json()["items"]
    assert len(alerts) >= 20


@pytest.mark.parametrize("path", ["/api/v1/alerts/stream", "/api/v1/pipeline/stream"])
def test_w04_a_live_stream_tells_nothing_of_the_other_firm(scene: Scene, path: str) -> None:
    client, heard = scene.clients["risk_analyst"], ""
    with client.stream("GET", path, headers={"Last-Event-ID": "0"}, timeout=20) as stream:
        assert stream.status_code == 200
        number = 2000 if "alerts" in path else 3000
        for chunk in stream.iter_text():
            if not heard:
                _send(scene.server, scene.their_key, *[_payment(_MARK, number + one) for one in range(20)])
                _send(scene.server, scene.server.api_key, _payment("ours", number))
            heard += chunk
            # Ours came after theirs, so what was to leak would be there by now.
            if f"ours-{number}" in heard or (heard.count("event: pipeline") > 3):
                break
    assert _MARK not in heard


def test_c02_sql_sees_the_lake_of_its_own_firm_only(scene: Scene) -> None:
    scene.server.wait_in_lake("transactions")
    found = scene.server.finer_here("sql", "select * from transactions limit 1000", "--tenant", "acme", "--json")
    assert "shop ours" in found
    assert _MARK not in found
    assert _MARK not in scene.server.finer_here("sql", "show tables", "--tenant", "acme", "--json")


def test_i04_no_log_names_a_person_a_payment_or_a_secret(scene: Scene) -> None:
    log = (scene.server.folder / "finer.log").read_text(errors="replace")
    assert log
    people = [f"shop {_MARK}", f"acc{_MARK}", f"cus{_MARK}", f"dev{_MARK}", "shop ours", "accours", "cusours"]
    people += [f"{role}@acme.example" for role in _ROLES]
    assert [text for text in [*people, *scene.secrets()] if text in log] == []
    assert [line for line in log.splitlines() if line.startswith("{") and not _is_json(line)] == []


def test_i04_metrics_name_no_firm_and_nobody(scene: Scene) -> None:
    text = httpx.get(f"{scene.server.url}/metrics").text
    assert "finer_" in text
    assert [word for word in [_MARK, "acme", "accours", "shop", "@", *scene.secrets()] if word in text] == []


def test_b01_no_file_but_their_own_lake_has_the_mark(scene: Scene) -> None:
    """Lake, snapshots and logs; the database's own files and the backup of their lake are theirs by nature."""
    scene.server.finer_here("sql", "select count(*) from transactions", "--tenant", "acme", "--json")
    with scene.server.database() as database:
        row = database.execute("select id from identity_tenants where slug = %s", [_MARK]).fetchone()
    assert row is not None
    their_id, folder, hits, lakes = row[0], scene.server.folder, [], 0
    for file in sorted(folder.rglob("*")):
        name = str(file.relative_to(folder))
        if not file.is_file() or name.startswith(("postgres", "pg")) or file.is_socket():
            continue
        their_lake = str(their_id) in name or their_id.hex in name
        lakes += their_lake
        if not their_lake and _MARK.encode() in file.read_bytes():
            hits.append(name)
    assert lakes > 0
    assert hits == []
    for file in folder.rglob("*.parquet"):
        if str(their_id) not in str(file) and their_id.hex not in str(file):
            assert _parquet_is_free_of_the_mark(file), file


def _parquet_is_free_of_the_mark(file: Path) -> bool:
    import pyarrow.parquet as pq

    return _MARK not in str(pq.read_table(file).to_pylist())


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def test_i04_no_process_shows_a_secret_in_its_command_line(scene: Scene) -> None:
    import psutil

    supervisor = psutil.Process(scene.server.process.pid)
    words = " ".join(
        word for process in [supervisor, *supervisor.children(recursive=True)] for word in process.cmdline()
    )
    assert [secret for secret in scene.secrets() if secret in words] == []
    assert re.search(r"postgres(ql)?://[^@ ]*:[^@ ]+@", words) is None
    assert sys.executable in words
