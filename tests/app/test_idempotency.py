"""An Idempotency-Key: same request, same answer, done once; another request, refused; nothing kept of what failed."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, cast

import httpx
import msgspec
import pytest
from httpx import AsyncClient as Client
from litestar import Litestar, Response, post

from finer.app import api
from finer.app.api import create_app
from finer.identity.routes.listing import ROUTES as IDENTITY_ROUTES
from finer.identity.service import teams
from finer.identity.types.access import Permission, Role
from finer.kit import idempotency
from finer.kit.actors import SYSTEM
from finer.kit.clock import FixedClock
from finer.kit.db import Database
from finer.kit.errors import Unprocessable
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from tests.support.identity import PASSWORD, Firm

TEAMS = "/api/v1/teams"
_LOCK = "select pg_advisory_xact_lock(1234567)"
pytestmark = pytest.mark.anyio


class TeamPlan(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(max_length=120)]


class Gate:
    """Holds a request inside its act until it is opened."""

    def __init__(self) -> None:
        self.entered, self.opened = asyncio.Event(), asyncio.Event()


@pytest.fixture
async def gate() -> Gate:
    return Gate()


@pytest.fixture
def planted(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """More routes: one waits inside its act, three fail after they have acted, and one answers with a file.

    Of the others just those of identity: an app of them is made in a fraction of the time, and each test makes one.
    """

    @post("/planted/slow", opt={"permission": Permission.TEAMS_WRITE})
    async def slow(tx: Tx, data: TeamPlan) -> TeamPlan:
        await asyncio.to_thread(teams.create_team, tx, name=data.name)
        gate.entered.set()
        await gate.opened.wait()
        return data

    @post("/planted/refused", opt={"permission": Permission.TEAMS_WRITE}, sync_to_thread=True)
    def refused(tx: Tx, data: TeamPlan) -> TeamPlan:
        teams.create_team(tx, name=data.name)
        raise Unprocessable("No.")

    @post("/planted/broken", opt={"permission": Permission.TEAMS_WRITE}, sync_to_thread=True)
    def broken(tx: Tx, data: TeamPlan) -> Response[object]:
        teams.create_team(tx, name=data.name)
        return Response(object())  # cannot be encoded

    @post("/planted/locked", opt={"permission": Permission.TEAMS_WRITE}, sync_to_thread=True)
    def locked(tx: Tx, data: TeamPlan) -> TeamPlan:
        teams.create_team(tx, name=data.name)
        tx.connection.exec_driver_sql("set local lock_timeout = 1")
        tx.connection.exec_driver_sql(_LOCK)
        return data

    @post("/planted/file", opt={"permission": Permission.TEAMS_WRITE}, sync_to_thread=True)
    def file(tx: Tx, data: TeamPlan) -> Response[bytes]:
        teams.create_team(tx, name=data.name)
        headers = {"Content-Disposition": 'attachment; filename="teams.csv"'}
        content = b"\xff\xfe" if data.name == "Binary" else b"name\n"
        return Response(content, media_type="text/csv", headers=headers)

    monkeypatch.setattr(api, "ROUTES", [*IDENTITY_ROUTES, slow, refused, broken, locked, file])


@pytest.fixture
async def app(planted: None, settings: Settings, database_url: str, data_path: Path) -> AsyncIterator[Litestar]:
    found = create_app(msgspec.structs.replace(settings, database_url=database_url, data_dir=str(data_path)))
    async with found.lifespan():
        yield found


@pytest.fixture
async def client(app: Litestar, firm: Firm) -> AsyncIterator[Client]:
    async with _client(app) as found:
        await _sign_in(found, firm)
        yield found


def _client(app: Litestar) -> Client:
    headers = {"X-Requested-With": "finer"}
    return Client(transport=httpx.ASGITransport(app=cast(Any, app)), base_url="http://finer.test", headers=headers)


async def _sign_in(client: Client, firm: Firm) -> None:
    user = firm.user(role=Role.ADMINISTRATOR)
    answer = await client.post("/api/v1/session", json={"email": user.email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text


async def _make(client: Client, name: str, key: str | None, path: str = TEAMS) -> Any:
    return await client.post(path, json={"name": name}, headers={} if key is None else {"Idempotency-Key": key})


def _teams(firm: Firm) -> list[str]:
    with firm.tx() as tx:
        return sorted(team.name for team in teams.list_teams(tx))


async def test_the_same_request_again_brings_the_same_answer_and_acts_once(client: Client, firm: Firm) -> None:
    first = await _make(client, "Night watch", "k1")
    again = await _make(client, "Night watch", "k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert _teams(firm) == ["Night watch"]


async def test_the_same_key_with_another_request_is_refused(client: Client, firm: Firm) -> None:
    made = (await _make(client, "Night watch", "k1")).json()
    other_body = await _make(client, "Day watch", "k1")
    other_route = await client.put(
        f"{TEAMS}/{made['id']}/members", json={"members": []}, headers={"Idempotency-Key": "k1"}
    )
    for refused in (other_body, other_route):
        assert refused.status_code == 409
        assert refused.json()["type"] == "urn:finer:problem:idempotency-key-reused"
    assert _teams(firm) == ["Night watch"]


async def test_without_a_key_nothing_is_remembered(client: Client, firm: Firm) -> None:
    assert (await _make(client, "Night watch", None)).status_code == 201
    assert (await _make(client, "Night watch", None)).status_code == 409  # the name is taken
    with firm.tx() as tx:
        assert tx.connection.exec_driver_sql("select count(*) from kit_idempotency").scalar_one() == 0


async def test_an_answer_without_a_body_is_remembered_too(client: Client, firm: Firm) -> None:
    prefix = firm.key().split("_")[1]
    answers = [await client.delete(f"/api/v1/api-keys/{prefix}", headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    assert [one.status_code for one in answers] == [204, 204]
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert answers[1].content == b""


async def test_a_secret_that_is_shown_once_is_not_kept(client: Client, firm: Firm, database_url: str) -> None:
    body = {"name": "Loader", "scopes": ["events:write"], "days": 1, "reason": "The till is new."}
    first = await client.post("/api/v1/api-keys", json=body, headers={"Idempotency-Key": "k1"})
    again = await client.post("/api/v1/api-keys", json=body, headers={"Idempotency-Key": "k1"})
    assert first.status_code == 201
    assert again.status_code == 409
    assert again.json()["type"] == "urn:finer:problem:already-done"
    assert first.json()["key"] not in again.text
    with firm.tx() as tx:
        rows = tx.connection.exec_driver_sql("select body_sealed from kit_idempotency").all()
    assert [row.body_sealed for row in rows] == [None]


async def test_what_is_kept_of_an_answer_cannot_be_read_in_the_database(client: Client, firm: Firm) -> None:
    assert (await _make(client, "Night watch", "k1")).status_code == 201
    with firm.tx() as tx:
        [row] = tx.connection.exec_driver_sql("select * from kit_idempotency").all()
    assert b"Night watch" not in bytes(row.body_sealed)
    assert "k1" not in row.claim


async def test_a_small_file_comes_again_as_it_was(client: Client, firm: Firm) -> None:
    first = await _make(client, "Night watch", "k1", "/planted/file")
    again = await _make(client, "Night watch", "k1", "/planted/file")
    assert (first.status_code, again.status_code, again.content) == (201, 201, b"name\n")
    for name in ("content-type", "content-disposition"):
        assert first.headers[name] == again.headers[name]
    assert again.headers["content-type"] == "text/csv; charset=utf-8"


async def test_a_file_that_is_not_kept_is_asked_for_with_a_new_key(client: Client, firm: Firm) -> None:
    assert (await _make(client, "Binary", "k1", "/planted/file")).status_code == 201
    again = await _make(client, "Binary", "k1", "/planted/file")
    assert (again.status_code, again.json()["type"]) == (409, "urn:finer:problem:already-done")
    assert "a file can be asked for again with a new key" in again.json()["detail"]


async def test_what_is_refused_leaves_nothing_and_the_key_is_free(client: Client, firm: Firm) -> None:
    refused = await _make(client, "Night watch", "k1", "/planted/refused")
    assert refused.status_code == 422
    assert _teams(firm) == []
    assert (await _make(client, "Night watch", "k1")).status_code == 201
    assert _teams(firm) == ["Night watch"]


async def test_who_waits_too_long_for_somebody_else_is_told_to_try_again(client: Client, firm: Firm) -> None:
    with firm.tx() as other:
        other.connection.exec_driver_sql(_LOCK)
        answer = await _make(client, "Night watch", "k1", "/planted/locked")
        assert (answer.status_code, answer.headers.get("retry-after")) == (503, "1")
        assert "Somebody else is changing the same" in answer.json()["detail"]
    assert _teams(firm) == []
    assert (await _make(client, "Night watch", "k1", "/planted/locked")).status_code == 201


async def test_an_act_whose_answer_cannot_be_written_is_undone(client: Client, firm: Firm) -> None:
    assert (await _make(client, "Night watch", "k1", "/planted/broken")).status_code == 500
    assert _teams(firm) == []


async def test_a_crash_between_act_and_answer_undoes_both(
    client: Client, firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as fault:
        fault.setattr(idempotency, "remember", _crash)
        assert (await _make(client, "Night watch", "k1")).status_code == 500
    assert _teams(firm) == []
    again = await _make(client, "Night watch", "k1")
    assert (again.status_code, "idempotency-replayed" in again.headers) == (201, False)
    assert _teams(firm) == ["Night watch"]


def _crash(*_: Any) -> None:
    raise ConnectionError("the power went out")


async def test_the_same_key_at_the_same_time_is_told_to_wait(client: Client, firm: Firm, gate: Gate) -> None:
    running = asyncio.create_task(_make(client, "Night watch", "k1", "/planted/slow"))
    await gate.entered.wait()
    meanwhile = await _make(client, "Night watch", "k1", "/planted/slow")
    assert meanwhile.status_code == 409
    assert meanwhile.json()["type"] == "urn:finer:problem:idempotency-key-in-use"
    assert meanwhile.headers["retry-after"] == "1"
    gate.opened.set()
    assert (await running).status_code == 201
    assert (await _make(client, "Night watch", "k1", "/planted/slow")).headers["idempotency-replayed"] == "true"
    assert _teams(firm) == ["Night watch"]


async def test_many_at_the_same_time_act_once(client: Client, firm: Firm) -> None:
    answers = await asyncio.gather(*(_make(client, "Night watch", "k1") for _ in range(6)))
    assert {one.status_code for one in answers} <= {201, 409}
    assert sum(one.status_code == 201 and "idempotency-replayed" not in one.headers for one in answers) == 1
    assert _teams(firm) == ["Night watch"]


async def test_the_same_key_of_another_firm_or_person_is_another_key(
    app: Litestar, client: Client, firm: Firm, other_firm: Firm
) -> None:
    assert (await _make(client, "Night watch", "k1")).status_code == 201
    for house, name in ((other_firm, "Night watch"), (firm, "Day watch")):
        async with _client(app) as other:
            await _sign_in(other, house)
            answer = await _make(other, name, "k1")
            assert (answer.status_code, "idempotency-replayed" in answer.headers) == (201, False)
    assert (_teams(firm), _teams(other_firm)) == (["Day watch", "Night watch"], ["Night watch"])


async def test_a_key_that_is_too_long_is_refused(client: Client, firm: Firm) -> None:
    assert (await _make(client, "Night watch", "k" * 256)).status_code == 400
    assert _teams(firm) == []


def test_answers_are_forgotten_after_a_day(firm: Firm, worker_database: Database) -> None:
    claim = idempotency.claim_of("user:1", "k1")
    with firm.tx() as tx:
        idempotency.remember(tx, claim, b"asked", 201, {}, "{}")
        assert idempotency.recall(tx, claim) is not None
        tenant, late = tx.tenant, tx.now() + timedelta(hours=25)
    with worker_database.transaction(tenant, SYSTEM) as tx:
        assert idempotency.forget_old(_at(tx, late)) == 1


def test_a_claim_past_its_day_is_free_before_it_is_swept(firm: Firm) -> None:
    claim = idempotency.claim_of("user:1", str(uuid.uuid4()))
    with firm.tx() as tx:
        idempotency.remember(tx, claim, b"asked", 201, {}, "{}")
        later = _at(tx, tx.now() + timedelta(hours=25))
        assert idempotency.recall(later, claim) is None
        idempotency.remember(later, claim, b"other", 200, {}, None)
        found = idempotency.recall(later, claim)
    assert found is not None
    assert (found.request, found.body) == (b"other", None)


def _at(tx: Tx, moment: datetime) -> Tx:
    return replace(tx, clock=FixedClock(moment))
