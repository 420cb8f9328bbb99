"""PostgreSQL: one engine per process and role, and the transaction that everything else receives.

Three roles share one database. `finer_owner` owns the tables and runs migrations; `finer_api` and `finer_worker`
serve, own nothing and cannot pass by row-level security. A transaction names its tenant before anything else.
"""

from __future__ import annotations

import select
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit
from weakref import WeakValueDictionary

import psycopg
import sqlalchemy as sa

from finer.kit import schema
from finer.kit.actors import Actor, Fact
from finer.kit.clock import Clock, SystemClock
from finer.kit.crypto.keyring import Keyring
from finer.kit.database_gone import ENDED
from finer.kit.errors import Conflict, InvalidInput, Unavailable
from finer.kit.socket_ends import end_all_that_lead_where
from finer.kit.tx import Tx

OWNER, API, WORKER, LAKE = "finer_owner", "finer_api", "finer_worker", "finer_lake"
NO_TENANT = uuid.UUID(int=0)
EMBEDDED_OWNER = "postgres@"
"""How the address of the embedded server begins: its owner, over a private socket."""

Connection: TypeAlias = psycopg.Connection
"""A bare connection, see `connect`."""
DatabaseError = psycopg.Error
"""What a bare connection raises."""
_CONNECT_S, _ASK_S = 10, 2
DATABASE_GONE: tuple[type[Exception], ...] = (sa.exc.OperationalError, psycopg.OperationalError)
"""What a transaction raises when the server is not there, or goes away."""

UNIQUE_VIOLATION: tuple[type[Exception], ...] = (sa.exc.IntegrityError, psycopg.errors.UniqueViolation)
"""What a transaction raises when somebody else has written the same key."""
_CONFLICT = "FN409"
"""The SQLSTATE by which functions in the database say that somebody else was quicker; it becomes a Conflict."""
# A NUL in a text (the driver refuses it without a code), a character that UTF-8 does not have, a number or a time out
# of range: all of them come from the input.
_NOT_HELD = frozenset({None, "22021", "22P05", "22003", "22008"})
_ALIVE: Any = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 30_000}
"""A server that is gone without a word, over a network, is noticed within a minute."""
# The payloads are JSON: as text, every quote in them would have to be found and marked.
NOTIFY = "select pg_notify(%s, payload) from unnest(%b::text[]) as payload"

metadata = schema.metadata
_silent = threading.Event()
server_is_silent = _silent.is_set
"""Whether the server was said not to answer, and nobody has been answered since."""
_open: WeakValueDictionary[int, Connection] = WeakValueDictionary()
"""The connections of this process; no set, which cannot be read while somebody adds to it."""


class NotMade(Unavailable):
    """The database is there, and nobody has made it ready for Finer."""

    slug = "database-not-made"
    title = "The database is not ready"


class NotOurs(Unavailable):
    """The database belongs to another program."""

    slug = "database-not-ours"
    title = "The database belongs to another program"


def url_for_role(url: str, role: str | None) -> str:
    """The same database as `role`: signed in as it (embedded server), or acting as it from the first statement on."""
    if role is None:
        return url
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if parts.netloc == EMBEDDED_OWNER and query.get("host", "").startswith("/"):
        # The embedded server trusts its private socket: each role signs in as itself and cannot become another.
        return urlunsplit((parts.scheme, f"{role}@", parts.path, parts.query, parts.fragment))
    query["options"] = f"{query.get('options', '')} -c role={role}".strip()
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query, quote_via=quote), parts.fragment))


def answers(url: str, role: str) -> bool:
    """Whether the server opens another connection within two seconds."""
    try:
        _opened(url_for_role(url, role), to_hear=True, connect_timeout=_ASK_S, application_name="finer-silence").close()
    except (DatabaseError, NotMade):
        return False
    return True


def connect(url: str, role: str | None = None, *, name: str = "finer", to_hear: bool = False) -> Connection:
    """A bare psycopg connection in autocommit, for LISTEN and for the hot path. Raises NotMade.

    With `to_hear` it is opened also while the server is known not to answer: to find out when it does.
    """
    return _opened(url_for_role(url, role), to_hear=to_hear, autocommit=True, application_name=name)


