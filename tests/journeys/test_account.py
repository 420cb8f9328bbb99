"""Somebody makes their account safe in a real browser: passkey, authenticator app, sessions, another password.

The browser has an authenticator made of software (Chrome DevTools Protocol, WebAuthn domain).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from finer.kit.ids import new_id, show_id
from tests.support.browser import PATIENCE_MS, open_page, type_password
from tests.support.identity import PASSWORD
from tests.support.server import Server

_ROLE = "risk_analyst"
_REFUSALS = re.compile("the server responded with a status of (401|403|422)")
"""What a browser writes by itself when it was refused, which this story asks for."""


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    server.sign_in(_ROLE).close()
    return server


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(browser: Browser, server: Server, complaints: list[str]) -> Iterator[Page]:
    # Browsers make passkeys for host names only, so this story is told at localhost.
    found = open_page(browser, f"http://localhost:{server.port}", complaints)
    devtools = found.context.new_cdp_session(found)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield found
    found.context.close()


def _sign_in(page: Page, server: Server) -> None:
    page.goto("/sign-in")
    type_password(page, server.email(_ROLE))


def _open_account(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Account of")).click()
    page.get_by_role("button", name="Account security").click()
    expect(page.get_by_role("heading", name="Account security")).to_be_visible()


def _sign_out(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Account of")).click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def _code(secret: str) -> str:
    return pyotp.TOTP(secret).at(datetime.now(UTC))


@pytest.mark.journey
def test_an_account_is_made_safe(server: Server, page: Page, complaints: list[str]) -> None:
    _sign_in(page, server)
    _open_account(page)
    page.get_by_role("button", name="Add a passkey").click()
    codes = page.get_by_role("list", name="Recovery codes")
    expect(codes.get_by_role("listitem")).to_have_count(10)
    kept = codes.get_by_role("listitem").all_inner_texts()
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_text("not used yet")).to_be_visible()

    page.get_by_role("button", name="Set up an app").click()
    secret = page.locator(".account-key").inner_text().replace(" ", "")
    expect(page.locator(".account-qr svg")).to_be_visible()
    page.get_by_role("textbox", name="Code", exact=True).fill(_code(secret))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("From now on the app is asked for")).to_be_visible()

    _sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Fraud monitor")).to_be_visible()

    _sign_out(page)
    _sign_in(page, server)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    page.get_by_label("Code of your app").fill("000000")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("does not fit")
    page.get_by_label("Code of your app").fill(kept[0])
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Fraud monitor")).to_be_visible()

    _open_account(page)
    expect(page.get_by_text("9 left")).to_be_visible()
    _make_old(server, page)
    page.reload()
    page.get_by_role("button", name=re.compile("^Remove .* on ")).click()
    page.get_by_role("tooltip").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("dialog", name="Confirm that it is you")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("The passkey opens your account no more.")).to_be_visible()

    new = "seven quiet otters paint"
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_label("New password").fill(new)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("The password is changed.")).to_be_visible()
    assert [one for one in complaints if not _REFUSALS.search(one)] == []


def _make_old(server: Server, page: Page) -> None:
    """The last proof of everybody was an hour ago, and the API has noticed: it believes a session for a second."""
    with server.database() as connection:
        connection.execute("update identity_sessions set auth_at = auth_at - interval '1 hour'")
    headers = {"X-Requested-With": "finer", "Origin": f"http://localhost:{server.port}"}
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while page.request.delete(f"/api/v1/account/passkeys/{show_id('pky', new_id())}", headers=headers).status != 403:
        assert time.monotonic() < deadline, "An old proof of identity still opens what wants a fresh one."
