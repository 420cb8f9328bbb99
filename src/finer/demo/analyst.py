"""A simulated analyst: looks at old alerts through the API and closes them, mostly right, as a person would."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from finer.demo.chance import key
from finer.demo.client import Api, Refused

DEFAULT_LIMIT = 1_500
DEFAULT_PER_SECOND = 40.0
_PAGE = 100
_PAGES_MAX = 50
_OLD = timedelta(days=1)
_LEFT_OPEN = 0.06
_FRAUD_MISSED, _HONEST_BLAMED = 0.03, 0.02
_SETTLED_EVENTS = 1_000

_NOTES = {
    "card_testing": "Tiny test payments before a large one. Card blocked and replaced.",
    "account_takeover": "Customer was at home and did not make these payments. Account locked, password reset.",
    "compromised_merchant": "Same merchant as many other cards this hour. Merchant reported to the acquirer.",
    "high_value_theft": "Customer reported the card stolen. Card blocked.",
    "structuring": "Round transfers just under the limit to one account. Passed on to the anti-money-laundering team.",
    "first_payee": "Customer was talked into the transfer by a caller. Recall of the money requested.",
    "night_burst": "Customer was asleep and had lost the card. Card blocked.",
    "honest": "Called the customer, who made the payment.",
}


class Worked(msgspec.Struct, frozen=True):
    """What the analyst did."""

    confirmed: int
    dismissed: int
    already_closed: int


def work(
    base_url: str,
    link_token: str,
    labels: Mapping[str, str],
    *,
    now: datetime,
    limit: int = DEFAULT_LIMIT,
    per_second: float = DEFAULT_PER_SECOND,
    seed: int = 0,
    stop: threading.Event | None = None,
) -> Worked:
    """Sign in by a link and close up to `limit` open alerts that are a day old at `now`. Raises Refused, Stopped."""
    stopped = stop or threading.Event()
    chance = random.Random(key(seed, "analyst"))  # noqa: S311 - a person's mood, not a secret
    counts = {"confirmed_fraud": 0, "dismissed": 0, "closed": 0}
    before = now - _OLD
    with Api(base_url, stop=stopped) as api:
        token = link_token.rpartition("token=")[2]
        api.request("POST", "/api/v1/session/link", json={"token": token})
        for alert in _old_alerts(api, before, limit):
            if chance.random() < _LEFT_OPEN:
                continue
            scenario = labels.get(alert["event_id"], "honest")
            wrong = chance.random() < (_HONEST_BLAMED if scenario == "honest" else _FRAUD_MISSED)
            verdict = "confirmed_fraud" if (scenario != "honest") != wrong else "dismissed"
            blamed = "night_burst" if scenario == "honest" else scenario
            note = _NOTES["honest" if verdict == "dismissed" else blamed]
            counts[verdict if _resolve(api, alert, verdict, note) else "closed"] += 1
            stopped.wait(1 / per_second)
    return Worked(counts["confirmed_fraud"], counts["dismissed"], counts["closed"])


def _old_alerts(api: Api, before: datetime, limit: int) -> list[dict[str, Any]]:
    """Open alerts of payments before a moment, the oldest first. All pages are read first, because closing shifts them.

    The API filters by the time an alert was raised, which for a history just loaded is now.
    """
    found: list[dict[str, Any]] = []
    wanted: dict[str, Any] = {"state": "open", "limit": _PAGE}
    for _ in range(_PAGES_MAX):
        page = api.get("/api/v1/alerts", **wanted)
        found += [alert for alert in page["items"] if datetime.fromisoformat(alert["occurred_at"]) < before]
        if page.get("next") is None:
            break
        wanted["before"] = page["next"]
    found.sort(key=lambda alert: str(alert["occurred_at"]))
    return found[:limit]


def _resolve(api: Api, alert: dict[str, Any], verdict: str, note: str) -> bool:
    """Close one alert; False when somebody else was quicker."""
    body = {"verdict": verdict, "note": note, "version": alert["version"]}
    headers = {"idempotency-key": f"demo-{alert['id']}-{alert['version']}"}
    try:
        api.request("POST", f"/api/v1/alerts/{alert['id']}/resolution", json=body, headers=headers)
    except Refused as refused:
        if refused.members.get("answered") != 409:
            raise
        return False
    return True


def wait_until_settled(api: Api, stop: threading.Event, within_s: float = 120.0) -> None:
    """Wait until the workers have decided nearly everything that was sent; not longer than `within_s`."""
    for _ in range(int(within_s)):
        if int(api.get("/api/v1/pipeline")["lag"]["events"]) < _SETTLED_EVENTS or stop.wait(1.0):
            return
