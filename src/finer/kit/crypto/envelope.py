"""One sealed value: `v1 | key id (16) | nonce (12) | ciphertext and tag`, AES-256-GCM (NIST SP 800-38D).

The nonce is 96 random bits, so one key may seal 2**32 values before it has to be replaced (SP 800-38D, 8.3). What a
value belongs to (firm, table, column, row, key) is authenticated with it: elsewhere it does not open.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from finer.kit.crypto.errors import SealBroken

VERSION = b"v1"
KEY_BYTES = 32
_NONCE = 12
_TAG = 16
HEAD = len(VERSION) + 16
"""Bytes before the nonce: version and key id."""
SHORTEST = HEAD + _NONCE + _TAG


@dataclass(frozen=True)
class Place:
    """Where a sealed value stands: `column` is `table.column`, `row` the primary key without the tenant."""

    tenant: uuid.UUID
    column: str
    row: str


def joined(*parts: bytes) -> bytes:
    """Parts as one text that no other parts give: each with its length before it."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def new_key() -> bytes:
    """A random key of 256 bits."""
    return AESGCM.generate_key(KEY_BYTES * 8)


def encrypt(key: bytes, plain: bytes, bound_to: bytes) -> bytes:
    """`nonce | ciphertext`, bound to that associated data."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to)


def decrypt(key: bytes, boxed: bytes, bound_to: bytes) -> bytes:
    """The inverse of `encrypt`. Raises SealBroken when anything differs."""
    try:
        return AESGCM(key).decrypt(boxed[:_NONCE], boxed[_NONCE:], bound_to)
    except (InvalidTag, ValueError) as error:
        raise SealBroken("A sealed value does not open: it was altered, cut off, or moved from its place.") from error


def seal(key_id: uuid.UUID, key: bytes, plain: bytes, place: Place) -> bytes:
    """The sealed value of a place."""
    return VERSION + key_id.bytes + encrypt(key, plain, _bound_to(place, key_id))


def unseal(key: bytes, sealed: bytes, place: Place) -> bytes:
    """What was sealed for that place. Raises SealBroken."""
    return decrypt(key, sealed[HEAD:], _bound_to(place, key_id_of(sealed, place)))


def key_id_of(sealed: bytes, place: Place) -> uuid.UUID:
    """The key that a value was sealed with. Raises SealBroken for what is no sealed value."""
    if len(sealed) < SHORTEST or not sealed.startswith(VERSION):
        raise SealBroken(f"{place.column} of row {place.row} holds no sealed value, or only a part of one.")
    return uuid.UUID(bytes=bytes(sealed[len(VERSION) : HEAD]))


def _bound_to(place: Place, key_id: uuid.UUID) -> bytes:
    return joined(VERSION, key_id.bytes, place.tenant.bytes, place.column.encode(), place.row.encode())
