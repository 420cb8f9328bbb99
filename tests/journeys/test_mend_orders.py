"""A data engineer in a browser: from a damaged file and a refused payment to a clean table and a decision."""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support import corrupted_orders as damage
from tests.support.browser import open_page, type_password
from tests.support.server import Server

_ROLE = "data_engineer"
_ORDERS = 300


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    server.sign_in(_ROLE).close()
    return server


def _payment(event_id: str, currency: str) -> dict[str, Any]:
    return {
        "event_id": event_id, "occurred_at": datetime.now(UTC).isoformat(), "customer_id": f"c-{event_id}",
        "account_id": f"a-{event_id}", "amount": 1234.5, "currency": currency, "merchant_name": "Bamboo Phones",
        "merchant_country": "PH", "channel": "web",
    }  # fmt: skip


def _mend(page: Page, cause: re.Pattern[str], column: str, expression: str, records: int) -> None:
    """Choose a cause, try a change of all its records, carry it out, and send them on."""
    page.get_by_role("list", name="Causes").get_by_role("button", name=cause).click()
    form = page.get_by_role("form", name="Change by expression")
    form.get_by_role("textbox", name="Field").fill(column)
    form.get_by_role("textbox", name="Expression").fill(expression)
    form.get_by_role("button", name="Try").click()
    noun = "record" if records == 1 else "records"
    form.get_by_role("button", name=f"Change {records} {noun}").click()
    expect(page.get_by_text(f"{records} changed.", exact=True)).to_be_visible()
    page.get_by_role("button", name="Release all").click()
    expect(page.get_by_text(f"{records} released.", exact=True)).to_be_visible()


def test_a_damaged_file_becomes_a_clean_table(server: Server, browser: Browser, tmp_path: Path) -> None:
    rows = damage.orders(_ORDERS, 4)
    broken = [dict(row) for row in rows]
    for row in broken[10:16]:
        row["UnitPrice"] = row["UnitPrice"].replace(".", ",")
    for row in broken[30:34]:
        row["Currency"] = "gbp"
    damage.write_csv(broken, tmp_path / "orders.csv")
    (tmp_path / "mapping.yaml").write_text(damage.mapping_text(), "utf-8")
    mapping = ("--mapping", str(tmp_path / "mapping.yaml"))
    server.finer_here("ingest", "order", str(tmp_path / "orders.csv"), *mapping, "--tenant", server.tenant)
    complaints: list[str] = []
    page = open_page(browser, server.url, complaints, viewport={"width": 1440, "height": 900})
    page.goto("/quarantine")
    type_password(page, server.email(_ROLE))
    expect(page.get_by_text("10 records in 2 causes")).to_be_visible()
    _mend(page, re.compile("UnitPrice.*type"), "UnitPrice", "number(replace(raw.UnitPrice, ',', '.'))", 6)
    _mend(page, re.compile("unit_price.*currency"), "Currency", "upper(Currency)", 4)
    page.goto("/quarantine")
    expect(page.get_by_text("Nothing is quarantined")).to_be_visible()
    page.context.close()
    assert complaints == []
    expected: Counter[tuple[str, str]] = Counter()
    for row in rows:
        amount = round(int(row["Quantity"]) * float(row["UnitPrice"]) * 100)
        expected[row["InvoiceDate"][:7], row["Country"]] += amount
    server.wait_in_lake("orders", _ORDERS)
    question = (
        "select strftime(occurred_at, '%Y-%m') as month, country, sum(amount_minor) as amount, count(*) as lines "
        "from orders group by all"
    )
    told = json.loads(server.finer_here("sql", question, "--tenant", server.tenant, "--json"))["rows"]
    assert sum(lines for _, _, _, lines in told) == _ORDERS
    assert {(month, country): int(amount) for month, country, amount, _ in told} == dict(expected)


