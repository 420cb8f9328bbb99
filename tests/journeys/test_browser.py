"""A risk analyst's first minutes in a real browser: sign in, see fraud arrive, judge it; then the pipeline page.

Nothing may be written to the console, in any look or size, and nothing may break the content security policy (W03).
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_page, type_password
from tests.support.identity import PASSWORD
from tests.support.server import Server

_ROLE = "risk_analyst"


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    server.sign_in(_ROLE).close()
    return server


def _sign_in(page: Page, server: Server) -> None:
    page.goto("/")
    type_password(page, server.email(_ROLE))
    expect(page.get_by_role("heading", name="Fraud monitor")).to_be_visible()


def _send(server: Server, *records: dict[str, Any]) -> None:
    body = "".join(json.dumps(record) + "\n" for record in records)
    answer = httpx.post(
        f"{server.url}/api/v1/events/transaction",
        content=body,
        headers={"Authorization": f"Bearer {server.api_key}", "Content-Type": "application/x-ndjson"},
    )
    assert answer.status_code == 202


def _payment(event_id: str, amount: float, merchant: str) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "occurred_at": (datetime.now(UTC) - timedelta(seconds=5)).isoformat(),
        "customer_id": f"c-{event_id}",
        "amount": amount,
        "currency": "USD",
        "merchant_name": merchant,
        "merchant_country": "PH",
        "channel": "web",
    }


def test_an_alert_arrives_while_the_page_is_open_and_is_judged(server: Server, browser: Browser) -> None:
    complaints: list[str] = []
    page = open_page(browser, server.url, complaints, viewport={"width": 1440, "height": 900})
    _sign_in(page, server)
    expect(page.get_by_text("Live", exact=True).first).to_be_visible()
    _send(server, _payment("live-1", 1234.5, "Bamboo Phones"))
    row = page.get_by_text("Bamboo Phones").first
    expect(row).to_be_visible()
    row.click()
    expect(page.get_by_text("above the limit of 800 USD").first).to_be_visible()
    verb = re.compile("confirm fraud", re.IGNORECASE)
    page.get_by_role("button", name=verb).first.click()
    page.get_by_role("dialog").get_by_role("button", name=verb).last.click()
    expect(page.get_by_text("1 alert confirmed as fraud.")).to_be_visible()
    with server.database() as database:
        judged = database.execute(
            "select resolved_by from decisions_alerts where event_id = 'live-1' and state = 'confirmed_fraud'"
        ).fetchone()
    assert judged == ("Risk Analyst",)
    page.context.close()
    assert complaints == []


def test_the_pipeline_page_shows_what_was_refused(server: Server, browser: Browser) -> None:
    complaints: list[str] = []
    page = open_page(browser, server.url, complaints, viewport={"width": 1440, "height": 900}, color_scheme="dark")
    _sign_in(page, server)
    page.get_by_role("link", name="Pipeline").first.click()
    expect(page.get_by_role("heading", name="Pipeline")).to_be_visible()
    _send(server, _payment("refused-1", -5, "Nowhere"))
    page.reload()
    expect(page.get_by_text("amount", exact=True).first).to_be_visible()
    page.context.close()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_the_pages_without_sideways_scrolling(server: Server, browser: Browser, scheme: str) -> None:
    complaints: list[str] = []
    page = open_page(browser, server.url, complaints, viewport={"width": 390, "height": 844}, color_scheme=scheme)
    _sign_in(page, server)
    for path in ("/fraud", "/pipeline"):
        page.goto(path)
        expect(page.get_by_role("heading").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.goto("/fraud")
    filters = page.get_by_role("search", name="Filter alerts")
    expect(filters).to_be_visible()
    assert filters.evaluate("element => element.scrollWidth <= element.clientWidth")
    page.context.close()
    assert complaints == []


def test_the_palette_shows_the_command_that_the_keys_have_come_to(server: Server, browser: Browser) -> None:
    complaints: list[str] = []
    page = open_page(browser, server.url, complaints, viewport={"width": 1440, "height": 900})
    _sign_in(page, server)
    page.keyboard.press("Control+k")
    expect(page.get_by_label("Command", exact=True)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("option", name="Sign out")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("option", name="Sign out")).to_be_in_viewport(ratio=1)
    page.context.close()
    assert complaints == []


def test_a_dialog_is_worked_by_keys_alone(server: Server, browser: Browser) -> None:
    """Focus goes in and stays in, Escape gives it back, Enter sends, and what is wrong is said and gets the focus."""
    complaints: list[str] = []
    page = open_page(browser, server.url, complaints, viewport={"width": 1440, "height": 900})
    _sign_in(page, server)
    page.goto("/lists")
    opener = page.get_by_role("button", name="New list")
    opener.focus()
    page.keyboard.press("Enter")
    dialog, name = page.get_by_role("dialog"), page.get_by_label("Name", exact=True)
    expect(name).to_be_focused()
    # Past the last field the keys reach the browser itself, whose page has then nothing in focus, and then the first.
    inside = "element => element.contains(document.activeElement) || document.activeElement === document.body"
    for key in ["Tab"] * 9 + ["Shift+Tab"] * 12:
        page.keyboard.press(key)
        assert dialog.evaluate(inside)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    expect(name).to_be_focused()
    page.keyboard.type("No name of a list")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert").first).to_contain_text("lower-case letters")
    expect(name).to_be_focused()
    name.fill("by_keys")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("by_keys").first).to_be_visible()
    page.context.close()
    assert complaints == []


def test_a_page_that_cannot_come_says_so_beside_the_navigation_and_comes_afterwards(
    server: Server, browser: Browser
) -> None:
    """The code of each page is fetched when it is opened; without a network the window must not be left empty."""
    page = open_page(browser, server.url, [], viewport={"width": 1440, "height": 900})
    _sign_in(page, server)
    page.context.set_offline(True)
    page.get_by_role("link", name="Models", exact=True).click()
    expect(page.get_by_text("Finer cannot be reached")).to_be_visible()
    expect(page.get_by_role("link", name="Fraud monitor")).to_be_visible()
    page.context.set_offline(False)  # nobody has to press Try again
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    page.context.close()


def test_w03_what_is_injected_into_a_page_does_not_run(server: Server, browser: Browser) -> None:
    """The policy stops it, not the app: the script is planted past React."""
    complaints: list[str] = []
    page = open_page(browser, server.url, complaints)
    _sign_in(page, server)
    planted = """async () => {
        window.ran = [];
        const element = document.createElement("div");
        document.body.append(element);
        try { element.innerHTML = "<img src=x onerror='window.ran.push(1)'>"; } catch (error) { window.refused = true; }
        const script = document.createElement("script");
        try { script.text = "window.ran.push(2)"; } catch { script.append("window.ran.push(2)"); }
        document.body.append(script);
        try { element.setAttribute("onclick", "window.ran.push(3)"); } catch {}
        element.click();
        // From a timer, because what the test itself evaluates is allowed to evaluate.
        const later = (resolve) => setTimeout(() => { try { eval("window.ran.push(4)"); } catch {} resolve(); });
        await new Promise(later);
        document.body.setAttribute("style", "display: none");
        return [window.ran, window.refused === true, getComputedStyle(document.body).display];
    }"""
    assert page.evaluate(planted) == [[], True, "block"]
    page.context.close()
    assert any("Content Security Policy" in said or "TrustedHTML" in said for said in complaints)


def test_who_is_not_signed_in_is_asked_to_and_comes_back(server: Server, browser: Browser) -> None:
    complaints: list[str] = []
    page = open_page(browser, server.url, complaints)
    page.goto("/pipeline")
    type_password(page, server.email(_ROLE), "wrong password, wrong password")
    expect(page.get_by_text("password is wrong")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Pipeline")).to_be_visible()
    page.context.close()
    # A browser itself logs the 401 of the wrong password.
    assert [said for said in complaints if "401" not in said] == []


def test_whoever_passes_by_a_page_whose_session_has_ended_learns_nothing_of_it(
    server: Server, browser: Browser
) -> None:
    page = open_page(browser, server.url, [])
    _sign_in(page, server)
    search = page.get_by_placeholder("Merchant or event id")
    search.type("half a sent")
    page.context.clear_cookies()
    page.get_by_text("Dismissed", exact=True).dispatch_event("click")  # it may be covered by now
    expect(page.get_by_role("dialog", name="Your session has ended")).to_be_visible()
    # By role only what a reader finds is found.
    expect(page.get_by_role("heading", name="Fraud monitor")).to_have_count(0)
    expect(search).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_have_count(1)
    page.context.close()
