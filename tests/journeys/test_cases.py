"""Analysts in a browser: an alert becomes a case, a block and a label; and a rule that stops the next thief."""

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
from tests.support.server import Server

_ROLE = "risk_analyst"
_SCRIPT = "<img src=x onerror=alert(1)>"
_WIDE = {"width": 1440, "height": 900}
_QUIET = 16
"""Thefts that raised no alert: eight cards, two days."""


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    server.sign_in(_ROLE).close()
    server.sign_in(_ROLE, second=True).close()
    return server


class Firm:
    """The systems of the firm: they send payments, ask for decisions, and hear of chargebacks."""

    def __init__(self, server: Server) -> None:
        self._client = httpx.Client(
            base_url=server.url, headers={"Authorization": f"Bearer {server.api_key}"}, timeout=60
        )

    def close(self) -> None:
        self._client.close()

    def send(self, *records: dict[str, Any]) -> None:
        body = "".join(json.dumps(record) + "\n" for record in records)
        headers = {"Content-Type": "application/x-ndjson"}
        assert self._client.post("/api/v1/events/transaction", content=body, headers=headers).status_code == 202

    def decide(self, record: dict[str, Any]) -> str:
        answer = self._client.post("/api/v1/decisions", json=record)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["action"])

    def charge_back(self, *records: dict[str, Any]) -> bool:
        """Whether the chargebacks are taken: a payment can be labelled some seconds after it was decided."""
        labels = [
            {
                "event_id": one["event_id"], "occurred_at": one["occurred_at"], "verdict": "confirmed_fraud",
                "source": "chargeback", "reason": "Code 10.4",
            }
            for one in records
        ]  # fmt: skip
        answer = self._client.post("/api/v1/labels", json={"labels": labels})
        assert answer.status_code in {200, 404}, answer.text
        return answer.status_code == 200


@pytest.fixture
def firm(server: Server) -> Iterator[Firm]:
    found = Firm(server)
    yield found
    found.close()


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


def _enter(browser: Browser, server: Server, complaints: list[str], email: str) -> Page:
    page = open_page(browser, server.url, complaints, viewport=_WIDE)
    page.goto("/")
    type_password(page, email)
    expect(page.get_by_role("heading", name="Fraud monitor")).to_be_visible()
    return page


def _by_keys_to_the_queue_a_drawer_and_back(page: Page) -> None:
    """Escape leads back to the row of a case, and from a drawer to the button that opened it; focus stays inside."""
    case, queue, drawer = (
        page.get_by_role("heading", name="Case #1"),
        page.get_by_role("grid"),
        page.get_by_role("dialog"),
    )
    expect(case).to_be_visible()
    page.keyboard.press("Escape")
    expect(queue).to_be_focused()
    opener = page.get_by_role("button", name="Analysts", exact=True)
    opener.focus()
    page.keyboard.press("Enter")
    expect(drawer).to_be_visible()
    inside = "element => element.contains(document.activeElement) || document.activeElement === document.body"
    for key in ("Tab", "Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab"):
        page.keyboard.press(key)
        assert drawer.evaluate(inside)
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(opener).to_be_focused()
    queue.focus()
    page.keyboard.press("Enter")
    expect(case).to_be_visible()


