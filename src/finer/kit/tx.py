"""`Tx`: the one argument that every service takes. It carries what must hold together, and cannot commit."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from finer.kit.actors import Actor, Fact
from finer.kit.clock import Clock
from finer.kit.crypto.keyring import DataKey, Keyring
from finer.kit.round_trip import RoundTrip


@dataclass
class Tx:
    """One transaction: its database connection, its tenant, who acts, the clock, and the facts recorded so far."""

    connection: sa.Connection
    tenant: uuid.UUID
    actor: Actor
    clock: Clock
    facts: list[Fact] = field(default_factory=list)
    notifications: list[tuple[str, list[str]]] = field(default_factory=list)
    round_trip: RoundTrip | None = None
    """Set in a transaction that only writes, see `finer.kit.db.WritePipeline`; `connection` cannot be used then."""
    ahead: bool = False
    """Whether it commits without waiting for the disk: whoever notifies inside it makes no other wait in line."""
    keys: Keyring | None = None
    made_keys: dict[tuple[uuid.UUID, bytes], DataKey] = field(default_factory=dict)
    """Data keys that exist only if this transaction commits."""

    def now(self) -> datetime:
        """The present moment by this transaction's clock."""
        return self.clock.now()

    def write(self, statement: str, parameters: Mapping[str, Any] | Sequence[Any]) -> None:
        """Run a statement whose result nobody reads; placeholders are psycopg's.

        In a pipelined transaction it is sent with all the others, and what is wrong with it is raised at the end.
        """
        if self.round_trip is not None:
            self.round_trip.add(statement, parameters)
        else:
            self.connection.exec_driver_sql(statement, parameters)

    def outlast(self) -> None:
        """Let this transaction wait for the lake however long: PostgreSQL ends one that is idle for a minute."""
        self.connection.exec_driver_sql("set local idle_in_transaction_session_timeout = 0")

    def notify(self, channel: str, payloads: Iterable[str]) -> None:
        """Wake whoever listens once this has committed.

        It is told after a commit that waits for the disk: inside it, NOTIFY would make all committers wait in line.
        """
        if wanted := list(payloads):
            self.notifications.append((channel, wanted))

    def record(self, fact: Fact) -> None:
        """Record a domain fact: it becomes one durable job per handler when, and only when, this commits."""
        self.facts.append(fact)
