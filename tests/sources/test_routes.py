"""The API of sources: who may do what, what is shown, and where credentials never go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar, Router
from litestar.di import Provide
from litestar.testing import TestClient

from finer.app.source_desk import SourceDesk
from finer.identity.service import audit
from finer.identity.types.access import Role
from finer.sources.routes.listing import ROUTES
from tests.sources.conftest import Desk
from tests.support.identity import client_of, sign_in, small_app

SECRET = "whsec_0123456789abcdefghij"
STRIPE = {
    "name": "Stripe", "contract": "transaction", "connection": {"type": "stripe", "api_version": "2025-09-30.clover"},
    "credentials": {"secret": SECRET},
}  # fmt: skip


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient[Litestar]]:
    source_desk = SourceDesk(desk.database, desk.firm.settings, lambda: 0)
    given = {"source_desk": Provide(lambda: source_desk, sync_to_thread=False)}
    app, _ = small_app(desk.database, desk.firm.settings, Router("/", route_handlers=ROUTES, dependencies=given))
    with client_of(app) as found:
        sign_in(found, desk.firm.user(Role.DATA_ENGINEER))
        yield found
    source_desk.close()


def _folder(desk: Desk, **more: Any) -> dict[str, Any]:
    return {
        "name": "Drop", "contract": "transaction", "connection": {"type": "folder", "folder": str(desk.folder)}, **more,
    }  # fmt: skip


def test_a_source_is_added_changed_paused_and_removed(desk: Desk, client: TestClient[Litestar]) -> None:
    made = client.post("/api/v1/sources", json=_folder(desk))
    assert made.status_code == 201, made.text
    assert made.json()["address"] is None
    shown = made.json()["source"]
    assert (shown["kind"], shown["state"], shown["connection"]["pattern"]) == ("folder", "running", "*")
    place = f"/api/v1/sources/{shown['id']}"
    again = client.post("/api/v1/sources", json=_folder(desk))
    assert (again.status_code, again.json()["type"]) == (409, "urn:finer:problem:source-exists")
    changed = client.put(place, json=_folder(desk, name="Daily"))
    assert (changed.status_code, changed.json()["name"]) == (200, "Daily")
    other = client.put(place, json=STRIPE)
    assert (other.status_code, other.json()["type"]) == (422, "urn:finer:problem:source-settings-invalid")
    assert client.post(f"{place}/pausing").json()["state"] == "paused"
    assert client.post(f"{place}/pausing").json()["state"] == "paused"
    assert client.post(f"{place}/resuming").json()["state"] == "running"
    assert client.post(f"{place}/backfill", json={"begin": "never"}).status_code == 422
    assert client.post(f"{place}/backfill", json={}).status_code == 200
    kinds = [note["kind"] for note in client.get(f"{place}/history").json()["items"]]
    assert kinds == ["backfill", "resumed", "paused", "changed", "created"]
    assert client.post(f"{place}/address").status_code == 422
    with desk.firm.tx() as tx:
        actions = [line.action for line in audit.list_audit(tx, 20, None)]
    assert actions.count("sources:create") == 1
    assert {"sources:change", "sources:pause", "sources:resume", "sources:backfill"} <= set(actions)
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404
    assert client.get("/api/v1/sources").json() == {"items": []}


def test_credentials_are_shown_to_nobody_and_go_nowhere_else(desk: Desk, client: TestClient[Litestar]) -> None:
    made = client.post("/api/v1/sources", json=STRIPE).json()
    token = made["address"].rsplit("/", 1)[1]
    identifier = made["source"]["id"]
    answers = [
        client.get(path).text
        for path in ("/api/v1/sources", f"/api/v1/sources/{identifier}", f"/api/v1/sources/{identifier}/history")
    ]
    with desk.firm.tx() as tx:
        answers.append(str(audit.list_audit(tx, 20, None)))
    assert not any(SECRET in answer or token in answer for answer in answers)
    plaid = {
        "name": "Plaid", "contract": "transaction", "connection": {"type": "plaid"},
        "credentials": {"user": "u", "secret": "s", "items": [{"customer_id": "c", "access_token": "t"}]},
    }  # fmt: skip
    place = f"/api/v1/sources/{client.post('/api/v1/sources', json=plaid).json()['source']['id']}"
    elsewhere = plaid | {"connection": {"type": "plaid", "address": "https://evil.example"}}
    del elsewhere["credentials"]
    refused = client.put(place, json=elsewhere)
    assert refused.status_code == 422
    assert "credentials again" in refused.json()["detail"]
    looked = {name: value for name, value in elsewhere.items() if name != "name"} | {"source": place.rsplit("/", 1)[1]}
    assert client.post("/api/v1/sources/trials", json=looked).status_code == 422


def test_a_look_shows_records_and_what_breaks(desk: Desk, client: TestClient[Litestar]) -> None:
    (desk.folder / "a.csv").write_text(
        "event_id,occurred_at,customer_id,amount,card_last4\ne1,2026-11-20T10:00:00Z,customer-4711,1.5,4242\ne2,x,c,1,\n"
    )
    body = {name: value for name, value in _folder(desk).items() if name != "name"}
    found = client.post("/api/v1/sources/trials", json=body)
    assert found.status_code == 200, found.text
    shown = found.json()
    assert (shown["received"], shown["accepted"], shown["quarantined"]) == (2, 1, 1)
    values = {one["field"]: one["value"] for one in shown["records"][0]["values"]}
    assert values["amount_minor"] == "150"
    assert "4242" not in str(values["card_last4"])  # shown in part only
    assert "occurred_at must be" in shown["problems"][0]
    assert client.get("/api/v1/sources").json() == {"items": []}
    outside = body | {"connection": {"type": "folder", "folder": "/etc"}}
    refused = client.post("/api/v1/sources/trials", json=outside)
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:finer:problem:source-misconfigured")


def test_readers_read_and_change_nothing(desk: Desk, client: TestClient[Litestar]) -> None:
    place = f"/api/v1/sources/{client.post('/api/v1/sources', json=STRIPE).json()['source']['id']}"
    for role in (Role.AUDITOR, Role.EXECUTIVE):
        sign_in(client, desk.firm.user(role))
        assert client.get(place).status_code == 200
        assert client.post(f"{place}/pausing").status_code == 403
        assert client.post("/api/v1/sources/trials", json=STRIPE).status_code == 403
    sign_in(client, desk.firm.user(Role.RISK_ANALYST))
    assert client.get(place).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"connection": {"type": "ftp"}}, {"connection": {"folder": "x"}}, {"connection": {"type": "folder"}},
        {"connection": {"type": "stripe", "api_version": "new"}}, {"contract": "nothing"}, {"name": ""}, {"name": " x"},
        {"mapping": "columns: ["}, {"credentials": {"secret": "short"}}, {"more": 1}, {"mapping": "x" * 30_000},
    ],
)  # fmt: skip
def test_bad_bodies_are_told_what_is_wrong(client: TestClient[Litestar], wrong: dict[str, Any]) -> None:
    answer = client.post("/api/v1/sources", json=STRIPE | wrong)
    assert answer.status_code in (400, 404, 422)
    assert client.get("/api/v1/sources").json() == {"items": []}
