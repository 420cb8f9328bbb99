"""The PostgreSQL that BI tools read: one schema and one login for each extract, and never the database of Finer itself.

A login may read its schema and nothing else. It can lift the limits that PostgreSQL lets every session set (the time of
a statement, the memory of a sort), which is why it meets a server of its own and not the one that alerts are kept in.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.csv as pc
from psycopg import sql
from pyarrow import compute

from finer.warehouse.errors import BiUnavailable
from finer.warehouse.types import BiAddress

CONNECTIONS_MAX = 5
_LIMITS = (
    "nologin nosuperuser nobypassrls nocreatedb nocreaterole noinherit noreplication "
    f"connection limit {CONNECTIONS_MAX}"
)
_SETTINGS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "5min",
    "idle_in_transaction_session_timeout": "10min",
    "idle_session_timeout": "1h",
}
# Only a superuser may set these for others, and their owner cannot lift them: they are set where Finer may.
_STRICT = {"temp_file_limit": "1GB", "log_statement": "all"}
# PostgreSQL lets everybody store large objects, also who may create nothing else.
_NO_OBJECTS = "revoke execute on function lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) from public"
_OBJECTS_OPEN = (
    "select has_function_privilege('public', 'lo_creat(integer)', 'execute') "
    "or has_function_privilege('public', 'lo_create(oid)', 'execute') "
    "or has_function_privilege('public', 'lo_from_bytea(oid, bytea)', 'execute')"
)
_OTHER_DATABASES_OPEN = (
    "select quote_ident(datname) from pg_database where datallowconn and datname <> current_database() "
    "and has_database_privilege('public', oid, 'connect') order by 1"
)
_FINERS_OWN = "select to_regclass('public.warehouse_exports') is not null"
_TYPES = {
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DOUBLE": "double precision",
    "FLOAT": "real",
    "INTEGER": "integer",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "UBIGINT": "numeric(20)",
    "UTINYINT": "smallint",
}
Columns = Sequence[tuple[str, str]]
"""Names with their types as SQL of the lake calls them."""
Progress = Callable[[int], None]
"""Told the rows that are copied; what it raises ends the copy."""


class BiDatabase:
    """The BI database at an address. Raises BiUnavailable wherever it does not answer or refuses."""

    def __init__(self, url: str) -> None:
        self._url = url

    def address(self) -> BiAddress:
        """Where clients find it."""
        found = psycopg.conninfo.conninfo_to_dict(self._url)
        return BiAddress(
            host=str(found.get("host", "localhost")), port=int(found.get("port") or 5432),
            database=str(found.get("dbname") or found.get("user") or "postgres"),
        )  # fmt: skip

    def make_login(self, login: str) -> None:
        """Make the role of an extract, which cannot sign in before it has a password; again changes nothing."""
        with self._connection() as connection:
            _keep_apart(connection)
            if connection.execute("select from pg_roles where rolname = %s", (login,)).fetchone() is None:
                connection.execute(sql.SQL("create role {} " + _LIMITS).format(sql.Identifier(login)))
                # Whoever made a role may end its sessions only as a member of it.
                connection.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(login)))
            for name, value in (_SETTINGS | {"search_path": login}).items():
                connection.execute(_setting(login, name, value))
            connection.execute(_on_database(connection, "grant connect on database {database} to {login}", login))
        for statement in (*(_setting(login, name, value) for name, value in _STRICT.items()), sql.SQL(_NO_OBJECTS)):
            self._execute_unless(psycopg.errors.InsufficientPrivilege, statement)

    def left_open(self) -> list[str]:
        """What a superuser of the server should take from its logins, as statements; Finer does not do it by itself.

        Raises BiUnavailable for Finer's own database, too.
        """
        with self._connection() as connection:
            _refuse_own(connection)
            databases = [name for (name,) in connection.execute(_OTHER_DATABASES_OPEN)]
            objects_open = connection.execute(_OBJECTS_OPEN).fetchone() == (True,)
        open_to_all = [f"revoke connect on database {', '.join(databases)} from public;"] if databases else []
        return open_to_all + ([f"{_NO_OBJECTS};"] if objects_open else [])

    def set_password(self, login: str) -> str:
        """Give a login another password, end the sessions that came in with the old one, and return it."""
        password = secrets.token_urlsafe(24)
        with self._connection() as connection:
            connection.execute(
                sql.SQL("alter role {} login password {}").format(sql.Identifier(login), sql.Literal(password))
            )
            _end_sessions(connection, login)
        return password

    def clear(self, login: str) -> None:
        """Make room beside what is read now."""
        with self._connection() as connection:
            beside = sql.Identifier(_beside(login))
            connection.execute(sql.SQL("drop schema if exists {} cascade").format(beside))
            connection.execute(sql.SQL("create schema {}").format(beside))

    def load(self, login: str, table: str, columns: Columns, batches: Iterator[pa.RecordBatch], note: Progress) -> int:
        """Copy rows to a table in that room, and return how many. `show` puts them in their place."""
        place = sql.Identifier(_beside(login), table)
        shape = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(_TYPES.get(kind, "text"))) for name, kind in columns
        )
        rows = 0
        with self._connection() as connection:
            connection.execute(sql.SQL("create table {} ({})").format(place, shape))
            with connection.cursor().copy(sql.SQL("copy {} from stdin (format csv)").format(place)) as copy:
                for batch in batches:
                    copy.write(_csv(batch))
                    rows += batch.num_rows
                    note(rows)
            connection.execute(sql.SQL("analyze {}").format(place))
        return rows

    def show(self, login: str) -> None:
        """Put what was copied in the place of what was there, all tables at once."""
        schema, beside = sql.Identifier(login), sql.Identifier(_beside(login))
        with self._connection() as connection:
            # Who reads at this moment reads to the end; if that takes longer, the next refresh tries again.
            connection.execute("set local lock_timeout = '20s'")
            for statement in (
                "drop schema if exists {schema} cascade",
                "alter schema {beside} rename to {schema}",
                "grant usage on schema {schema} to {schema}",
                "grant select on all tables in schema {schema} to {schema}",
            ):
                connection.execute(sql.SQL(statement).format(schema=schema, beside=beside))

    def drop(self, login: str) -> None:
        """Delete an extract with its login, and end its sessions."""
        with self._connection() as connection:
            known = connection.execute("select from pg_roles where rolname = %s", (login,)).fetchone() is not None
            if known:
                connection.execute(sql.SQL("alter role {} nologin password null").format(sql.Identifier(login)))
                connection.commit()
                _end_sessions(connection, login)
                connection.execute(_on_database(connection, "revoke all on database {database} from {login}", login))
            for schema in (login, _beside(login)):
                connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
            if known:
                connection.execute(sql.SQL("drop owned by {}").format(sql.Identifier(login)))
        if known:
            # What it made in another database of the server keeps the role there: it cannot sign in any more.
            gone = sql.SQL("drop role {}").format(sql.Identifier(login))
            self._execute_unless(psycopg.errors.DependentObjectsStillExist, gone)

    def _execute_unless(self, refusal: type[psycopg.Error], statement: sql.Composable) -> None:
        with self._connection() as connection:
            try:
                connection.execute(sql.Composed([statement]))
            except refusal:
                connection.rollback()

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        try:
            with psycopg.connect(self._url, connect_timeout=10, application_name="finer-bi") as connection:
                yield connection
        except psycopg.Error as error:
            # The words of PostgreSQL name roles and tables, never a password; those about data quote it.
            words = "a value does not fit its column" if isinstance(error, psycopg.DataError) else str(error)
            said = next(iter(words.strip().splitlines()), type(error).__name__)
            raise BiUnavailable(f"The BI database refused or did not answer: {said}") from error


def _keep_apart(connection: psycopg.Connection) -> None:
    """Nobody comes in or makes anything who was not let in. Raises BiUnavailable for Finer's own database."""
    _refuse_own(connection)
    connection.execute(_on_database(connection, "revoke connect, temporary on database {database} from public"))
    connection.execute("revoke all on schema public from public")


