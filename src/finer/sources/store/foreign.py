"""A table of somebody else's PostgreSQL, read only."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql

from finer.sources.errors import SourceFailed, SourceMisconfigured
from finer.sources.rules.beginnings import as_bigint, is_number
from finer.sources.types import Credentials, PostgresSettings

_CONNECT_S = 10
_TEXT_MAX = 1 << 20
_TIMES = {"timestamp with time zone": pa.timestamp("us", "UTC"), "timestamp without time zone": pa.timestamp("us")}
_NUMBERS = {
    "smallint": pa.int64(), "integer": pa.int64(), "bigint": pa.int64(), "real": pa.float64(),
    "double precision": pa.float64(), "boolean": pa.bool_(),
}  # fmt: skip
_WHOLE = ("smallint", "integer", "bigint")
_GROWING = frozenset({*_WHOLE, "numeric", "date", *_TIMES})
_COLUMNS = """
select a.attname, format_type(a.atttypid, null), c.relkind::text from pg_catalog.pg_attribute as a
join pg_catalog.pg_class as c on c.oid = a.attrelid join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname = %s and c.relname = %s and a.attnum > 0 and not a.attisdropped order by a.attnum
"""
# The transaction that wrote a row, as a number that does not wrap around: rows carry the last 32 bits of it. It is the
# one of all candidates that lies nearest to the horizon. 1 and 2 stand for what was there before everything else.
_WRITTEN_BY = (
    "case when t.xmin::text::bigint < 3 then 0 else {horizon} - 2147483648 + mod(t.xmin::text::bigint "
    "- mod({horizon}, 4294967296) + 2147483648 + 4294967296, 4294967296) end"
)
# A failed connection has no code, only words.
_REFUSALS = ("does not exist", "authentication failed", "pg_hba.conf", "certificate", "not permitted to log in")


class ForeignTable:
    """One table, and the types of its columns. Rows come as record batches."""

    def __init__(self, settings: PostgresSettings, credentials: Credentials, address: str) -> None:
        """Connects to `address`, which is one of the host. Raises SourceFailed, SourceMisconfigured."""
        self._settings = settings
        self._ca = _ca_file(credentials)
        tls: dict[str, Any] = {"sslmode": settings.tls}
        if settings.tls == "verify-full":
            tls["sslrootcert"] = "system" if self._ca is None else self._ca.name
        try:
            self._connection = psycopg.connect(
                host=settings.host, hostaddr=address, port=settings.port, dbname=settings.database, user=settings.user,
                password=credentials.secret or None, connect_timeout=_CONNECT_S, application_name="finer-source",
                options=f"-c statement_timeout={int(settings.timeout_s * 1000)} -c default_transaction_read_only=on "
                "-c idle_in_transaction_session_timeout=60000 -c timezone=UTC",
                autocommit=True, passfile="", **tls,
            )  # fmt: skip
        except (psycopg.Error, UnicodeError) as error:
            raise _said(error) from error
        try:
            self._read_columns()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
        if self._ca is not None:
            self._ca.close()

    def horizon(self) -> int:
        """The oldest transaction that is still writing: all before it have ended, and their rows are there or never."""
        try:
            row = self._connection.execute("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint").fetchone()
        except psycopg.Error as error:
            raise _said(error) from error
        return int(row[0]) if row else 0

    def after(
        self, place: Sequence[str] | None, limit: int, horizon: int, begin: str = ""
    ) -> tuple[pa.RecordBatch, list[str] | None]:
        """The next rows in the order of cursor and key, and the place of the last one (None without rows).

        `place` are cursor and key as texts; without one, rows from the cursor value `begin` on. Rows of transactions
        from the horizon on are left for later.
        """
        conditions: list[sql.Composable] = [sql.SQL("{} is not null").format(_column(self._settings.cursor))]
        values: list[Any] = []
        if place is not None:
            conditions.append(self._compared(">"))
            values = list(place)
        elif begin:
            kind, since = self._beginning(begin)
            compared = sql.SQL("{} >= cast({} as {})")
            conditions.append(compared.format(_column(self._settings.cursor), sql.Placeholder(), sql.SQL(kind)))
            values = [since]
        if self.has_rows_of_its_own:
            conditions.append(sql.SQL("{} < {}").format(_written_by(horizon), sql.Literal(horizon)))
        elif self._order_types[0] in _TIMES:
            # Rows of a view do not say who wrote them, so those that others may still come before have to wait.
            settled = sql.SQL("{} <= now() - {}").format(_column(self._settings.cursor), self._overlap())
            conditions.append(settled)
        return self._rows(conditions, values, limit)

    def _beginning(self, begin: str) -> tuple[str, str]:
        """The type that a beginning is compared as, and its text. Raises SourceMisconfigured."""
        kind = self._order_types[0]
        timed = kind in _TIMES or kind == "date"
        if is_number(begin) is timed:
            wanted = "a moment such as 2026-11-01T00:00:00Z" if timed else "a number"
            raise SourceMisconfigured(
                f"The source was to begin at {begin[:80]!r}, and its column {self._settings.cursor} is a {kind}. "
                f"Backfill it from {wanted}, and resume it."
            )
        # A beginning may be larger than the numbers of a column, and indices take a bigint for smaller ones as well.
        return ("bigint", as_bigint(begin)) if kind in _WHOLE else (kind, begin)

    def late(
        self, place: Sequence[str], since: int, horizon: int, done: Sequence[str] | None, limit: int
    ) -> tuple[pa.RecordBatch, list[str] | None]:
        """Rows at or before `place`, within the overlap, of transactions from `since` to the horizon; after `done`."""
        cursor = _column(self._settings.cursor)
        back = sql.SQL("{} - {}").format(self._value(0), self._overlap())
        conditions: list[sql.Composable] = [sql.SQL("{} >= {}").format(cursor, back), self._compared("<=")]
        values: list[Any] = [place[0], *place]
        if done is not None:
            conditions.append(self._compared(">"))
            values += done
        written = _written_by(horizon)
        conditions.append(sql.SQL("{0} >= {1} and {0} < {2}").format(written, sql.Literal(since), sql.Literal(horizon)))
        return self._rows(conditions, values, limit)

    @property
    def has_rows_of_its_own(self) -> bool:
        """Whether rows say which transaction wrote them: those of a table do, those of a view do not."""
        return self._kind in ("r", "p", "m")

    def waiting(self, place: Sequence[str], limit: int) -> int:
        """How many rows come after the place, counted to `limit`."""
        query = sql.SQL("select count(*) from (select from {} where {} limit {}) as rest").format(
            self._table(), self._compared(">"), sql.Literal(limit)
        )
        try:
            row = self._connection.execute(query, list(place)).fetchone()
        except psycopg.Error as error:
            raise _said(error) from error
        return int(row[0]) if row else 0

    def _read_columns(self) -> None:
        wanted = self._settings
        try:
            rows = self._connection.execute(_COLUMNS, (wanted.schema, wanted.table)).fetchall()
        except psycopg.Error as error:
            raise _said(error) from error
        if not rows:
            raise SourceMisconfigured(f"The database has no table {wanted.schema}.{wanted.table}, or hides it.")
        types, self._kind = {str(name): str(kind) for name, kind, _ in rows}, str(rows[0][2])
        for name in (wanted.cursor, *wanted.key, *wanted.columns):
            if name not in types:
                raise SourceMisconfigured(f"The table {wanted.table} has no column {name[:80]!r}.")
        if types[wanted.cursor] not in _GROWING:
            raise SourceMisconfigured(
                f"The column {wanted.cursor} is a {types[wanted.cursor]}; a cursor is a number, a date or a time."
            )
        self._types = {name: types[name] for name in (wanted.columns or types)}
        self._order_types = [types[name] for name in (wanted.cursor, *wanted.key)]

    def _table(self) -> sql.Composable:
        return sql.SQL("{} as t").format(sql.Identifier(self._settings.schema, self._settings.table))

    def _order_names(self) -> list[str]:
        return [self._settings.cursor, *self._settings.key]

    def _order(self) -> sql.Composable:
        return sql.SQL(", ").join(_column(name) for name in self._order_names())

    def _value(self, index: int) -> sql.Composable:
        """A place in the order, sent as text."""
        return sql.SQL("cast({} as {})").format(sql.Placeholder(), sql.SQL(self._order_types[index]))

    def _compared(self, sign: str) -> sql.Composable:
        values = sql.SQL(", ").join(self._value(i) for i in range(len(self._order_types)))
        return sql.SQL("({}) {} ({})").format(self._order(), sql.SQL(sign), values)

    def _overlap(self) -> sql.Composable:
        amount = self._settings.overlap
        if self._order_types[0] in _TIMES:
            return sql.SQL("make_interval(secs => {})").format(sql.Literal(amount))
        if self._order_types[0] == "date":
            return sql.Literal(int(-(-amount // 86_400)))
        return sql.Literal(int(amount))

    def _selected(self) -> sql.Composable:
        shown = [_shown(name, kind) for name, kind in self._types.items()]
        places = [sql.SQL("{}::text").format(_column(name)) for name in self._order_names()]
        return sql.SQL(", ").join([*shown, *places])

    def _rows(
        self, conditions: Sequence[sql.Composable], values: list[Any], limit: int
    ) -> tuple[pa.RecordBatch, list[str] | None]:
        query = sql.SQL("select {} from {} where {} order by {} limit {}").format(
            self._selected(), self._table(), sql.SQL(" and ").join(conditions), self._order(), sql.Literal(limit)
        )
        try:
            rows = self._connection.execute(query, values).fetchall()
        except psycopg.Error as error:
            raise _said(error) from error
        width = len(self._types)
        columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * width
        arrays = [_array(columns[i], kind) for i, kind in enumerate(self._types.values())]
        batch = pa.RecordBatch.from_arrays(arrays, names=list(self._types))
        return batch, [str(value) for value in rows[-1][width:]] if rows else None


def _column(name: str) -> sql.Identifier:
    return sql.Identifier("t", name)


def _written_by(horizon: int) -> sql.Composable:
    return sql.SQL("(") + sql.SQL(_WRITTEN_BY).format(horizon=sql.Literal(horizon)) + sql.SQL(")")


def _shown(name: str, kind: str) -> sql.Composable:
    """A column in a form that holds every value: times as microseconds, what has no plain type as text."""
    column = _column(name)
    if kind in _TIMES:
        form = "case when isfinite({0}) then (extract(epoch from {0}) * 1000000)::bigint end"
        return sql.SQL(form).format(column)
    if kind in _NUMBERS:
        return column
    if kind == "date":
        return sql.SQL("case when isfinite({0}) then {0} - date '1970-01-01' end").format(column)
    return sql.SQL("left({}::text, {})").format(column, sql.Literal(_TEXT_MAX))


def _array(values: Sequence[Any], kind: str) -> pa.Array:
    if kind in _TIMES:
        return pa.array(values, pa.int64()).cast(_TIMES[kind])
    if kind == "date":
        return pa.array(values, pa.int32()).cast(pa.date32())
    return pa.array(values, _NUMBERS.get(kind, pa.string()))


def _ca_file(credentials: Credentials) -> Any:
    """The certificate authority as a file, which is all that the driver takes; None without one."""
    if not credentials.ca:
        return None
    file = tempfile.NamedTemporaryFile("w", prefix="finer-ca-", suffix=".pem")  # noqa: SIM115 - closed by close()
    file.write(credentials.ca)
    file.flush()
    return file


def _said(error: Exception) -> SourceFailed | SourceMisconfigured:
    sentence = (
        f"PostgreSQL says: {str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__}"
    )
    code = getattr(error, "sqlstate", None) or ""
    # Wrong password, no such database, no privilege, undefined table or column, a value that is no cursor.
    if code[:2] in ("28", "42", "22") or (not code and any(word in sentence for word in _REFUSALS)):
        return SourceMisconfigured(sentence)
    return SourceFailed(sentence)
