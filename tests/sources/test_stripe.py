"""Stripe's webhooks (E02): forged, replayed, old and altered ones; genuine ones once; amounts of all currencies."""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar, Router
from litestar.di import Provide
from litestar.testing import TestClient

from finer.app.source_desk import SourceDesk
from finer.kit.db import Database
from finer.sources.errors import SignatureRefused
from finer.sources.routes.listing import ROUTES
from finer.sources.rules.stripe import StripeEvent, records_of, verify
from finer.sources.service import manage
from finer.sources.types import Credentials, Source, State, StripeSettings
from tests.sources.conftest import Desk
from tests.support.identity import client_of, small_app

SECRET, OLD = "whsec_0123456789abcdefghij", "whsec_jihgfedcba9876543210"
VERSION = "2025-09-30.clover"


class Hook:
    """A source of webhooks, and whoever sends to it."""

    def __init__(self, desk: Desk, client: TestClient[Litestar], path: str, source: Source) -> None:
        self.desk, self.client, self.path, self.source = desk, client, path, source

    def send(self, body: bytes, *, secret: str = SECRET, at: float | None = None, header: str | None = None) -> Any:
        """Send a body as Stripe does."""
        stamp = int(time.time() if at is None else at)
        signature = signed(body, secret, stamp) if header is None else header
        return self.client.post(self.path, content=body, headers={"Stripe-Signature": signature})

    @property
    def now(self) -> Source:
        """The source as it stands."""
        return self.desk.now(self.source)


def signed(body: bytes, secret: str, at: int) -> str:
    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.'.encode() + body, sha256).hexdigest()}"


def event(
    identifier: str = "evt_1", kind: str = "charge.succeeded", version: str = VERSION,
    before: dict[str, Any] | None = None, **thing: Any,
) -> bytes:  # fmt: skip
    """An event as Stripe sends it: refunds and disputes name their charge, and only charges and payments a customer."""
    family, _, act = kind.partition(".")
    payer: dict[str, Any] = {"captured": True, "customer": "cus_9"}
    payment = family in ("charge", "payment_intent") and not act.startswith("dispute.")
    whole = {"id": "it_1", "amount": 2000, "currency": "usd", **(payer if payment else {"charge": "ch_1"}), **thing}
    data = {"object": whole} | ({} if before is None else {"previous_attributes": before})
    document = {
        "id": identifier, "object": "event", "type": kind, "api_version": version, "created": 1_763_632_800,
        "data": data, "livemode": False, "pending_webhooks": 1,
    }  # fmt: skip
    return msgspec.json.encode(document)


@pytest.fixture
def hook(desk: Desk) -> Iterator[Hook]:
    source_desk = SourceDesk(desk.database, desk.firm.settings, lambda: 0)
    desks = {"source_desk": Provide(lambda: source_desk, sync_to_thread=False)}
    routes = Router("/", route_handlers=ROUTES, dependencies=desks)
    app, _ = small_app(desk.database, desk.firm.settings, routes)
    source = desk.add(StripeSettings(api_version=VERSION), credentials=Credentials(secret=SECRET, second_secret=OLD))
    with desk.firm.tx() as tx:
        path = f"/api/v1/webhooks/stripe/{manage.new_hook(tx, source.id)}"
    with client_of(app) as client:
        yield Hook(desk, client, path, source)
    source_desk.close()


def test_an_event_is_taken_once_however_often_it_is_sent(hook: Hook) -> None:
    body = event()
    assert hook.send(body).json() == {"outcome": "taken"}
    again = body.replace(b'"pending_webhooks":1', b'"pending_webhooks":0')
    for one in (body, again):
        answer = hook.send(one)
        assert (answer.status_code, answer.json()) == (200, {"outcome": "known"})
    [record] = hook.desk.logged()
    assert (record["event_id"], record["amount_minor"], record["customer_id"]) == ("evt_1", 2000, "cus_9")
    assert (record["type"], record["status"]) == ("purchase", "settled")
    now = hook.now
    assert (now.received, now.accepted, now.state) == (1, 1, State.RUNNING)
    assert [item.note for item in hook.desk.items(hook.source).values()] == ["charge.succeeded"]


