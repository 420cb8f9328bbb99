"""Signatures of documents that go to an address outside, in the form of Standard Webhooks (standardwebhooks.com)."""

from __future__ import annotations

import base64
import hmac
import secrets
from hashlib import sha256

_PREFIX = "whsec_"


def new_secret() -> str:
    """`whsec_` and 24 random bytes in base64: what both sides know."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def signed(secret: str, identifier: str, at_s: int, body: bytes) -> dict[str, str]:
    """The headers of a document: its id, when it was sent (seconds since 1970), and what proves both and the body."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    digest = hmac.digest(key, f"{identifier}.{at_s}.".encode() + body, sha256)
    return {
        "webhook-id": identifier,
        "webhook-timestamp": str(at_s),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