def test_an_alert_becomes_a_case_a_block_and_a_label(server: Server, browser: Browser, firm: Firm) -> None:
    complaints: list[str] = []
    page = _enter(browser, server, complaints, server.email(_ROLE))
    firm.send(_payment("c1-1", "customer-one", 1900), _payment("c1-2", "customer-one", 2100))
    firm.send(_payment("c2-1", "customer-two", 20))
    page.get_by_role("link", name="Cases").first.click()
    page.get_by_text("Urgent", exact=True).first.click()

    _by_keys_to_the_queue_a_drawer_and_back(page)
    expect(page.get_by_text("above the limit of 800 USD").first).to_be_visible()
    page.keyboard.press("t")
    expect(page.get_by_text("It is yours.")).to_be_visible()
    page.get_by_label("New note").fill(f"Called. {_SCRIPT}")
    page.get_by_role("button", name="Keep note").click()
    expect(page.get_by_text(_SCRIPT)).to_be_visible()
    film = {"name": "film.pdf", "mimeType": "application/pdf", "buffer": bytes(6 << 20)}
    page.get_by_label("File to keep").set_input_files(film)  # type: ignore[arg-type]
    expect(page.get_by_text("film.pdf has 6 MB, and a case keeps files of up to 5 MB.")).to_be_visible()

    def linked() -> bool:
        page.goto(re.sub(r"\?.*", "", page.url) + "?tab=links")
        page.get_by_text("Table", exact=True).or_(page.get_by_text("No links")).first.wait_for()
        return page.get_by_text("1 other linked").count() > 0

    server.wait_in_lake("transactions", 3)
    _until(page, linked)
    page.get_by_text("Table", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="Device")).to_have_count(2)

    page.get_by_role("button", name="Block, hold, release, call").click()
    _confirm(page, "Block the card", "It was not them.")
    expect(page.get_by_text("On the list blocked_cards.")).to_be_visible()

    def blocked() -> bool:
        event = f"next-{time.monotonic_ns()}"
        return firm.decide(_payment(event, "customer-one", 3)) == "block"

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
        query = (
            "select count(*) from decisions_judgements where verdict = 'confirmed_fraud' "
            "and tenant_id = (select id from identity_tenants where slug = %s)"
        )
        assert (database.execute(query, (server.tenant,)).fetchone() or (0,))[0] >= 2
    page.context.close()
    assert complaints == []


def _card_payment(number: int, at: datetime, customer: int, amount: float, *, stolen: bool) -> dict[str, Any]:
    """A payment by card; the thief has one device, and buys vouchers at one shop."""
    shop = "jade-vouchers" if stolen else f"shop-{number % 7}"
    return {
        "event_id": f"pay-{number}", "type": "purchase", "occurred_at": at.isoformat(), "amount": amount,
        "currency": "USD", "channel": "web" if stolen else "pos", "customer_id": f"customer-{customer}",
        "account_id": f"account-{customer}", "card_last4": "4242", "merchant_id": shop,
        "merchant_name": "Jade Vouchers" if stolen else f"Shop {number % 7}", "merchant_country": "PH",
        "device_id": "device-of-a-buyer" if stolen else f"phone-{customer}",
    }  # fmt: skip


def _see_alert_and_case(page: Page, server: Server, firm: Firm) -> None:
    """A theft that is large enough for an alert arrives while the page is open; its case shows why, and who else."""
    expect(page.get_by_text("Live", exact=True).first).to_be_visible()
    known = server.rows_in_lake("transactions")
    firm.send(_card_payment(900, datetime.now(UTC), 9, 950, stolen=True))
    page.get_by_text("Jade Vouchers").first.click()
    expect(page.get_by_text("above the limit of 800 USD").first).to_be_visible()
    page.get_by_role("link", name="Open the case of this alert").click()
    expect(page.get_by_role("heading", name=re.compile(r"^Case #\d+$"))).to_be_visible()
    expect(page.get_by_text("above the limit of 800 USD").first).to_be_visible()
    page.keyboard.press("t")
    expect(page.get_by_text("It is yours.")).to_be_visible()

    def linked() -> bool:
        page.goto(re.sub(r"\?.*", "", page.url) + "?tab=links")
        page.get_by_text("over 90 days").or_(page.get_by_text("No links")).first.wait_for()
        return page.get_by_text("8 others linked").count() > 0

    server.wait_in_lake("transactions", known + 1)
    _until(page, linked)


