"""`Tx`: the one argument that every service takes. It carries what must hold together, and cannot commit."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

import msgspec
import sqlalchemy as sa

from finer.kit.clock import Clock


class Actor(msgspec.Struct, frozen=True):
    """Who acts: a person (`user`), a machine (`key`) or Finer itself (`system`), with a name for people to read."""

    kind: str
    id: str
    name: str
    role: str = "system"


SYSTEM = Actor(kind="system", id="finer", name="Finer")


class Fact(msgspec.Struct, frozen=True):
    """Base of all domain facts (see finer.facts): something that happened, in the past tense, never changed."""

    name: ClassVar[str]


@dataclass
class Tx:
    """One transaction: its database connection, its tenant, who acts, the clock, and the facts recorded so far."""

    connection: sa.Connection
    tenant: uuid.UUID
    actor: Actor
    clock: Clock
    facts: list[Fact] = field(default_factory=list)

    def now(self) -> datetime:
        """The present moment by this transaction's clock."""
        return self.clock.now()

    def record(self, fact: Fact) -> None:
        """Record a domain fact: it becomes one durable job per handler when, and only when, this commits."""
        self.facts.append(fact)
