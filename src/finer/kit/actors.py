"""Who acts, and what happened: the two values that travel with every transaction."""

from __future__ import annotations

import uuid
from typing import ClassVar

import msgspec


class Actor(msgspec.Struct, frozen=True):
    """Who acts: a person (`user`), a machine (`key`) or Finer itself (`system`), with a name for people to read."""

    kind: str
    id: str
    name: str
    role: str = "system"
    teams: tuple[uuid.UUID, ...] = ()


SYSTEM = Actor(kind="system", id="finer", name="Finer")


class Fact(msgspec.Struct, frozen=True):
    """Base of all domain facts (see finer.facts): something that happened, in the past tense, never changed."""

    name: ClassVar[str]