def _write_rule(page: Page) -> None:
    """The condition is written with what the editor completes, and read back in words."""
    page.get_by_role("link", name="Rules", exact=True).click()
    page.get_by_role("button", name="New rule").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill("Vouchers on a stranger's device")
    dialog.get_by_label("Name").fill("stolen_vouchers")
    dialog.get_by_role("button", name="Begin a draft").click()
    editor = page.get_by_role("textbox", name="Condition")
    editor.click()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("merchant_i")
    page.get_by_role("option", name=re.compile("^merchant_id")).click()
    page.keyboard.type(" = 'jade-vouchers' and amount_usd > 'much'")
    expect(page.get_by_role("alert").filter(has_text="Line 1")).to_be_visible()
    for _ in range(len("'much'")):
        page.keyboard.press("Backspace")
    page.keyboard.type("100")
    expect(page.get_by_text(re.compile("^Holds when .*jade-vouchers"))).to_be_visible()
    page.get_by_label("Asks for").click()
    page.get_by_role("option", name="Block", exact=True).or_(page.get_by_title("Block", exact=True)).last.click()
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()


def _price(page: Page) -> None:
    """What the rule would have caught: all of the quiet thefts and the loud one, and nothing else that is known."""
    price = page.get_by_role("region", name="Price")
    price.get_by_role("button", name="Price it").click()
    expect(price.get_by_role("button", name="Price again")).to_be_visible()
    expect(price.get_by_text(f"{_QUIET + 1} of")).to_be_visible()
    expect(price.get_by_text(re.compile("^100.*%")).first).to_be_visible()


def test_a_rule_is_written_priced_tried_and_approved_in_the_browser(
    server: Server, browser: Browser, firm: Firm
) -> None:
    complaints: list[str] = []
    now = datetime.now(UTC)
    honest = [
        _card_payment(number, now - timedelta(hours=60 - number // 4), number % 40 + 20, 12 + number % 30, stolen=False)
        for number in range(200)
    ]
    quiet = [
        _card_payment(500 + n, now - timedelta(hours=40 - n // 8 * 24, minutes=-n % 8), n % 8, 150 + n, stolen=True)
        for n in range(_QUIET)
    ]
    firm.send(*sorted(honest + quiet, key=lambda one: str(one["occurred_at"])))
    ana = _enter(browser, server, complaints, server.email(_ROLE))
    budi = _enter(browser, server, complaints, server.email(_ROLE, second=True))
    labels = server.rows_in_lake("labels")
    _until(ana, lambda: firm.charge_back(*quiet))

    _see_alert_and_case(ana, server, firm)
    _write_rule(ana)
    server.wait_in_lake("labels", labels + _QUIET)
    _price(ana)

    ana.get_by_role("button", name="Try in shadow …").click()
    ana.get_by_role("button", name="Try it", exact=True).click()
    ana.get_by_role("button", name="Propose to go live …").click()
    assert firm.decide(_card_payment(901, datetime.now(UTC), 10, 160, stolen=True)) != "block"
    dialog = ana.get_by_role("dialog")
    dialog.get_by_label("Why").fill("It stops the thief.")
    dialog.get_by_role("button", name="Propose it").click()
    expect(ana.get_by_role("button", name="Withdraw")).to_be_visible()
    assert ana.get_by_role("button", name="Approve", exact=True).count() == 0

    budi.get_by_role("link", name="Approvals").first.click()
    expect(budi.get_by_text("stolen_vouchers").first).to_be_visible()
    budi.get_by_label("Why").fill("I read it.")
    budi.get_by_role("button", name="Approve", exact=True).click()
    expect(budi.get_by_text("Approved and done.")).to_be_visible()

    numbers = iter(range(1_000, 2_000))
    _until(ana, lambda: firm.decide(_card_payment(next(numbers), datetime.now(UTC), 11, 160, stolen=True)) == "block")
    ana.goto("/rules/stolen_vouchers")
    expect(ana.get_by_text("Live", exact=True).first).to_be_visible()
    for page in (ana, budi):
        page.context.close()
    assert complaints == []
