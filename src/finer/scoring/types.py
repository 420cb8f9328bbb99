"""The nouns of scoring."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A registered model: LightGBM's own text, the columns it reads in order, and the SHA-256 of the text."""

    id: uuid.UUID
    name: str
    product: str
    columns: list[str]
    text: str
    sha256: str
    threshold: float
    registered_at: datetime
    active: bool