def _refuse_own(connection: psycopg.Connection) -> None:
    if connection.execute(_FINERS_OWN).fetchone() == (True,):
        raise BiUnavailable(
            "FINER_BI_DATABASE_URL names the database that Finer itself works in. Give BI tools one of their own, "
            "best on another server: what they ask must not slow down what decides."
        )


def _on_database(connection: psycopg.Connection, text: str, login: str = "") -> sql.Composed:
    names = {"database": sql.Identifier(connection.info.dbname)}
    return sql.SQL(text).format(**names | ({"login": sql.Identifier(login)} if login else {}))


def _setting(login: str, name: str, value: str) -> sql.Composed:
    return sql.SQL("alter role {} set {} = {}").format(sql.Identifier(login), sql.Identifier(name), sql.Literal(value))


def _end_sessions(connection: psycopg.Connection, login: str) -> None:
    connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", (login,))


def _beside(login: str) -> str:
    return f"{login}_next"


def _csv(batch: pa.RecordBatch) -> bytes:
    """Rows as PostgreSQL's CSV: an empty cell is no value, a quoted one an empty text; its texts hold no NUL."""
    target: Any = io.BytesIO()
    for place, field in enumerate(batch.schema):
        if pa.types.is_list(field.type):
            batch = batch.set_column(place, field.name, compute.binary_join(batch.column(place), ";"))
    pc.write_csv(batch, target, pc.WriteOptions(include_header=False, quoting_style="needed"))
    return bytes(target.getvalue()).replace(b"\0", b"")