def _opened(address: str, *, to_hear: bool = False, **more: Any) -> Connection:
    if _silent.is_set() and not to_hear:
        raise psycopg.OperationalError("The server has not answered for a while.")
    try:
        connection = psycopg.connect(address, **({"connect_timeout": _CONNECT_S} | more), **_ALIVE)
        # It has answered: also one that was asked before the silence, and whom readiness is asked through then.
        server_answers(True)
        _open[id(connection)] = connection
        return connection
    except psycopg.OperationalError as error:
        if 'role "finer_' in str(error) and "does not exist" in str(error):
            raise NotMade("The database has no roles of Finer yet. Run `finer migrate` first.") from error
        raise


def server_answers(answers: bool) -> None:
    """Say whether the server answers. Where it does not, who waits for it or wants to is told so at once."""
    if answers:
        _silent.clear()
        return
    # All connections of this process end then, and others are opened only to hear from it.
    _silent.set()
    end_all_that_lead_where(filter(None, (one() for one in _open.valuerefs())))


def has_tables(url: str) -> bool:
    """Whether `finer migrate` was ever run on the database at `url`, which answers.

    Raises NotOurs for one where another program keeps its version in the table that ours is kept in.
    """
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute(
            "select to_regclass('alembic_version') is not null, to_regclass('kit_log_heads') is not null"
        ).fetchone()
    versioned, ours = row or (False, False)
    if versioned and not ours:
        raise NotOurs(
            "The database of FINER_DATABASE_URL holds the tables of another program: there is a table alembic_version, "
            "and none of Finer's. Make a database for Finer alone, and name that one."
        )
    return bool(versioned)


def server_version(url: str) -> str:
    """The version of the PostgreSQL at `url`. Raises Unavailable with the reason when it does not answer."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            row = connection.execute("show server_version").fetchone()
    except psycopg.Error as error:
        raise Unavailable(f"no connection: {error}") from error
    return "?" if row is None else str(row[0])


@contextmanager
def tenant_transaction(connection: Connection, tenant: uuid.UUID) -> Iterator[None]:
    """A transaction about one tenant on a bare connection, for a writer that commits beside all requests."""
    with connection.transaction():
        connection.execute("select set_config('finer.tenant', %s, true)", (str(tenant),))
        yield


@contextmanager
def unchanging_view(connection: Connection) -> Iterator[None]:
    """A read-only transaction on a bare connection: all its reads see the database as it was at the first one."""
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read read only")
        yield


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
        keys: Keyring | None = None,
    ) -> None:
        """`connections` are held at most, and who finds all of them taken waits for one, ten seconds at most.

        `deliver` turns the facts recorded in a transaction into jobs, inside that same transaction.

        `keys` seal and unseal columns; a process that touches no sealed column needs none.
        """
        self.url = url
        self.role = role
        self.connections = connections
        self.clock: Clock = clock or SystemClock()
        self.keys = keys
        self._deliver = deliver
        address = url_for_role(url, role)
        self.engine = sa.create_engine(
            "postgresql+psycopg://",
            creator=lambda: _opened(address, application_name=role),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=10,
        )
        sa.event.listen(self.engine, "checkout", _refuse_what_was_closed)
        sa.event.listen(self.engine, "handle_error", _say_what_cannot_be_held)

    @contextmanager
    def transaction(
        self, tenant: uuid.UUID, actor: Actor, *, read_only: bool = False, snapshot: bool = False
    ) -> Iterator[Tx]:
        """One transaction for one tenant: committed when the block ends, rolled back when it raises.

        With `snapshot` it only reads, and all its queries see the database as it was when it began; without, each
        query sees what others committed before that query.
        """
        kind = "begin read only" if read_only else "begin"
        with errors_told(), self.engine.connect() as connection:
            _begin(connection, tenant, "begin isolation level repeatable read read only" if snapshot else kind)
            with connection.begin():
                tx = Tx(connection=connection, tenant=tenant, actor=actor, clock=self.clock, keys=self.keys)
                yield tx
                if tx.facts and self._deliver is not None:
                    self._deliver(tx, tx.facts)
            if tx.notifications:
                with connection.begin():
                    for notification in tx.notifications:
                        connection.exec_driver_sql(NOTIFY, notification)

    def close(self) -> None:
        """Give all connections back to the server."""
        self.engine.dispose()


@contextmanager
def errors_told() -> Iterator[None]:
    """The database's own word for a conflict becomes ours, and the pool's word for all connections being taken."""
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise Unavailable(
            "All database connections of this process are in use. Try again in a few seconds.", retry_after_s=3
        ) from error
    except (sa.exc.DBAPIError, psycopg.Error) as error:
        origin: Any = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        if getattr(origin, "sqlstate", None) == _CONFLICT:
            raise Conflict(origin.diag.message_primary) from error
        if getattr(origin, "sqlstate", None) in ENDED:
            # To the driver this is a fault of the program. The connection is gone, as others are.
            raise psycopg.OperationalError(str(origin)) from error
        if isinstance(origin, psycopg.errors.LockNotAvailable):
            raise Unavailable("Somebody else is changing the same just now. Try again.", retry_after_s=1) from error
        raise


def begin_tenant(connection: sa.Connection, tenant: uuid.UUID) -> None:
    """Tell row-level security which tenant this transaction is about; it ends with the transaction."""
    connection.exec_driver_sql("select set_config('finer.tenant', %s, true)", (str(tenant),))


def _begin(connection: sa.Connection, tenant: uuid.UUID, kind: str) -> None:
    """Begin a transaction that is about one tenant in one round trip, where the driver would make two or three.

    The driver sees a transaction under way, and begins none of its own. A connection that turns out to be lost is
    replaced once: nothing has been done on it.
    """
    statement = f"{kind}; select set_config('finer.tenant', '{uuid.UUID(str(tenant))}', true)".encode()
    try:
        _execute(connection, statement)
    except psycopg.OperationalError as error:
        connection.invalidate(error)
        _execute(connection, statement)


def _execute(connection: sa.Connection, statement: bytes) -> None:
    """Execute without the driver's own machinery. Raises OperationalError when the connection is lost."""
    driver: Any = connection.connection.driver_connection
    pgconn: psycopg.pq.abc.PGconn = driver.pgconn
    checked(pgconn, pgconn.exec_(statement))


