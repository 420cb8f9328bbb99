"""Finer's public API as the world uses it: patient with a busy or absent server, and telling nothing twice."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from typing import Any, Self

import httpx

from finer.kit.errors import FinerError, Unavailable

_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_BACKOFF_S, _BACKOFF_MAX_S, _RETRY_AFTER_MAX_S = 0.1, 3.0, 30.0
_COME_BACK = frozenset({408, 425, 429, 500, 502, 503, 504})


class Stopped(Exception):
    """Somebody asked the world to stop; nothing is wrong."""


class Refused(FinerError):
    """Finer answered that it will not take this, now or later."""

    status = 502
    slug = "demo-refused"
    title = "The simulated world was refused"


class Api:
    """One connection to Finer. Requests are repeated until they are answered, the patience ends, or `stop` is set.

    A body carries an Idempotency-Key made from its content, so that repeating it after a lost answer changes nothing.
    """

    def __init__(
        self, base_url: str, api_key: str | None = None, stop: threading.Event | None = None, patience_s: float = 120.0
    ) -> None:
        headers = {"user-agent": "finer-demo", "x-requested-with": "finer"}
        if api_key is not None:
            headers["authorization"] = f"Bearer {api_key}"
        self._client = httpx.Client(base_url=base_url.rstrip("/"), headers=headers, timeout=_TIMEOUT, trust_env=False)
        self._stop = stop or threading.Event()
        self._patience_s = patience_s
        self.repeated = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def send(self, contract: str, data: bytes) -> dict[str, Any]:
        """Send NDJSON records of a contract; returns the receipt. Raises Refused, Unavailable, Stopped."""
        headers = {
            "content-type": "application/x-ndjson",
            "idempotency-key": f"demo-{hashlib.blake2b(data, digest_size=20).hexdigest()}",
        }
        return self.request("POST", f"/api/v1/events/{contract}", content=data, headers=headers)

    def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        """GET a JSON document. Raises Refused, Unavailable, Stopped."""
        return self.request("GET", path, params=parameters)

    def request(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        """One request, repeated while the server is busy or gone. Raises Refused, Unavailable, Stopped."""
        gives_up = time.monotonic() + self._patience_s
        attempt = 0
        while True:
            if self._stop.is_set():
                raise Stopped
            answer: httpx.Response | None = None
            try:
                answer = self._client.request(method, path, **arguments)
                if answer.status_code < 400:
                    document: dict[str, Any] = answer.json() if answer.content else {}
                    return document
                problem = f"{answer.status_code} {_detail(answer)}"
            except httpx.TransportError as error:
                problem = f"{type(error).__name__}: {error}"
            if answer is not None and answer.status_code not in _COME_BACK:
                raise Refused(f"{method} {path} was answered with {problem}", answered=answer.status_code)
            if time.monotonic() > gives_up:
                raise Unavailable(f"{method} {path} did not succeed within {self._patience_s:g} s: {problem}")
            attempt += 1
            self.repeated += 1
            self._stop.wait(_pause(answer, attempt))


def _detail(answer: httpx.Response) -> str:
    try:
        document = answer.json()
        return str(document.get("detail", document))[:300]
    except (ValueError, AttributeError):
        return answer.text[:300]


def _pause(answer: httpx.Response | None, attempt: int) -> float:
    """Seconds to wait: what the server asks for, else longer each time, never all at once."""
    if answer is not None and (asked := answer.headers.get("retry-after", "")).replace(".", "", 1).isdigit():
        return min(float(asked), _RETRY_AFTER_MAX_S)
    doubled: float = min(_BACKOFF_MAX_S, _BACKOFF_S * 2.0 ** min(attempt, 10))
    return doubled * (0.5 + random.random() / 2)  # noqa: S311 - spreads retries, guards nothing
