"""Finer's public API as Airflow needs it. Nothing of Airflow is imported here, so it is tested without it.

Whatever is asked twice under one idempotency key is done once: a task that Airflow tries again, or whose answer was
lost, changes nothing a second time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

BODY_BYTES = 8 * 2**20
"""Lines are sent in bodies of about this size, well below what Finer takes at once."""
_PATIENCE = 6
_RETRY_S = 2.0
_TOKEN_SPARE_S = 60.0


class FinerError(Exception):
    """Finer refused or did not answer. `status` is 0 without an answer, `kind` names the problem."""

    def __init__(self, status: int, kind: str, detail: str) -> None:
        super().__init__(f"{detail} ({status} {kind})" if status else detail)
        self.status, self.kind, self.detail = status, kind, detail


@dataclass
class FinerClient:
    """Calls Finer with an API key, or as an OAuth client (then `key` is its secret and `client_id` its id)."""

    base_url: str
    key: str
    client_id: str = ""
    timeout_s: float = 60.0
    verify: bool | str = True
    pause: Callable[[float], None] = time.sleep
    transport: httpx.BaseTransport | None = None
    _token: str = field(default="", repr=False)
    _token_ends: float = 0.0

    def send(self, contract: str, data: bytes, media_type: str, idempotency_key: str) -> dict[str, Any]:
        """Send a body of records; the receipt."""
        headers = {"Content-Type": media_type}
        return self._ask("POST", f"/api/v1/events/{contract}", idempotency_key, content=data, headers=headers)

    def receipt(self, identifier: str) -> dict[str, Any]:
        """What has become of a body: received = accepted + duplicate + quarantined, once its state is `done`."""
        return self._ask("GET", f"/api/v1/receipts/{identifier}")

    def run_job(self, job: str, idempotency_key: str) -> dict[str, Any]:
        """Ask for a run of a job now; the run."""
        return self._one_run(self._ask("POST", f"/api/v1/jobs/{job}/runs", idempotency_key))

    def run_job_for(self, job: str, day: str, idempotency_key: str) -> dict[str, Any]:
        """Ask for a run of a job for a day (2026-11-20) that is over; the run."""
        body = {"first": day, "last": day}
        return self._one_run(self._ask("POST", f"/api/v1/jobs/{job}/backfill", idempotency_key, json=body))

    def run(self, identifier: str) -> dict[str, Any]:
        """How far a run is."""
        return self._ask("GET", f"/api/v1/jobs/runs/{identifier}")

    def cancel(self, identifier: str) -> dict[str, Any]:
        """Stop a run."""
        return self._ask("POST", f"/api/v1/jobs/runs/{identifier}/cancel", f"cancel-{identifier}")

    def lake(self) -> dict[str, Any]:
        """The tables of the lake with their freshness."""
        return self._ask("GET", "/api/v1/lake")

    def ready(self) -> dict[str, Any]:
        """Whether Finer answers and lets this client in."""
        return self._ask("GET", "/api/v1/jobs")

    @staticmethod
    def _one_run(asked: dict[str, Any]) -> dict[str, Any]:
        (found,) = asked["items"]
        return dict(found)

    def _ask(self, method: str, path: str, idempotency_key: str = "", **more: Any) -> dict[str, Any]:
        """The answer of one request, tried again while Finer is busy or away."""
        headers = dict(more.pop("headers", {}))
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        for attempt in range(_PATIENCE):
            last = attempt == _PATIENCE - 1
            try:
                answer = self._send(method, path, headers | self._credentials(), **more)
            except httpx.TransportError as error:
                if last:
                    raise FinerError(0, "", f"Finer at {self.base_url} does not answer: {error}") from error
                self.pause(_RETRY_S * 2**attempt)
                continue
            if answer.status_code == httpx.codes.UNAUTHORIZED and self._token and not last:
                self._token = ""
                continue
            if answer.status_code in (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE) and not last:
                self.pause(_seconds(answer.headers.get("Retry-After"), _RETRY_S * 2**attempt))
                continue
            return _read(answer)
        raise FinerError(0, "", f"Finer at {self.base_url} stayed busy. Try again later.")

    def _send(self, method: str, path: str, headers: dict[str, str], **more: Any) -> httpx.Response:
        with self._client() as client:
            return client.request(method, path, headers=headers, **more)

    def _client(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.base_url, timeout=self.timeout_s, verify=self.verify, transport=self.transport
        )

    def _credentials(self) -> dict[str, str]:
        if not self.client_id:
            return {"Authorization": f"Bearer {self.key}"}
        if not self._token or time.monotonic() > self._token_ends:
            with self._client() as client:
                answer = client.post(
                    "/api/v1/oauth/token", data={"grant_type": "client_credentials"}, auth=(self.client_id, self.key)
                )
            found = _read(answer)
            self._token = str(found["access_token"])
            self._token_ends = time.monotonic() + float(found.get("expires_in", 600)) - _TOKEN_SPARE_S
        return {"Authorization": f"Bearer {self._token}"}


def bodies(lines: Iterator[bytes], size: int = BODY_BYTES) -> Iterator[bytes]:
    """Lines put together to bodies of about `size` bytes; no line is parted."""
    held: list[bytes] = []
    held_bytes = 0
    for line in lines:
        if held and held_bytes + len(line) > size:
            yield b"".join(held)
            held, held_bytes = [], 0
        held.append(line)
        held_bytes += len(line)
    if held:
        yield b"".join(held)


def _read(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_success:
        found = answer.json() if answer.content else {}
        return dict(found)
    try:
        problem = dict(answer.json())
    except ValueError:
        problem = {}
    kind = str(problem.get("type") or problem.get("error") or "").rpartition(":")[2]
    detail = str(problem.get("detail") or problem.get("error_description") or answer.reason_phrase)
    raise FinerError(answer.status_code, kind, detail)


def _seconds(text: str | None, otherwise: float) -> float:
    try:
        return min(60.0, max(0.1, float(text or "")))
    except ValueError:
        return otherwise
