"""Asking the API processes of this machine whether they serve."""

from __future__ import annotations

import httpx

from finer.app.tls import own_certificate
from finer.kit.settings import Settings


def is_ready(settings: Settings, port: int, timeout_s: float = 2.0) -> bool:
    """Whether the API process on this port of this machine says that it can serve."""
    address = f"{settings.local_url_of(port)}/api/v1/health/ready"
    try:
        answer = httpx.get(address, timeout=timeout_s, verify=own_certificate(settings), trust_env=False)
    except httpx.TransportError:
        return False
    return answer.status_code == httpx.codes.OK
