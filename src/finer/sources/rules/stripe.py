"""Stripe's webhooks: whether one is genuine, and what its event says of money.

Every record is one movement of money and nothing is told twice: what customers pay is a purchase, what goes back is a
refund, so the sum over the records of a charge is what it cost in the end. A step that moves nothing (a capture of the
whole amount, a refund that succeeds after it was made) brings no record. docs/how-to/sources.md has the table.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec

from finer.sources.errors import SignatureRefused, SourceMisconfigured, VersionRefused
from finer.sources.types import StripeSettings

_SIGNATURES_MAX = 8
# How Stripe writes amounts; the Ugandan shilling has no cents, but is written as if it had.
_ZERO_DECIMALS = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
_THREE_DECIMALS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])

_Moved = tuple[str, str, Any]  # type, status and amount of a record, the amount in minor units
_Move = Callable[[dict[str, Any], dict[str, Any], StripeSettings], _Moved | None]
"""What an event moves, from its object and the previous values of what changed in it; None for nothing."""


class StripeEvent(msgspec.Struct, frozen=True):
    """The envelope of an event."""

    id: str
    type: str
    created: int
    data: dict[str, Any]
    api_version: str | None = None


def verify(header: str, body: bytes, secrets: Sequence[str], now: datetime, tolerance_s: int) -> None:
    """Raises SignatureRefused unless one of the secrets signed exactly these bytes, not long before or after now."""
    at, signatures = _parts(header)
    if abs(now.timestamp() - int(at)) > tolerance_s:
        raise SignatureRefused(
            f"The event was signed more than {tolerance_s} s before or after now. Is it a replay, or is a clock wrong?"
        )
    good = [hmac.new(secret.encode(), at.encode() + b"." + body, sha256).hexdigest() for secret in secrets]
    # Every pair is compared, so that the time it takes tells nothing of which one fitted.
    if not any([hmac.compare_digest(one, signature) for one in good for signature in signatures]):  # noqa: C419
        raise SignatureRefused("No signing secret of this source made this signature over this body.")


def _parts(header: str) -> tuple[str, list[str]]:
    """The time, as digits, and the signatures of a header. Raises SignatureRefused."""
    pairs = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    signatures = [value for name, _, value in pairs if name == "v1" and value.isascii()][:_SIGNATURES_MAX]
    if len(times) != 1 or not signatures or not (times[0].isascii() and times[0].isdigit() and len(times[0]) <= 12):
        raise SignatureRefused("The header Stripe-Signature is missing, or has no time t and signature v1.")
    return times[0], signatures


def read_event(body: bytes, settings: StripeSettings) -> StripeEvent:
    """The event in a genuine body. Raises SignatureRefused for what is none, VersionRefused for another version."""
    try:
        event = msgspec.json.decode(body, type=StripeEvent)
    except (msgspec.DecodeError, RecursionError) as error:
        raise SignatureRefused(f"The body is no event of Stripe: {error}.") from error
    if not 0 < len(event.id) <= 255 or not isinstance(event.data.get("object"), dict):
        raise SignatureRefused("The body is no event of Stripe: it has no id, or no data.object.")
    if event.api_version != settings.api_version:
        raise VersionRefused(
            f"The event has API version {str(event.api_version)[:40]}, and this source is pinned to "
            f"{settings.api_version}. Pin the webhook endpoint at Stripe to that version, or change the source."
        )
    return event


def records_of(event: StripeEvent, settings: StripeSettings) -> list[dict[str, Any]]:
    """The movements of money that an event tells of, as records of the contract `transaction`: none or one."""
    move = _moves(settings).get(event.type)
    if move is None:
        return []
    thing, before = event.data["object"], event.data.get("previous_attributes")
    found = move(thing, before if isinstance(before, dict) else {}, settings)
    if found is None:
        return []
    kind, status, minor = found
    currency = str(thing.get("currency", "")).upper()
    record = {
        "event_id": event.id[:64],
        "type": kind,
        "status": status,
        "occurred_at": datetime.fromtimestamp(event.created, UTC).isoformat(),
        "customer_id": customer_of(thing, settings.customer),
        "account_id": _text(thing.get("customer")),
        "amount": _major(minor, currency),
        "currency": currency,
        "channel": "web",
        **_card(thing),
    }
    return [{name: value for name, value in record.items() if value is not None}]


def check_customer(path: str) -> str:
    """Where the customer is. Raises SourceMisconfigured."""
    if path != "customer" and not (path.startswith("metadata.") and len(path) > 9):
        raise SourceMisconfigured(f"{path[:80]!r} is no place of a customer: it is customer, or metadata.<key>.")
    return path


def customer_of(thing: dict[str, Any], path: str) -> str | None:
    """The firm's own number of the customer, where the settings say it is."""
    if path == "customer":
        return _text(thing.get("customer"))
    metadata = thing.get("metadata")
    return _text(metadata.get(path.removeprefix("metadata."))) if isinstance(metadata, dict) else None


