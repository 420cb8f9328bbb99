"""`Tx`: the one argument that every service takes. It carries what must hold together, and cannot commit."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from finer.kit.actors import Actor, Fact
from finer.kit.clock import Clock
from finer.kit.crypto.keyring import DataKey, Keyring


@dataclass
class Tx:
    """One transaction: its database connection, its tenant, who acts, the clock, and the facts recorded so far."""

    connection: sa.Connection
    tenant: uuid.UUID
    actor: Actor
    clock: Clock
    facts: list[Fact] = field(default_factory=list)
    keys: Keyring | None = None
    made_keys: dict[tuple[uuid.UUID, bytes], DataKey] = field(default_factory=dict)
    """Data keys that exist only if this transaction commits."""

    def now(self) -> datetime:
        """The present moment by this transaction's clock."""
        return self.clock.now()

    def record(self, fact: Fact) -> None:
        """Record a domain fact: it becomes one durable job per handler when, and only when, this commits."""
        self.facts.append(fact)
