"""The one text of a payload, so that what was approved is what is done, byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec


def canonical(payload: Mapping[str, Any]) -> str:
    """The payload as JSON with sorted keys and no spaces. Raises TypeError for what JSON cannot hold."""
    return msgspec.json.encode(payload, order="sorted").decode()


def payload_hash(text: str) -> bytes:
    """SHA-256 of the canonical text: what an approval names."""
    return hashlib.sha256(text.encode()).digest()
