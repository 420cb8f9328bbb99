"""Dashboards in a browser: a number that follows its events and outlives a lost connection."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_page, type_password
from tests.support.relay import relaying
from tests.support.server import Server, serving

_SHOTS = os.environ.get("FINER_TEST_SHOTS", "")
_ORDERS = 40
_FOLLOW = """(number) => {
    window.sameDocument = true;
    window.changes = [];
    new MutationObserver(() => window.changes.push([number.textContent, Date.now()]))
        .observe(number, { characterData: true, childList: true, subtree: true });
}"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as found:
        _order(found, *range(_ORDERS))
        yield found


@pytest.fixture
def executive(server: Server) -> Iterator[httpx.Client]:
    """A client of the person whose page it is, on a line that is not cut."""
    client = server.sign_in("executive")
    yield client
    client.close()


def _order(server: Server, *numbers: int) -> float:
    """Send lines of orders; returns when they were accepted, in seconds since 1970."""
    at = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    lines: list[dict[str, Any]] = [
        {
            "event_id": f"order-{n}", "order_id": f"o{n}", "type": "placed", "occurred_at": at,
            "customer_id": "customer-1", "product_id": f"p{n % 3}", "quantity": 1, "unit_price": 10, "amount": 10,
            "currency": "USD", "country": ["GB", "PH"][n % 2], "channel": "web",
        }
        for n in numbers
    ]  # fmt: skip
    answer = httpx.post(
        f"{server.url}/api/v1/events/order", content="".join(json.dumps(one) + "\n" for one in lines),
        headers={"Authorization": f"Bearer {server.api_key}", "Content-Type": "application/x-ndjson"},
    )  # fmt: skip
    assert answer.status_code == 202, answer.text
    return time.time()


def _shoot_lost(page: Page) -> None:
    """Pictures of a page without a connection, when FINER_TEST_SHOTS names a folder for them."""
    if not _SHOTS:
        return
    page.screenshot(path=str(Path(_SHOTS) / "lost-1440-light.png"))
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(600)
    page.screenshot(path=str(Path(_SHOTS) / "lost-390-dark.png"))


def _wait_counted(client: httpx.Client, placed: int) -> None:
    """Wait until the server's own dashboard counts so many lines."""
    found = None
    while found != placed:
        stages = client.get("/api/v1/operations/orders").raise_for_status().json()["stages"]
        found = next(stage["records"] for stage in stages if stage["name"] == "placed")


def test_a_number_follows_its_events_and_outlives_a_lost_connection(
    server: Server, executive: httpx.Client, browser: Browser
) -> None:
    complaints: list[str] = []
    with relaying(server.port) as line:
        page = open_page(browser, f"http://127.0.0.1:{line.port}", complaints, viewport={"width": 1440, "height": 900})
        page.goto("/orders")
        type_password(page, "executive@acme.example")
        placed = page.get_by_role("region", name="Placed", exact=True).locator(".tile-value")
        state = page.locator(".live-state")
        expect(placed).to_have_text(str(_ORDERS))
        expect(state).to_have_text("Live")
        placed.evaluate(_FOLLOW)

        accepted_at = _order(server, _ORDERS)
        expect(placed).to_have_text(str(_ORDERS + 1))
        (text, changed_ms), *_ = page.evaluate("window.changes")
        assert text == str(_ORDERS + 1)
        # Told, not judged: on a busy machine it takes as long as it takes.
        print(f"shown {changed_ms / 1000 - accepted_at:.3f} s after it was accepted")

        line.lose()
        expect(state).to_have_text("Reconnecting")
        _order(server, _ORDERS + 1)
        _wait_counted(executive, _ORDERS + 2)
        expect(state).to_contain_text("No connection since")
        expect(placed).to_have_text(str(_ORDERS + 1))
        _shoot_lost(page)

        line.restore()
        restored_at = time.time()
        expect(placed).to_have_text(str(_ORDERS + 2))
        expect(state).to_have_text("Live")
        text, changed_ms = page.evaluate("window.changes.at(-1)")
        print(f"caught up {changed_ms / 1000 - restored_at:.3f} s after the connection was possible again")
        assert page.evaluate("window.sameDocument") is True
        page.context.close()
    # A browser writes by itself that it could not connect.
    assert [said for said in complaints if "net::ERR_" not in said] == []
