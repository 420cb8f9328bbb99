"""Made-up records that tests send."""

from __future__ import annotations

import json
from typing import Any

GOOD: dict[str, Any] = {
    "event_id": "e0",
    "type": "purchase",
    "occurred_at": "2026-11-20T10:00:00.123Z",
    "customer_id": "c1",
    "account_id": "a1",
    "card_last4": "1234",
    "amount": 12.34,
    "currency": "USD",
    "merchant_name": "Corner Shop",
    "merchant_city": "Manila",
    "merchant_country": "PH",
    "mcc": "5411",
    "channel": "pos",
}


def line(**changes: Any) -> bytes:
    """One transaction as a line of NDJSON without its end; None takes a field away."""
    record = {key: value for key, value in (GOOD | changes).items() if value is not None}
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass")


def lines(count: int, start: int = 0) -> bytes:
    """Transactions e<start>, e<start + 1> ... as NDJSON."""
    return b"".join(line(event_id=f"e{start + i}") + b"\n" for i in range(count))
