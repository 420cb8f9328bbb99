"""Dashboards in a browser: one that somebody makes and watches, and a number that outlives a lost connection."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.browser import open_page, type_password
from tests.support.relay import relaying
from tests.support.server import Server

_SHOTS = os.environ.get("FINER_TEST_SHOTS", "")
_ORDERS = 40
_FOLLOW = """(number) => {
    window.sameDocument = true;
    window.changes = [];
    new MutationObserver(() => window.changes.push([number.textContent, Date.now()]))
        .observe(number, { characterData: true, childList: true, subtree: true });
}"""


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    _order(server, *range(_ORDERS))
    server.wait_in_lake("orders", _ORDERS)
    return server


@pytest.fixture
def executive(server: Server) -> Iterator[httpx.Client]:
    """A client of the person whose page it is, on a line that is not cut."""
    client = server.sign_in("executive")
    yield client
    client.close()


@pytest.fixture
def manager(server: Server) -> Iterator[httpx.Client]:
    client = server.sign_in("marketing_manager")
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
    found, deadline = None, time.monotonic() + 60
    while found != placed:
        assert time.monotonic() < deadline, f"the dashboard counts {found} lines, not {placed}"
        time.sleep(0.1)
        stages = client.get("/api/v1/operations/orders").raise_for_status().json()["stages"]
        found = next(stage["records"] for stage in stages if stage["name"] == "placed")


def _choose(page: Page, within: Locator, label: str, text: str) -> None:
    within.get_by_label(label, exact=True).fill(text)
    page.keyboard.press("Enter")


def _pick(page: Page, within: Locator, label: str, text: str) -> None:
    within.get_by_label(label, exact=True).click()
    page.locator(".ant-select-dropdown:not(.ant-select-dropdown-hidden)").get_by_title(text, exact=True).click()


def _add_tile(page: Page, title: str, kind: str, *, metric: str = "", query: str = "") -> None:
    page.get_by_role("button", name="Add a tile").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill(title)
    if query:
        _pick(page, dialog, "What it shows", "A saved query")
    _pick(page, dialog, "As", kind)
    if query:
        _choose(page, dialog, "Saved query", query)
    else:
        _choose(page, dialog, "Metric", metric)
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog).to_be_hidden()


def test_from_an_empty_page_to_an_alert_on_what_a_tile_shows(
    server: Server, manager: httpx.Client, browser: Browser
) -> None:
    body = {"name": "By country", "statement": "select country, count(*) as n from orders group by 1 order by 1"}
    manager.post("/api/v1/sql/saved", json=body).raise_for_status()
    complaints: list[str] = []
    page = open_page(browser, server.url, complaints, viewport={"width": 1440, "height": 1000})
    page.goto("/dashboards")
    type_password(page, server.email("marketing_manager"))
    page.get_by_role("button", name="New dashboard").first.click()
    page.get_by_role("dialog").get_by_label("Name").fill("Shop")
    page.get_by_role("button", name="Make it").click()

    _add_tile(page, "Placed", "Number", metric="Orders placed")
    _add_tile(page, "Countries", "Table", query="By country")
    laid = page.get_by_role("group", name=re.compile("^Countries,"))
    laid.focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(laid).to_have_accessible_name(re.compile("7 wide"))
    page.get_by_role("button", name="Save", exact=True).click()

    placed, countries = (page.get_by_role("region", name=name, exact=True) for name in ("Placed", "Countries"))
    expect(placed).to_contain_text("40")
    countries.get_by_role("button", name="Refresh").click()
    expect(countries.get_by_role("cell", name="GB")).to_be_visible()

    # The address holds the filter; the tile of the query has no such column and says so.
    page.get_by_label("Filter by").click()
    page.locator(".ant-select-dropdown:not(.ant-select-dropdown-hidden)").get_by_title("region", exact=True).click()
    page.get_by_label("Value of region").fill("GB")
    page.keyboard.press("Enter")
    expect(placed).to_contain_text("20")
    expect(page).to_have_url(re.compile("region%3AGB"))
    expect(countries).to_contain_text("not narrowed by region")

    # What a tile can do shows over a dashboard that fills the screen, too.
    page.get_by_role("button", name="What to do with this dashboard").click()
    page.get_by_role("menuitem", name=re.compile("^Present")).click()
    expect(page.get_by_role("button", name="Leave", exact=True)).to_be_visible()
    placed.get_by_role("button", name="What to do with Placed").click()
    page.get_by_role("menuitem", name=re.compile("Alert me about it")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("The line").fill("5")
    dialog.get_by_role("button", name="Watch it").click()
    expect(dialog).to_be_hidden()
    server.finer_here("job", "run", "look_at_metrics", "--tenant", server.tenant)
    page.goto("/metric-alerts")
    expect(page.get_by_text("Orders placed (GB) of the last 24 hours is 20")).to_be_visible()
    expect(page.get_by_text("Fires", exact=True)).to_be_visible()
    assert complaints == []


def test_a_number_follows_its_events_and_outlives_a_lost_connection(
    server: Server, executive: httpx.Client, browser: Browser
) -> None:
    complaints: list[str] = []
    with relaying(server.port) as line:
        page = open_page(browser, f"http://127.0.0.1:{line.port}", complaints, viewport={"width": 1440, "height": 900})
        page.goto("/orders")
        type_password(page, server.email("executive"))
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