def test_e02_the_same_event_sent_many_times_at_once_is_taken_once(hook: Hook) -> None:
    body, barrier = event("evt_storm"), threading.Barrier(6)

    def send() -> str:
        barrier.wait(10)
        return str(hook.send(body).json()["outcome"])

    with ThreadPoolExecutor(6) as pool:
        outcomes = [one.result() for one in [pool.submit(send) for _ in range(6)]]
    assert sorted(outcomes) == ["known"] * 5 + ["taken"]
    assert len(hook.desk.logged()) == 1


FORGERIES: list[Callable[[bytes, int], tuple[str, bytes]]] = [
    lambda body, now: ("", body),
    lambda body, now: (f"t={now}", body),
    lambda body, now: ("v1=" + "0" * 64, body),
    lambda body, now: (signed(body, "whsec_wrong_wrong_wrong_w", now), body),
    lambda body, now: (signed(body, "", now), body),
    lambda body, now: (signed(body, SECRET, now), body.replace(b"2000", b"9000")),
    lambda body, now: (signed(body, SECRET, now), body + b" "),
    lambda body, now: (signed(body, SECRET, now), msgspec.json.format(body, indent=1)),
    lambda body, now: (signed(body, SECRET, now).replace("v1=", "v0="), body),
    lambda body, now: (signed(body, SECRET, now).replace(f"t={now}", f"t={now + 1}"), body),
    lambda body, now: (f"t={now}," + signed(body, SECRET, now), body),
    lambda body, now: (f"t=-{now}" + signed(body, SECRET, now)[len(f"t={now}"):], body),
    lambda body, now: (signed(body, SECRET, now - 301), body),
    lambda body, now: (signed(body, SECRET, now + 302), body),
    lambda body, now: (signed(body, SECRET, 0), body),
    lambda body, now: (f"t={now},v1=" + "é" * 64, body),
    lambda body, now: (",".join([f"t={now}", *["v1=" + "0" * 64] * 8, signed(body, SECRET, now).split(",")[1]]), body),
]  # fmt: skip


def test_e02_forged_old_and_altered_events_are_refused(hook: Hook) -> None:
    for number, forge in enumerate(FORGERIES):
        header, body = forge(event("evt_forged"), int(time.time()))
        answer = hook.client.post(hook.path, content=body, headers={b"Stripe-Signature": header.encode("latin-1")})
        assert answer.status_code == 400, number
        assert answer.json()["type"] == "urn:finer:problem:signature-refused"
    assert hook.desk.logged() == []
    assert hook.now.received == 0


def test_e02_either_of_two_secrets_signs_while_they_are_changed(hook: Hook) -> None:
    assert hook.send(event("evt_a"), secret=SECRET).json() == {"outcome": "taken"}
    assert hook.send(event("evt_b"), secret=OLD).json() == {"outcome": "taken"}
    with hook.desk.firm.tx() as tx:
        source = manage.find(tx, hook.source.id)
        manage.change(
            tx, hook.desk.reach, source.id, name=source.name, contract=source.contract, mapping="",
            settings=source.settings, credentials=Credentials(secret=SECRET),
        )  # fmt: skip
    assert hook.send(event("evt_c"), secret=OLD).status_code == 400
    assert hook.send(event("evt_d"), secret=SECRET).json() == {"outcome": "taken"}


def test_e02_addresses_are_unguessable_and_end(hook: Hook) -> None:
    body = event("evt_x")
    assert len(hook.path.rsplit("/", 1)[1]) >= 43
    header = {"Stripe-Signature": signed(body, SECRET, int(time.time()))}
    for wrong in (hook.path[:-1], hook.path[:-1] + "_", "/api/v1/webhooks/stripe/x", "/api/v1/webhooks/stripe/%00"):
        answer = hook.client.post(wrong, content=body, headers=header)
        assert answer.status_code == 404
        assert answer.json()["type"] == "urn:finer:problem:hook-unknown"
    with hook.desk.firm.tx() as tx:
        token = manage.new_hook(tx, hook.source.id)
    assert hook.send(body).status_code == 404
    assert hook.client.post(f"/api/v1/webhooks/stripe/{token}", content=body, headers=header).status_code == 200


def test_an_event_of_another_api_version_is_refused_and_shown(hook: Hook) -> None:
    answer = hook.send(event("evt_v", version="2024-06-20"))
    assert answer.status_code == 400
    assert "pinned to 2025-09-30.clover" in answer.json()["detail"]
    now = hook.now
    assert now.state is State.FAILING
    assert "2024-06-20" in now.error
    assert hook.send(event("evt_w")).json() == {"outcome": "taken"}
    assert (hook.now.state, hook.now.error) == (State.RUNNING, "")