def test_a_released_payment_is_decided_as_it_would_have_been(server: Server, browser: Browser) -> None:
    key = {"Authorization": f"Bearer {server.api_key}", "Content-Type": "application/x-ndjson"}
    body = "".join(json.dumps(one) + "\n" for one in (_payment("right", "USD"), _payment("wrong", "usd")))
    answer = httpx.post(f"{server.url}/api/v1/events/transaction", content=body, headers=key)
    assert (answer.status_code, answer.json()["quarantined"]) == (202, 1)
    complaints: list[str] = []
    page = open_page(browser, server.url, complaints, viewport={"width": 390, "height": 844}, color_scheme="dark")
    page.goto("/quarantine")
    type_password(page, server.email(_ROLE))
    page.get_by_role("list", name="Causes").get_by_role("button", name=re.compile("Transactions")).click()
    page.get_by_label("Quarantined records").get_by_text("cannot be read without a valid currency").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("currency", exact=True).fill("USD")
    expect(drawer.get_by_text("It keeps its contract")).to_be_visible()
    drawer.get_by_role("button", name="Keep the change").click()
    drawer.get_by_role("button", name="Release").click()
    expect(page.get_by_text("1 released.", exact=True)).to_be_visible()
    page.context.close()
    assert complaints == []
    with server.database() as database:
        decided: list[Any] = []
        while len(decided) < 2:
            decided = database.execute(
                "select action, rules, amount_usd_minor from decisions_alerts where event_id in ('right', 'wrong')"
            ).fetchall()
            database.execute("select pg_sleep(0.1)")
    assert decided[0] == decided[1]


def test_a_record_is_given_up_by_hand_unless_a_colleague_was_faster(server: Server, browser: Browser) -> None:
    key = {"Authorization": f"Bearer {server.api_key}", "Content-Type": "application/x-ndjson"}
    body = "".join(json.dumps(_payment(name, "eur")) + "\n" for name in ("unwanted", "wanted"))
    answer = httpx.post(f"{server.url}/api/v1/events/transaction", content=body, headers=key)
    receipt = answer.json()["id"]
    complaints: list[str] = []
    page = open_page(browser, server.url, complaints, viewport={"width": 1440, "height": 900})
    page.goto(f"/quarantine?receipt={receipt}")
    type_password(page, server.email(_ROLE))
    page.get_by_role("list", name="Causes").get_by_role("button", name=re.compile("Transactions")).click()
    rows = page.get_by_label("Quarantined records").get_by_text("cannot be read without a valid currency")
    expect(rows).to_have_count(2)
    rows.first.click()
    drawer = page.get_by_role("dialog", name="Quarantined record")
    drawer.get_by_role("button", name="Discard", exact=True).click()
    dialog = page.get_by_role("dialog", name="Discard this record?")
    for reason in ("", "   ", "no"):
        dialog.get_by_role("textbox").fill(reason)
        dialog.get_by_role("button", name="Discard").click()
        expect(dialog.get_by_role("alert").first).to_be_visible()
    dialog.get_by_role("textbox").fill("Sent twice by the till")
    dialog.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("1 discarded.", exact=True)).to_be_visible()
    expect(drawer.get_by_text("Discarded", exact=True)).to_be_visible()
    expect(drawer.get_by_role("button", name="Put back as it was sent")).to_be_visible()
    expect(drawer.get_by_role("button", name="Discard", exact=True)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(rows).to_have_count(1)
    rows.first.click()
    expect(drawer.get_by_role("button", name="Discard", exact=True)).to_be_visible()
    with contextlib.closing(server.sign_in(_ROLE, second=True)) as colleague:
        waiting = colleague.get("/api/v1/quarantine", params={"receipt": receipt}).json()["items"]
        [record] = [item["id"] for item in waiting]
        colleague.put(f"/api/v1/quarantine/{record}", json={"changes": {"currency": "EUR"}}).raise_for_status()
        chosen = {"selection": {"contract": "transaction", "ids": [record]}}
        released = colleague.post("/api/v1/quarantine/releases", json=chosen)
        assert (released.status_code, released.json()["changed"]) == (201, 1)
    drawer.get_by_role("button", name="Discard", exact=True).click()
    dialog.get_by_role("textbox").fill("Sent twice by the till")
    dialog.get_by_role("button", name="Discard").click()
    expect(page.get_by_text(f"{record} is released already.")).to_be_visible()
    expect(drawer.get_by_text("Released", exact=True)).to_be_visible()
    expect(dialog).to_have_count(0)
    page.context.close()
    assert all("409" in said for said in complaints), complaints
    with contextlib.closing(server.sign_in("auditor")) as auditor:
        account = auditor.get(f"/api/v1/receipts/{receipt}").json()
        assert (account["accepted"], account["quarantined"], account["released"]) == (1, 1, 1)
        lines = auditor.get("/api/v1/audit", params={"action": "quarantine:discard"}).json()["items"]
        assert [(line["detail"]["reason"], line["detail"]["matched"]) for line in lines] == [
            ("Sent twice by the till", 1)
        ]
