"""What Plaid tells webhooks: whether a notice is genuine, and what it means.

A notice is signed by a token in the header Plaid-Verification: a JWT by ES256 over the time and the hash of the body.
Plaid is asked for its key by the id that the token names; nothing of the token is believed before that.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from finer.sources.errors import SignatureRefused

_ALGORITHM = "ES256"
_TOKEN_MAX = 4_000
_OLD_S, _AHEAD_S = 300, 60
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
NEWS = frozenset({"SYNC_UPDATES_AVAILABLE", "INITIAL_UPDATE", "HISTORICAL_UPDATE", "DEFAULT_UPDATE",
                  "TRANSACTIONS_REMOVED"})  # fmt: skip


class Notice(msgspec.Struct, frozen=True):
    """What Plaid tells."""

    webhook_type: str
    webhook_code: str

    @property
    def is_news(self) -> bool:
        """Whether there are transactions to be read."""
        return self.webhook_type == "TRANSACTIONS" and self.webhook_code in NEWS


class _Header(msgspec.Struct, frozen=True):
    alg: str
    kid: str


class _Claims(msgspec.Struct, frozen=True):
    iat: int
    request_body_sha256: str


def key_id_of(token: str) -> str:
    """The key that a token says it was signed by. Raises SignatureRefused for what is no such token."""
    parts = token.split(".")
    if len(token) > _TOKEN_MAX or len(parts) != 3:
        raise SignatureRefused("The header Plaid-Verification is missing, or holds no signed token.")
    try:
        written = base64.b64decode(parts[0] + "=" * (-len(parts[0]) % 4), altchars=b"-_", validate=True)
        header = msgspec.json.decode(written, type=_Header)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise SignatureRefused("The token in Plaid-Verification cannot be read.") from error
    if header.alg != _ALGORITHM or not _KEY_ID.fullmatch(header.kid):
        raise SignatureRefused(f"The token in Plaid-Verification is not signed by {_ALGORITHM}, or names no key.")
    return header.kid


def verify(token: str, body: bytes, key: dict[str, Any], now: datetime) -> None:
    """Raises SignatureRefused unless this key (a JWK) signed exactly these bytes, not long before now."""
    try:
        signed = jws.deserialize_compact(token, ECKey.import_key(key), algorithms=[_ALGORITHM])
        claims = msgspec.json.decode(signed.payload, type=_Claims)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise SignatureRefused("No key of Plaid made the signature of this notice.") from error
    if not -_AHEAD_S <= now.timestamp() - claims.iat <= _OLD_S:
        raise SignatureRefused(f"The notice was signed more than {_OLD_S} s ago, or after now. Is it a replay?")
    if not hmac.compare_digest(claims.request_body_sha256.encode(), sha256(body).hexdigest().encode()):
        raise SignatureRefused("The notice is signed, and its body is another one.")


def read_notice(body: bytes) -> Notice:
    """The notice in a genuine body. Raises SignatureRefused for what is none."""
    try:
        return msgspec.json.decode(body, type=Notice)
    except (msgspec.DecodeError, RecursionError) as error:
        raise SignatureRefused(f"The body is no notice of Plaid: {error}.") from error