def test_a_paused_source_lets_stripe_send_again_later(hook: Hook) -> None:
    with hook.desk.firm.tx() as tx:
        manage.pause(tx, hook.source.id)
    assert hook.send(event("evt_p")).status_code == 409
    with hook.desk.firm.tx() as tx:
        manage.resume(tx, hook.source.id)
    assert hook.send(event("evt_p")).json() == {"outcome": "taken"}


def test_events_out_of_order_and_of_no_money_are_fine(hook: Hook) -> None:
    back: dict[str, Any] = {"amount_refunded": 500, "before": {"amount_refunded": 0, "refunded": False}}
    later, earlier = event("evt_2", "charge.refunded", **back), event("evt_1")
    for body in (later, earlier, event("evt_3", "customer.created"), event("evt_4", "payment_intent.succeeded")):
        assert hook.send(body).status_code == 200
    assert sorted((record["type"], record["amount_minor"]) for record in hook.desk.logged()) == [
        ("purchase", 2000), ("refund", 500),
    ]  # fmt: skip


def test_a_record_that_breaks_the_contract_is_kept_in_quarantine(hook: Hook) -> None:
    assert hook.send(event("evt_q", customer=None)).json() == {"outcome": "taken"}
    now = hook.now
    assert (now.received, now.quarantined) == (1, 1)


def test_a_refund_is_told_by_its_charge_which_names_the_customer(hook: Hook) -> None:
    for body in (
        event("evt_1"),
        event("evt_2", "refund.created", amount=500, status="succeeded"),
        event("evt_3", "charge.refunded", amount_refunded=500, before={"amount_refunded": 0}),
        event("evt_4", "refund.updated", amount=500, status="succeeded"),
        event("evt_5", "charge.refunded", amount_refunded=1200, before={"amount_refunded": 500}),
    ):
        assert hook.send(body).status_code == 200
    assert sorted((one["type"], one["amount_minor"], one["customer_id"]) for one in hook.desk.logged()) == [
        ("purchase", 2000, "cus_9"), ("refund", 500, "cus_9"), ("refund", 700, "cus_9"),
    ]  # fmt: skip
    assert hook.now.quarantined == 0


def test_what_names_no_customer_waits_in_quarantine_for_one(hook: Hook) -> None:
    assert hook.send(event("evt_d", "charge.dispute.funds_withdrawn")).json() == {"outcome": "taken"}
    assert hook.send(event("evt_f", "refund.failed", status="failed")).json() == {"outcome": "taken"}
    assert (hook.now.accepted, hook.now.quarantined) == (0, 2)


def test_bodies_that_are_no_events_or_too_large_are_refused(hook: Hook) -> None:
    for body in (
        b"",
        b"{",
        b"[]",
        b'{"id": 1}',
        b"[" * 5000,
        event("x" * 300),
        b'{"id":"e","type":"t","created":1,"data":{}}',
    ):
        assert hook.send(body).status_code == 400
    assert hook.send(b" " * (600 << 10)).status_code == 413


@given(
    minor=st.integers(1, 10**11),
    currency=st.sampled_from(["usd", "jpy", "krw", "vnd", "clp", "kwd", "bhd", "ugx", "mga", "eur", "php"]),
)
def test_amounts_are_exact_in_every_currency(minor: int, currency: str) -> None:
    places = {"jpy": 0, "krw": 0, "vnd": 0, "clp": 0, "mga": 0, "kwd": 3, "bhd": 3}.get(currency, 2)
    found = StripeEvent(
        id="evt", type="charge.succeeded", created=0,
        data={"object": {"amount": minor, "currency": currency, "captured": False}}, api_version=VERSION,
    )  # fmt: skip
    [record] = records_of(found, StripeSettings(api_version=VERSION))
    assert Decimal(record["amount"]) == Decimal(minor) / 10**places
    assert "E" not in record["amount"]


def _moves(*steps: tuple[str, dict[str, Any]], version: str = VERSION, payments: str = "charge") -> int:
    total = 0
    for number, (kind, thing) in enumerate(steps):
        found = msgspec.json.decode(event(f"evt_{number}", kind, **thing), type=StripeEvent)
        for record in records_of(found, StripeSettings(api_version=version, payments=payments)):
            if record["status"] != "declined":
                sign = -1 if record["type"] == "refund" else 1
                total += sign * int(Decimal(record["amount"]) * 100)
    return total


