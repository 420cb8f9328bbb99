"""Plaid's webhooks (E02): genuine notices wake their source; forged, replayed and altered ones do nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar, Router
from litestar.di import Provide
from litestar.testing import TestClient

from finer.app.source_desk import SourceDesk
from finer.app.sources import Sources
from finer.kit.db import Database
from finer.sources.routes.listing import ROUTES
from finer.sources.service import due, manage
from finer.sources.types import Credentials, PlaidItem, PlaidSettings, Source, StripeSettings
from tests.sources.conftest import Desk, made_desk
from tests.support.identity import client_of, small_app
from tests.support.plaid import Bank, serving, transaction

CREDENTIALS = Credentials(
    user="client", secret="good-secret", items=[PlaidItem(customer_id="C1", access_token="access-1")]
)
NEWS = {"webhook_type": "TRANSACTIONS", "webhook_code": "SYNC_UPDATES_AVAILABLE", "item_id": "i1",
        "initial_update_complete": True, "historical_update_complete": False, "environment": "production"}  # fmt: skip


class Hook:
    """A source of Plaid, and whoever sends to its address."""

    def __init__(self, desk: Desk, bank: Bank, client: TestClient[Litestar], path: str, source: Source) -> None:
        self.desk, self.bank, self.client, self.path, self.source = desk, bank, client, path, source

    def send(self, notice: dict[str, Any] = NEWS, *, token: str | None = None, **options: Any) -> Any:
        """Send a notice as Plaid does."""
        body = msgspec.json.format(msgspec.json.encode(notice), indent=2)
        signature = self.bank.signed(body, **options) if token is None else token
        return self.client.post(self.path, content=body, headers={"Plaid-Verification": signature})

    def woken(self) -> bool:
        """Whether the source was told to read."""
        with self.desk.firm.tx() as tx:
            return any(one.woken_at is not None for one in due.list_due(tx) if one.id == self.source.id)


@pytest.fixture
def bank() -> Iterator[Bank]:
    with serving() as found:
        yield found


@pytest.fixture
def hook(bank: Bank, database: Database, database_url: str, data_path: Path, tmp_path: Path) -> Iterator[Hook]:
    desk = made_desk(database, database_url, data_path, tmp_path, bank.address.removeprefix("http://"))
    source_desk = SourceDesk(desk.database, desk.firm.settings, lambda: 0)
    desks = {"source_desk": Provide(lambda: source_desk, sync_to_thread=False)}
    app, _ = small_app(desk.database, desk.firm.settings, Router("/", route_handlers=ROUTES, dependencies=desks))
    source = desk.add(PlaidSettings(address=bank.address, every_s=3600), credentials=CREDENTIALS)
    with desk.firm.tx() as tx:
        path = f"/api/v1/webhooks/plaid/{manage.new_hook(tx, source.id)}"
    with client_of(app) as client:
        yield Hook(desk, bank, client, path, source)
    source_desk.close()


def test_news_wake_the_source_and_the_key_is_asked_for_once(hook: Hook) -> None:
    assert not hook.woken()
    for _ in range(3):
        answer = hook.send()
        assert (answer.status_code, answer.json()) == (200, {"outcome": "woken"})
    assert hook.woken()
    assert hook.bank.keys_asked == ["key-1"]


def test_a_notice_without_news_wakes_nobody(hook: Hook) -> None:
    assert hook.send({"webhook_type": "ITEM", "webhook_code": "PENDING_EXPIRATION"}).json() == {"outcome": "nothing"}
    assert not hook.woken()


def test_a_source_that_rests_for_an_hour_reads_what_is_told(hook: Hook) -> None:
    process = Sources(hook.desk.url, hook.desk.firm.settings)
    thread = threading.Thread(target=process.work, daemon=True)
    thread.start()
    try:
        _until(lambda: len(hook.bank.asked) == 1)
        hook.bank.add(transaction("t1", 12.34))
        assert hook.send().json() == {"outcome": "woken"}
        _until(lambda: hook.desk.now(hook.source).accepted == 1)
    finally:
        process.stop()
        thread.join(20)


def test_e02_a_notice_that_plaid_did_not_sign_wakes_nobody(hook: Hook, bank: Bank) -> None:
    body = msgspec.json.format(msgspec.json.encode(NEWS), indent=2)
    with serving() as stranger:
        forged = stranger.signed(body)
    genuine = bank.signed(body)
    header, claims, signature = genuine.split(".")
    for token in (
        forged, "", "a.b.c", "." * 5_000, f"{header}.{claims}.", f"{header}.{claims}.{signature[:-4]}AAAA",
        bank.signed(body, at=time.time() - 600), bank.signed(body, at=time.time() + 600),
        bank.signed(body + b" "), bank.signed(body, kid="../x"), "eyJhbGciOiJub25lIn0." + claims + ".",
    ):  # fmt: skip
        assert hook.send(token=token).status_code == 400
    for _ in range(5):
        assert hook.send(kid="unknown").status_code == 400
    assert hook.bank.keys_asked.count("unknown") == 1
    assert not hook.woken()


def test_e02_an_expired_key_and_another_address_are_refused(hook: Hook) -> None:
    hook.bank.expired = True
    assert hook.send().status_code == 400
    hook.path = "/api/v1/webhooks/plaid/nobody"
    assert hook.send().status_code == 404
    stripe = hook.desk.add(
        StripeSettings(api_version="2025-09-30.clover"), credentials=Credentials(secret="whsec_0123456789abcdefghij")
    )
    with hook.desk.firm.tx() as tx:
        hook.path = f"/api/v1/webhooks/plaid/{manage.new_hook(tx, stripe.id)}"
    assert hook.send().status_code == 404
    assert not hook.woken()


def test_a_paused_source_and_a_silent_plaid_are_told(hook: Hook) -> None:
    with hook.desk.firm.tx() as tx:
        manage.pause(tx, hook.source.id)
    assert hook.send().status_code == 409
    with hook.desk.firm.tx() as tx:
        manage.resume(tx, hook.source.id)
    token = hook.bank.signed(msgspec.json.format(msgspec.json.encode(NEWS), indent=2))
    silent = PlaidSettings(address="http://127.0.0.1:9", every_s=3600)
    with hook.desk.firm.tx() as tx:
        tx.connection.exec_driver_sql(
            "update sources_sources set settings = %s where id = %s",
            (msgspec.json.encode(silent).decode(), hook.source.id),
        )
    assert hook.send(token=token).status_code == 502


def _until(holds: Any) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "It did not happen in time."
        threading.Event().wait(0.05)
