"""Pages in a real browser, which write down whatever they complain of."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.identity import PASSWORD

PATIENCE_MS = 60_000
_QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic", "--no-first-run",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
_TELL_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) => console.error(
    `the content security policy was broken: ${event.violatedDirective} by ${event.blockedURI} ${event.sample}`))"""


@contextmanager
def browsing() -> Iterator[Browser]:
    """The browser that FINER_TEST_BROWSER names, or the first one of this machine."""
    path = os.environ.get("FINER_TEST_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=list(_QUIET))
        yield found
        found.close()


def open_page(browser: Browser, url: str, complaints: list[str], **look: Any) -> Page:
    """An empty page in a context of its own; errors, warnings and broken policies are added to `complaints`.

    It asks for less motion: what grows under a click on a busy machine may not be there any more when the button of
    the mouse is let go.
    """
    context = browser.new_context(base_url=url, **{"reduced_motion": "reduce"} | look)
    context.add_init_script(_TELL_VIOLATIONS)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


def type_password(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fill in and send the form of signing in, which must be open."""
    page.get_by_label(re.compile("e-?mail", re.IGNORECASE)).fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
