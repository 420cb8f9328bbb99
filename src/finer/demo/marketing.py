"""A simulated marketing manager: keeps a few segments of the bank's customers, through the API as a person would."""

from __future__ import annotations

import threading

from finer.demo.client import Api

_SEGMENTS = (
    (
        "Young people in Cebu", "For the account that has no fee.",
        "city = 'Cebu City' and age between 18 and 30",
    ),
    (
        "Affluent in Metro Manila", "Whom a branch can invite in person.",
        "market_segment = 'affluent' and state_code = 'Metro Manila'",
    ),
    (
        "Retired, ten years with us", "Hear first of changes to savings accounts.",
        "employment_status = 'retired' and customer_since < today - interval '3650 days'",
    ),
)  # fmt: skip


def work(base_url: str, link_token: str, stop: threading.Event | None = None) -> int:
    """Sign in by a link and make the segments; returns how many. Raises Refused, Unavailable, Stopped."""
    with Api(base_url, stop=stop) as api:
        api.request("POST", "/api/v1/session/link", json={"token": link_token.rpartition("token=")[2]})
        for name, description, condition in _SEGMENTS:
            body = {"name": name, "description": description, "condition": condition}
            headers = {"idempotency-key": f"demo-segment-{name.lower().replace(' ', '-')}"}
            api.request("POST", "/api/v1/segments", json=body, headers=headers)
    return len(_SEGMENTS)
