"""What Airflow asks of Finer, by its provider package in deploy/airflow, against the real API and without Airflow."""

from __future__ import annotations

import importlib.util
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.app.api import create_app
from finer.identity.types.access import Permission
from finer.kit.crypto.keyring import Keyring
from finer.kit.db import Database
from finer.kit.settings import Settings
from tests.ingest.records import line
from tests.support.asgi import Driver, driving
from tests.support.identity import Firm

_PATH = Path(__file__).resolve().parents[2] / "deploy/airflow/finer_airflow/client.py"


def _loaded() -> ModuleType:
    found = importlib.util.spec_from_file_location("finer_airflow_client", _PATH)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


provider: Any = _loaded()


class OverDriver(httpx.BaseTransport):
    """Requests go to the application of a test."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        target = request.url.raw_path.decode()
        answer = self._driver.call(request.method, target, headers, request.read())
        return httpx.Response(answer.status, content=answer.body, headers={"retry-after": "1"})


@pytest.fixture(scope="module")
def driver(database_url: str, data_path: Path, keys: Keyring) -> Iterator[Driver]:
    settings = Settings(
        database_url=database_url, data_dir=str(data_path), argon2_memory_kib=8, argon2_iterations=1,
        database_pool_connections=4,
    )  # fmt: skip
    with driving(create_app(settings)) as found:
        yield found


@pytest.fixture
def client(driver: Driver, database: Database) -> Any:
    """A client with a key of a new firm."""
    firm = Firm.made(database, Settings(), f"air{uuid.uuid4().hex[:12]}")
    wanted = (Permission.EVENTS_WRITE, Permission.RECEIPTS_READ, Permission.JOBS_READ, Permission.JOBS_RUN)
    key = firm.key(*wanted)
    return provider.FinerClient("http://finer.test", key, transport=OverDriver(driver), pause=lambda _seconds: None)


def test_a_body_that_is_sent_again_has_the_first_receipt(client: Any) -> None:
    data = line(event_id="a1") + b"\n" + line(event_id="a2") + b"\n"
    first = client.send("transaction", data, "application/x-ndjson", "airflow/daily/run/send/-1/0")
    assert (first["received"], first["quarantined"]) == (2, 0)
    assert client.send("transaction", data, "application/x-ndjson", "airflow/daily/run/send/-1/0")["id"] == first["id"]
    assert client.receipt(first["id"])["state"] in ("processing", "done")


def test_a_run_that_is_asked_for_again_is_one_run(client: Any) -> None:
    first = client.run_job("compact_lake", "airflow/daily/1/merge/-1/1")
    assert first["state"] == "queued"
    assert client.run_job("compact_lake", "airflow/daily/1/merge/-1/1")["id"] == first["id"]
    assert client.run(first["id"])["job"] == "compact_lake"
    assert client.cancel(first["id"])["state"] == "cancelled"
    assert client.run(first["id"])["state"] == "cancelled"


def test_what_finer_refuses_is_said_in_its_words(client: Any) -> None:
    with pytest.raises(provider.FinerError, match="There is no job 'nothing'") as told:
        client.run_job("nothing", "airflow/x")
    assert (told.value.status, told.value.kind) == (404, "job-not-found")
    with pytest.raises(provider.FinerError, match="cannot be run for days past"):
        client.run_job_for("compact_lake", "2026-11-20", "airflow/y")
    with pytest.raises(provider.FinerError) as refused:
        client.lake()
    assert refused.value.status == 403


class Busy(httpx.BaseTransport):
    """A Finer that is away, then busy, then lets a client in whose first token is worth nothing any more."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str | None]] = []
        self.tokens = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/oauth/token":
            self.tokens += 1
            return httpx.Response(200, json={"access_token": f"t{self.tokens}", "expires_in": 600})
        self.seen.append((request.headers["authorization"], request.headers.get("idempotency-key")))
        match len(self.seen):
            case 1:
                raise httpx.ConnectError("refused")
            case 2:
                return httpx.Response(429, headers={"retry-after": "7"}, json={"detail": "busy"})
            case 3:
                return httpx.Response(401, json={"detail": "the token has ended"})
        return httpx.Response(202, json={"items": [{"id": "run_1", "state": "queued"}]})


def test_a_busy_finer_is_waited_for_as_long_as_it_says_under_the_same_name() -> None:
    waited: list[float] = []
    busy = Busy()
    client = provider.FinerClient("http://finer.test", "fs_x", "fc_x", transport=busy, pause=waited.append)
    assert client.run_job("compact_lake", "airflow/z")["id"] == "run_1"
    assert waited == [2.0, 7.0]
    assert busy.seen == [("Bearer t1", "airflow/z")] * 3 + [("Bearer t2", "airflow/z")]


def test_a_finer_that_stays_away_is_said() -> None:
    def away(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    client = provider.FinerClient(
        "http://finer.test", "k", transport=httpx.MockTransport(away), pause=lambda _seconds: None
    )
    with pytest.raises(provider.FinerError, match="does not answer"):
        client.ready()


@given(st.lists(st.binary(max_size=30).map(lambda text: text.replace(b"\n", b"") + b"\n")), st.integers(1, 60))
def test_lines_are_put_together_and_never_parted(lines: list[bytes], size: int) -> None:
    found = list(provider.bodies(iter(lines), size))
    assert b"".join(found) == b"".join(lines)
    assert all(one.endswith(b"\n") for one in found)
    assert all(len(one) <= size or one.count(b"\n") == 1 for one in found)
