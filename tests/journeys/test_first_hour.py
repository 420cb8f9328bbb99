"""The first hour of a bank with Finer, told in order, through the API.

A bank's machine sends transactions. Bad ones are kept with their reasons, duplicates are counted, fraud raises an
alert that its analyst sees within a second, judges once, and nobody of another role may. A decision that a cashier
waits for is the same however often it is asked. In the end every invariant holds.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from finer.app.doctor import examine
from finer.kit.settings import Settings
from tests.support.server import Server, serving, trace_processes

_NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        trace_processes(patch)
        with serving(empty=True) as found:
            yield found


@pytest.fixture(scope="module")
def analyst(server: Server) -> Iterator[httpx.Client]:
    with closing(server.sign_in("risk_analyst")) as client:
        yield client


def _transaction(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": f"t{number}",
        "type": "purchase",
        "occurred_at": (_NOW - timedelta(hours=6) + timedelta(minutes=number)).isoformat(),
        "customer_id": "c1",
        "account_id": "a1",
        "card_last4": "1234",
        "amount": 12.5,
        "currency": "USD",
        "merchant_name": "Corner Shop",
        "merchant_city": "Manila",
        "merchant_country": "PH",
        "mcc": "5411",
        "channel": "pos",
    } | fields


def _send(server: Server, body: bytes, contract: str = "transaction", **headers: str) -> httpx.Response:
    given = {"Authorization": f"Bearer {server.api_key}", "Content-Type": "application/x-ndjson"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return httpx.post(f"{server.url}/api/v1/events/{contract}", content=body, headers=given, timeout=30)


def _lines(*records: dict[str, Any]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def _receipt_when_done(server: Server, identifier: str) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while True:
        answer = httpx.get(
            f"{server.url}/api/v1/receipts/{identifier}", headers={"Authorization": f"Bearer {server.api_key}"}
        )
        receipt: dict[str, Any] = answer.raise_for_status().json()
        if receipt["state"] == "done" or time.monotonic() > deadline:
            return receipt


def test_0_people_read_a_sentence_before_any_line_of_the_log(server: Server, analyst: httpx.Client) -> None:
    said = (server.folder / "finer.log").read_text().splitlines()
    assert said[0].startswith("Finer starts. Its log is ")
    assert any(line.startswith("Finer answers at ") for line in said)
    # The port was an option of `finer up`: what other commands print opens all the same.
    link = server.finer_here("user", "link", server.email("risk_analyst"), "--tenant", server.tenant)
    assert link.startswith(f"{server.url}/sign-in?token=")
    assert analyst.post("/api/v1/session/link", json={"token": link.strip().partition("=")[2]}).status_code < 300


def test_1_good_and_bad_records_are_told_apart(server: Server) -> None:
    body = _lines(_transaction(1), _transaction(2, amount=-5), _transaction(3)) + b'{"event_id": "broken\n'
    answer = _send(server, body)
    assert answer.status_code == 202, answer.text
    receipt = answer.json()
    assert (receipt["received"], receipt["accepted"], receipt["quarantined"]) == (4, 2, 2)
    assert {problem["line"] for problem in receipt["problems"]} == {2, 4}
    kept = httpx.get(f"{server.url}/api/v1/quarantine", headers={"Authorization": f"Bearer {server.api_key}"}).json()
    assert len(kept["items"]) == 2


def test_2_a_body_sent_again_is_only_duplicates(server: Server) -> None:
    receipt = _send(server, gzip.compress(_lines(_transaction(1), _transaction(3))), Content_Encoding="gzip").json()
    done = _receipt_when_done(server, receipt["id"])
    assert (done["state"], done["received"], done["accepted"], done["duplicate"]) == ("done", 2, 0, 2)


def test_3_fraud_is_seen_by_the_analyst_within_a_second(server: Server, analyst: httpx.Client) -> None:
    seen: list[tuple[float, dict[str, Any]]] = []
    connected = threading.Event()

    def watch() -> None:
        with analyst.stream("GET", "/api/v1/alerts/stream", timeout=30) as stream:
            event = ""
            for line in stream.iter_lines():
                connected.set()
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif line.startswith("data: ") and event == "alert":
                    seen.append((time.monotonic(), json.loads(line.removeprefix("data: "))))
                    if len(seen) == 1:
                        return

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert connected.wait(10)
    sent = time.monotonic()
    assert _send(server, _lines(_transaction(10, amount=950))).status_code == 202
    watcher.join(timeout=10)
    assert seen, "no alert arrived on the stream"
    at, alert = seen[0]
    assert alert["event_id"] == "t10"
    assert at - sent < 5
    assert "950.00 USD" in alert["reasons"][0]


def test_4_more_than_three_in_ten_seconds_is_blocked(server: Server, analyst: httpx.Client) -> None:
    at = _NOW - timedelta(hours=1)
    burst = [
        _transaction(20 + i, account_id="a2", amount=1, occurred_at=(at + timedelta(seconds=i)).isoformat())
        for i in range(4)
    ]
    receipt = _send(server, _lines(*burst)).json()
    assert _receipt_when_done(server, receipt["id"])["accepted"] == 4
    alerts = analyst.get("/api/v1/alerts", params={"rule": "velocity_10s"}).json()["items"]
    assert [alert["event_id"] for alert in alerts] == ["t23"]
    assert alerts[0]["action"] == "block"
    detail = analyst.get(f"/api/v1/alerts/{alerts[0]['id']}").json()
    assert {one["name"]: one["value"] for one in detail["features"]}["account.count_10s"] == 4
    assert any("4th payment" in reason for reason in detail["reasons"])


def test_5_an_alert_is_judged_once_and_only_by_those_who_may(server: Server, analyst: httpx.Client) -> None:
    alert = analyst.get("/api/v1/alerts", params={"rule": "velocity_10s"}).json()["items"][0]
    path, body = f"/api/v1/alerts/{alert['id']}/resolution", {"verdict": "confirmed_fraud", "version": alert["version"]}
    with closing(server.sign_in("executive")) as executive:
        assert executive.post(path, json=body).status_code == 403
    assert analyst.post(path, json=body).json()["state"] == "confirmed_fraud"
    again = analyst.post(path, json=body | {"verdict": "dismissed"})
    assert (again.status_code, again.json()["state"]) == (409, "confirmed_fraud")
    summary = analyst.get("/api/v1/alerts/summary").json()
    assert (summary["confirmed"], summary["protected_usd"]["minor"]) == (1, 100)


def test_5b_a_doctor_is_content_with_the_port_at_which_finer_answers(server: Server) -> None:
    settings = Settings(data_dir=str(server.folder), port=httpx.URL(server.url).port or 0)
    (port,) = (one for one in examine(settings) if one.what == "port")
    assert port.good, port.says


def test_6_a_decision_is_the_same_however_often_it_is_asked(server: Server) -> None:
    def decide(record: dict[str, Any], indent: int | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {server.api_key}", "Content-Type": "application/json"}
        body = json.dumps(record, indent=indent)
        return httpx.post(f"{server.url}/api/v1/decisions", content=body, headers=headers, timeout=30)

    record = _transaction(30, account_id="a3", amount=1200)
    first = decide(record, indent=2)
    assert first.status_code == 200, first.text
    assert (first.json()["action"], [rule["id"] for rule in first.json()["rules"]]) == ("review", ["high_amount"])
    assert decide(record).json() == first.json()
    assert decide(record | {"amount": 1}).status_code == 409
    refused = decide(_transaction(31, amount="much"))
    assert refused.status_code == 422
    assert refused.json()["problems"][0]["field"] == "amount"
    assert decide(_transaction(1)).status_code == 409


def test_7_the_lake_holds_every_accepted_event_once(server: Server) -> None:
    server.wait_in_lake("transactions", 8)
    statement = "select count(*) as n, count(distinct event_id) as ids from transactions"
    assert json.loads(server.finer("sql", statement, "--tenant", server.tenant, "--json"))["rows"] == [[8, 8]]


def test_8_everything_holds_in_the_end(server: Server) -> None:
    assert json.loads(server.finer("verify", "--json")) == {"ok": True, "violations": []}
