"""A product manager asks the lake in a browser: from a question to a chart, a saved query, and an alert in the bell."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_page, type_password
from tests.support.server import Server

_ROLE = "marketing_manager"
_SHOTS = os.environ.get("FINER_TEST_SHOTS", "")


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    server.sign_in(_ROLE).close()
    _send_orders(server)
    return server


def _send_orders(server: Server) -> None:
    at = datetime.now(UTC) - timedelta(days=3)
    orders: list[dict[str, Any]] = [
        {
            "event_id": f"order-{n}", "order_id": f"o{n}", "occurred_at": (at + timedelta(hours=n)).isoformat(),
            "customer_id": f"customer-{n % 5}", "product_id": f"p{n % 3}", "quantity": 1 + n % 4,
            "unit_price": 10 + n, "amount": (10 + n) * (1 + n % 4), "currency": "USD",
            "country": ["GB", "PH", "SG"][n % 3],
        }
        for n in range(60)
    ]  # fmt: skip
    body = "".join(json.dumps(one) + "\n" for one in orders)
    answer = httpx.post(
        f"{server.url}/api/v1/events/order",
        content=body,
        headers={"Authorization": f"Bearer {server.api_key}", "Content-Type": "application/x-ndjson"},
    )
    assert answer.status_code == 202, answer.text
    server.wait_in_lake("orders")


def _open(browser: Browser, server: Server, complaints: list[str], **look: Any) -> Page:
    page = open_page(browser, server.url, complaints, **look)
    page.goto("/sql")
    type_password(page, server.email(_ROLE))
    expect(page.get_by_role("heading", name="SQL", exact=True)).to_be_visible()
    return page


def _shot(page: Page, name: str) -> None:
    if _SHOTS:
        page.wait_for_timeout(600)
        page.screenshot(path=str(Path(_SHOTS) / f"{name}.png"))


def _write(page: Page, statement: str) -> None:
    editor = page.get_by_role("textbox", name="SQL statement")
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(statement)


def test_from_a_question_to_a_chart_to_an_alert(server: Server, browser: Browser) -> None:
    complaints: list[str] = []
    page = _open(browser, server, complaints, viewport={"width": 1440, "height": 900}, color_scheme="light")
    expect(page.get_by_text("orders", exact=True).first).to_be_visible()
    _shot(page, "empty-light")

    # What is wrong is told, with its place.
    _write(page, "select contry, count(*) as n from orders group by 1")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("contry")
    expect(page.locator(".cm-lintRange-error")).to_have_text("contry")
    _shot(page, "error-light")

    _write(page, "select country, count(*) as n, sum(amount_minor) as sold from orders "
                 "where occurred_at >= :since group by 1 order by 1")  # fmt: skip
    page.get_by_label("since", exact=True).fill((datetime.now(UTC) - timedelta(days=30)).date().isoformat())
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("3 rows", exact=True)).to_be_visible()
    expect(page.get_by_role("gridcell", name="SG")).to_be_visible()
    _shot(page, "table-light")

    page.get_by_role("button", name="Chart", exact=True).click()
    expect(page.get_by_role("img", name=re.compile("bar chart of n over country"))).to_be_visible()
    _shot(page, "chart-light")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_text("Makes one row for each")).to_be_visible()
    _shot(page, "explain-light")
    page.get_by_role("button", name="Close", exact=True).last.click()

    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_label("Name", exact=True).fill("Orders by country")
    page.get_by_role("radio", name="The firm").check()
    _shot(page, "save-light")
    page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The query is saved.")).to_be_visible()

    page.get_by_role("tab", name="Saved queries", exact=True).click()
    expect(page.get_by_role("button", name="Orders by country", exact=True)).to_be_visible()
    _shot(page, "saved-light")
    page.get_by_role("button", name="Schedule", exact=True).click()
    page.get_by_role("checkbox", name="Warn me about its result").check()
    page.get_by_label("Condition").fill("n > 10 and country = 'PH'")
    _shot(page, "schedule-light")
    page.get_by_role("dialog").get_by_role("button", name="Schedule", exact=True).click()
    expect(page.get_by_text("The schedule is set.")).to_be_visible()

    page.get_by_role("tab", name="Schedules", exact=True).click()
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_text("Firing", exact=True)).to_be_visible(timeout=60_000)
    expect(page.get_by_text(re.compile(r"1 of 3 rows meet"))).to_be_visible()
    _shot(page, "schedules-light")
    page.get_by_role("button", name="Latest result").click()
    expect(page.get_by_role("gridcell", name="SG")).to_be_visible()
    page.get_by_role("tab", name="History", exact=True).click()
    expect(page.get_by_text("by schedule", exact=False).first).to_be_visible()
    _shot(page, "history-light")
    page.context.close()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_the_workspace_without_sideways_scrolling(server: Server, browser: Browser, scheme: str) -> None:
    complaints: list[str] = []
    page = _open(browser, server, complaints, viewport={"width": 390, "height": 844}, color_scheme=scheme)
    _write(page, "select * from orders")
    page.keyboard.press("Control+Enter")
    result = page.get_by_role("region", name="Result", exact=True)  # the list of completions tells rows, too
    expect(result.get_by_text("60 rows", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    _shot(page, f"phone-{scheme}")
    if scheme == "dark":
        page.set_viewport_size({"width": 1440, "height": 900})
        page.get_by_role("button", name="Chart", exact=True).click()
        _shot(page, "chart-dark")
    page.context.close()
    assert complaints == []