def test_the_records_of_a_charge_add_up_to_what_it_cost() -> None:
    held = ("charge.succeeded", {"captured": False})
    assert _moves(held) == 2000
    assert _moves(held, ("charge.captured", {"amount_captured": 2000})) == 2000
    assert _moves(held, ("charge.captured", {"amount_captured": 1500})) == 1500
    assert _moves(held, ("charge.expired", {})) == 0
    paid = ("charge.succeeded", {"captured": True})
    refunded = ("charge.refunded", {"amount_refunded": 700, "before": {"amount_refunded": 0}})
    again = ("charge.refunded", {"amount_refunded": 2000, "before": {"amount_refunded": 700}})
    assert _moves(paid, refunded, ("refund.updated", {"amount": 700, "status": "succeeded"})) == 1300
    assert _moves(paid, ("refund.created", {"amount": 700, "status": "pending"}), refunded) == 1300
    assert _moves(paid, again, refunded) == 0
    released = {"captured": False, "amount_refunded": 2000, "before": {"amount_refunded": 0}}
    assert _moves(held, ("charge.refunded", released)) == 0
    assert _moves(paid, refunded, ("refund.failed", {"amount": 700, "status": "failed"})) == 2000
    lost = ("charge.dispute.funds_withdrawn", {"amount": 2000})
    assert _moves(paid, ("charge.dispute.created", {"amount": 2000}), lost) == 0
    assert _moves(paid, lost, ("charge.dispute.funds_reinstated", {"amount": 2000})) == 2000
    assert _moves(("charge.failed", {}), ("payment_intent.payment_failed", {})) == 0


def test_an_old_version_tells_what_is_let_go_as_a_refund_and_it_counts_once() -> None:
    held = ("charge.succeeded", {"captured": False})
    rest = {"captured": True, "amount_captured": 1500, "amount_refunded": 500}
    told = ("charge.captured", rest), ("charge.refunded", rest | {"before": {"amount_refunded": 0}})
    assert _moves(held, *told, version="2024-06-20") == 1500
    let_go = {"captured": False, "amount_refunded": 2000, "before": {"amount_refunded": 0}}
    assert _moves(held, ("charge.expired", {}), ("charge.refunded", let_go), version="2025-02-24.acacia") == 0
    assert _moves(held, ("charge.expired", {}), version="2025-03-31.basil") == 0


def test_what_was_only_held_is_no_refund_where_payment_intents_stand_for_payments() -> None:
    held = ("charge.succeeded", {"captured": False})
    let_go = {"captured": False, "amount_captured": 0, "amount_refunded": 2000, "before": {"amount_refunded": 0}}
    part = {"captured": True, "amount_captured": 1500}
    paid = ("payment_intent.succeeded", {"amount_received": 1500})
    rest = ("charge.refunded", part | {"amount_refunded": 500, "before": {"amount_refunded": 0}})
    more = ("charge.refunded", part | {"amount_refunded": 700, "before": {"amount_refunded": 500}})
    for version in ("2024-06-20", VERSION):
        assert _moves(held, ("charge.refunded", let_go), version=version, payments="payment_intent") == 0
    old = {"version": "2024-06-20", "payments": "payment_intent"}
    assert _moves(held, ("charge.captured", part), rest, paid, **old) == 1500
    assert _moves(held, paid, rest, more, **old) == 1300
    # Since then what was let go is no refund, and all that is given back was paid.
    assert _moves(held, paid, rest, more, payments="payment_intent") == 800


@given(body=st.binary(max_size=200), header=st.text(max_size=200))
def test_e02_no_header_made_up_passes(body: bytes, header: str) -> None:
    with pytest.raises(SignatureRefused):
        verify(header, body, [SECRET], datetime.now(UTC), 300)


def test_e02_time_is_allowed_to_differ_a_little_both_ways() -> None:
    now = datetime.now(UTC)
    for seconds in (-299, 0, 299):
        at = int((now + timedelta(seconds=seconds)).timestamp())
        verify(signed(b"x", SECRET, at), b"x", [SECRET], now, 300)


def test_the_customer_can_come_from_the_metadata(database: Database) -> None:
    found = msgspec.json.decode(event(metadata={"cif": "C-77"}), type=StripeEvent)
    [record] = records_of(found, StripeSettings(api_version=VERSION, customer="metadata.cif"))
    assert record["customer_id"] == "C-77"
