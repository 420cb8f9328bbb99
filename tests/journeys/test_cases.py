"""An analyst's way from an alert to a label: the case with reasons and links, a block that blocks, and the verdict."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_page, type_password
from tests.support.server import Server, serving

_EMAIL = "risk_analyst@acme.example"
_SCRIPT = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as found:
        found.sign_in("risk_analyst").close()
        yield found


def _send(server: Server, *records: dict[str, Any]) -> None:
    body = "".join(json.dumps(record) + "\n" for record in records)
    headers = {"Authorization": f"Bearer {server.api_key}", "Content-Type": "application/x-ndjson"}
    answer = httpx.post(f"{server.url}/api/v1/events/transaction", content=body, headers=headers)
    assert answer.status_code == 202


def _payment(event_id: str, customer: str, amount: float) -> dict[str, Any]:
    return {
        "event_id": event_id, "occurred_at": (datetime.now(UTC) - timedelta(seconds=5)).isoformat(),
        "customer_id": customer, "account_id": f"{customer}-main", "card_last4": "4242", "amount": amount,
        "currency": "USD", "merchant_name": "Bamboo Phones", "merchant_country": "PH", "channel": "web",
        "device_id": "device-of-a-thief", "type": "purchase",
    }  # fmt: skip


def _until(page: Page, look: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if look():
            return
        page.wait_for_timeout(200)
    raise AssertionError("It did not come about within a minute.")


def _confirm(page: Page, button: str, reason: str) -> None:
    """Give a reason in the open dialog, and press its button."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").last.fill(reason)
    dialog.get_by_role("button", name=button, exact=True).last.click()
    expect(dialog).to_have_count(0)


def test_an_alert_becomes_a_case_a_block_and_a_label(server: Server, browser: Browser) -> None:
    complaints: list[str] = []
    page = open_page(browser, server.url, complaints, viewport={"width": 1440, "height": 900})
    page.goto("/")
    type_password(page, _EMAIL)
    _send(server, _payment("c1-1", "customer-one", 1900), _payment("c1-2", "customer-one", 2100))
    _send(server, _payment("c2-1", "customer-two", 20))
    page.get_by_role("link", name="Cases").first.click()
    page.get_by_text("Urgent", exact=True).first.click()

    expect(page.get_by_role("heading", name="Case #1", exact=True)).to_be_visible()
    expect(page.get_by_text("above the limit of 800 USD").first).to_be_visible()
    page.keyboard.press("t")
    expect(page.get_by_text("It is yours.")).to_be_visible()
    page.get_by_label("New note").fill(f"Called. {_SCRIPT}")
    page.get_by_role("button", name="Keep note").click()
    expect(page.get_by_text(_SCRIPT)).to_be_visible()

    def linked() -> bool:
        page.goto(re.sub(r"\?.*", "", page.url) + "?tab=links")
        page.get_by_text("Table", exact=True).or_(page.get_by_text("No links")).first.wait_for()
        return page.get_by_text("1 other linked").count() > 0

    _until(page, linked)
    page.get_by_text("Table", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="Device")).to_have_count(2)

    page.get_by_role("button", name="Block, hold, release, call").click()
    _confirm(page, "Block the card", "It was not them.")
    expect(page.get_by_text("On the list blocked_cards.")).to_be_visible()

    def blocked() -> bool:
        event = f"next-{time.monotonic_ns()}"
        body = _payment(event, "customer-one", 3)
        answer = httpx.post(
            f"{server.url}/api/v1/decisions", json=body, headers={"Authorization": f"Bearer {server.api_key}"}
        )
        return answer.status_code == 200 and answer.json()["action"] == "block"

    _until(page, blocked)

    def joined() -> bool:
        page.reload()
        page.get_by_role("heading", name="Case #1", exact=True).wait_for()
        return page.get_by_text("3 open of 3").count() > 0

    # What was blocked is an alert of the same customer: who closes the case has to have seen it.
    _until(page, joined)
    page.get_by_role("button", name=re.compile("^Fraud")).click()
    _confirm(page, "Close the case", "The customer was at home.")
    expect(page.get_by_text("Open again").first).to_be_visible()
    with server.database() as database:
        query = "select count(*) from decisions_judgements where verdict = 'confirmed_fraud'"
        assert (database.execute(query).fetchone() or (0,))[0] >= 2
    page.context.close()
    assert complaints == []