def checked(pgconn: psycopg.pq.abc.PGconn, result: psycopg.pq.abc.PGresult) -> psycopg.pq.abc.PGresult:
    """What the server answered to a statement. Raises its error, and OperationalError when the connection is lost."""
    if result.status in (psycopg.pq.ExecStatus.TUPLES_OK, psycopg.pq.ExecStatus.COMMAND_OK):
        return result
    error = psycopg.errors.error_from_result(result)
    # The library makes an answer of its own then, and says in it what happened but not of which kind it is.
    raise psycopg.OperationalError(str(error)) if pgconn.status != psycopg.pq.ConnStatus.OK else error


def _refuse_what_was_closed(connection: Any, _record: Any, _fairy: Any) -> None:
    """Let the pool open another connection for one that the server has closed.

    A server says little to who asks nothing: that it closes, or that a setting is another now. Asking it whether it is
    there would be another round trip for every transaction.
    """
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    try:
        while poll.poll(0):
            connection.pgconn.consume_input()
    except psycopg.OperationalError as error:
        raise sa.exc.DisconnectionError from error


def many_rows(connection: sa.Connection, statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a query in the server's binary format: bytes come as they are, where a text doubles them."""
    driver: Any = connection.connection.driver_connection
    return list(driver.cursor(binary=True).execute(statement, parameters).fetchall())


def write_all(connection: sa.Connection, statements: Sequence[str], parameters: Mapping[str, Any]) -> None:
    """Run statements whose results nobody reads, by the driver alone.

    A thread beside the one that has the connection may do so: the driver runs one statement of it after the other.
    """
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, parameters)


def _say_what_cannot_be_held(context: sa.engine.ExceptionContext) -> None:
    """Raise InvalidInput in the place of the driver's error for a value that PostgreSQL cannot hold."""
    origin = context.original_exception
    if isinstance(origin, psycopg.DataError) and origin.sqlstate in _NOT_HELD:
        raise InvalidInput("A value holds a character or a size that cannot be stored. Take it out.")