def _major(minor: Any, currency: str) -> str | None:
    if isinstance(minor, bool) or not isinstance(minor, int):
        return None
    places = 0 if currency in _ZERO_DECIMALS else 3 if currency in _THREE_DECIMALS else 2
    value = Decimal(minor).scaleb(-places)
    return format(value.to_integral_value() if value == value.to_integral_value() else value, "f")


def _text(value: Any) -> str | None:
    if isinstance(value, dict):
        value = value.get("id")  # An expanded object.
    return value if isinstance(value, str) and value else None


def _card(thing: dict[str, Any]) -> dict[str, Any]:
    details = thing.get("payment_method_details")
    card = details.get("card") if isinstance(details, dict) else None
    last4 = card.get("last4") if isinstance(card, dict) else None
    return {"card_last4": _text(last4), "merchant_name": _text(thing.get("calculated_statement_descriptor"))}


def _charged(charge: dict[str, Any], *_: Any) -> _Moved:
    return "purchase", "settled" if charge.get("captured") else "authorized", charge.get("amount")


def _captured(charge: dict[str, Any], *_: Any) -> _Moved | None:
    """What was held and not captured goes back; a capture of the whole moves nothing new."""
    whole, taken = charge.get("amount"), charge.get("amount_captured")
    if isinstance(whole, int) and isinstance(taken, int) and whole > taken:
        return "refund", "reversed", whole - taken
    return None


def _refunded(charge: dict[str, Any], before: dict[str, Any], settings: StripeSettings) -> _Moved | None:
    """A charge adds its refunds up: this one is what the sum has more than before. Only the charge names a customer."""
    now, then = charge.get("amount_refunded"), before.get("amount_refunded")
    more = None
    if isinstance(now, int) and isinstance(then, int):
        unpaid = _never_paid(charge, settings)
        more = max(now - unpaid, 0) - max(then - unpaid, 0)
    return None if more == 0 else ("refund", "settled" if charge.get("captured") else "reversed", more)


def _never_paid(charge: dict[str, Any], settings: StripeSettings) -> int:
    """How much of the refunds of a charge was held and never paid, where payment intents tell only what was paid."""
    taken = charge.get("amount_captured") if charge.get("captured") else 0
    whole = charge.get("amount")
    if settings.payments == "charge" or not isinstance(whole, int) or not isinstance(taken, int):
        return 0
    return whole - taken if taken == 0 or _refunds_what_was_held(settings) else 0


def _refunds_what_was_held(settings: StripeSettings) -> bool:
    """Whether Stripe makes a refund of what was held and not captured, so that `charge.refunded` tells it.

    Source: Stripe's changelog of 2025-03-31.basil, "Partially capturing or canceling payments no longer creates a
    Refund".
    """
    return settings.api_version < "2025-03-31"


def _moves(settings: StripeSettings) -> Mapping[str, _Move]:
    """Which event moves what, by what stands for payments and by the version."""
    if settings.payments == "payment_intent":
        return _BY_INTENT
    return _BY_CHARGE if _refunds_what_was_held(settings) else _BY_CHARGE_AND_RELEASE


# Whatever a payment is told by, its money goes back by its charge.
_BACK: dict[str, _Move] = {
    "charge.refunded": _refunded,
    "charge.dispute.funds_withdrawn": lambda dispute, *_: ("refund", "reversed", dispute.get("amount")),
    "charge.dispute.funds_reinstated": lambda dispute, *_: ("purchase", "settled", dispute.get("amount")),
    "refund.failed": lambda refund, *_: ("purchase", "settled", refund.get("amount")),
}
_BY_INTENT: dict[str, _Move] = _BACK | {
    "payment_intent.succeeded": lambda intent, *_: ("purchase", "settled", intent.get("amount_received")),
    "payment_intent.payment_failed": lambda intent, *_: ("purchase", "declined", intent.get("amount")),
}
_BY_CHARGE: dict[str, _Move] = _BACK | {
    "charge.succeeded": _charged,
    "charge.failed": lambda charge, *_: ("purchase", "declined", charge.get("amount")),
}
_BY_CHARGE_AND_RELEASE: dict[str, _Move] = _BY_CHARGE | {
    "charge.captured": _captured,
    "charge.expired": lambda charge, *_: ("refund", "reversed", charge.get("amount")),
}
