"""PostgreSQL: one engine per process and role, and the transaction that everything else receives.

Three roles share one database. `finer_owner` owns the tables and runs migrations; `finer_api` and `finer_worker`
serve, own nothing and cannot pass by row-level security. A transaction names its tenant before anything else.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import psycopg
import sqlalchemy as sa

from finer.kit.actors import Actor, Fact
from finer.kit.clock import Clock, SystemClock
from finer.kit.tx import Tx

OWNER, API, WORKER, LAKE = "finer_owner", "finer_api", "finer_worker", "finer_lake"
NO_TENANT = uuid.UUID(int=0)
EMBEDDED_OWNER = "postgres@"
"""How the address of the embedded server begins: its owner, over a private socket."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def url_for_role(url: str, role: str | None) -> str:
    """The same database as `role`: signed in as it (embedded server), or acting as it from the first statement on."""
    if role is None:
        return url
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if parts.netloc == EMBEDDED_OWNER and query.get("host", "").startswith("/"):
        # The embedded server trusts its private socket: each role signs in as itself and cannot become another.
        return parts._replace(netloc=f"{role}@").geturl()
    query["options"] = f"{query.get('options', '')} -c role={role}".strip()
    return parts._replace(query=urlencode(query, quote_via=quote)).geturl()


def connect(url: str, role: str | None = None, *, name: str = "finer") -> psycopg.Connection:
    """A bare psycopg connection in autocommit, for LISTEN and for the hot path."""
    return psycopg.connect(url_for_role(url, role), autocommit=True, application_name=name)


class Database:
    """Transactions on one PostgreSQL as one role. Only `app` opens them; everything else receives the `Tx`."""

    def __init__(
        self,
        url: str,
        role: str,
        *,
        connections: int = 10,
        clock: Clock | None = None,
        deliver: Callable[[Tx, list[Fact]], None] | None = None,
    ) -> None:
        """`deliver` turns the facts recorded in a transaction into jobs, inside that same transaction."""
        self.url = url
        self.role = role
        self.clock: Clock = clock or SystemClock()
        self._deliver = deliver
        address = url_for_role(url, role)
        self.engine = sa.create_engine(
            "postgresql+psycopg://",
            creator=lambda: psycopg.connect(address, application_name=role),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=True,
        )

    @contextmanager
    def transaction(self, tenant: uuid.UUID, actor: Actor, *, read_only: bool = False) -> Iterator[Tx]:
        """One transaction for one tenant: committed when the block ends, rolled back when it raises."""
        with self.engine.begin() as connection:
            begin_tenant(connection, tenant)
            if read_only:
                connection.exec_driver_sql("set transaction read only")
            tx = Tx(connection=connection, tenant=tenant, actor=actor, clock=self.clock)
            yield tx
            if tx.facts and self._deliver is not None:
                self._deliver(tx, tx.facts)

    def close(self) -> None:
        """Give all connections back to the server."""
        self.engine.dispose()


def begin_tenant(connection: sa.Connection, tenant: uuid.UUID) -> None:
    """Tell row-level security which tenant this transaction is about; it ends with the transaction."""
    connection.exec_driver_sql("select set_config('finer.tenant', %s, true)", (str(tenant),))
