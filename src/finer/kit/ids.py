"""Identifiers: UUID version 7 (RFC 9562), shown in the API with a prefix that says what they name."""

from __future__ import annotations

import os
import re
import time
import uuid

from finer.kit.errors import NotFound

_TEXT = re.compile(r"^([a-z]+)_([0-9a-f]{32})$")


def new_id() -> uuid.UUID:
    """A new UUIDv7: 48 bits of Unix milliseconds, then 74 random bits; sorts by time of creation."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big") & ((1 << 74) - 1)
    value = milliseconds << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & ((1 << 62) - 1)
    return uuid.UUID(int=value)


def show_id(prefix: str, identifier: uuid.UUID) -> str:
    """`alr_0192...`: the form that leaves the system."""
    return f"{prefix}_{identifier.hex}"


def read_id(prefix: str, text: str) -> uuid.UUID:
    """The UUID behind a shown id. Raises NotFound for another prefix or a malformed text: it names nothing here."""
    match = _TEXT.match(text)
    if match is None or match[1] != prefix:
        raise NotFound(
            f"There is nothing with the id {text[:80]!r}. An id here looks like {prefix}_ and 32 hex digits."
        )
    return uuid.UUID(hex=match[2])
