"""A table of another PostgreSQL: every row version once, late commits included, whatever is cut in the middle."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from finer.kit.db import Database
from finer.sources.errors import BackfillImpossible, SettingsInvalid, SourceMisconfigured
from finer.sources.service import manage, opening
from finer.sources.service.reach import Reach
from finer.sources.types import Credentials, PostgresSettings, Source, State
from tests.sources.conftest import Desk, made_desk
from tests.support.relay import Relay, relaying

MAPPING = """
timezone: Asia/Manila
columns:
  event_id: {join: [id, version], with: "-"}
  occurred_at: at
  customer_id: who
  amount: amount
  currency: "'PHP'"
"""


@pytest.fixture(scope="module")
def bank_url(database_url: str) -> Iterator[str]:
    """The address of a second database of the embedded server: the bank's own."""
    name = f"bank_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(f"create database {name}")
        yield urlsplit(database_url)._replace(path=f"/{name}").geturl()
        owner.execute(f"drop database {name} with (force)")


@pytest.fixture
def relay(bank_url: str) -> Iterator[Relay]:
    socket = parse_qs(urlsplit(bank_url).query)["host"][0]
    with relaying(f"{socket}/.s.PGSQL.5432") as found:
        yield found


@pytest.fixture
def bank(bank_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(bank_url, autocommit=True) as connection:
        connection.execute("drop table if exists payments cascade")
        connection.execute(
            "create table payments (id bigint generated always as identity primary key, version int default 1, "
            "at timestamptz not null, who text, amount numeric(12,2), changed timestamptz not null default now(), "
            "extra jsonb)"
        )
        yield connection


@pytest.fixture
def desk(relay: Relay, database: Database, database_url: str, data_path: Path, tmp_path: Path) -> Desk:
    return made_desk(database, database_url, data_path, tmp_path, f"127.0.0.1:{relay.port}")


def _settings(bank_url: str, relay: Relay, **more: Any) -> PostgresSettings:
    wanted: dict[str, Any] = {
        "host": "127.0.0.1", "port": relay.port, "database": urlsplit(bank_url).path[1:], "user": "postgres",
        "table": "payments", "cursor": "changed", "key": ["id"], "tls": "disable", "rows": 100,
    }  # fmt: skip
    return PostgresSettings(**wanted | more)


def _source(desk: Desk, bank_url: str, relay: Relay, **more: Any) -> Source:
    return desk.add(_settings(bank_url, relay, **more), mapping=MAPPING, credentials=Credentials(secret="x"))


def _pay(connection: psycopg.Connection[Any], *amounts: str, changed: str = "clock_timestamp()") -> None:
    for amount in amounts:
        row = f"'2026-11-20 10:00+08', 'ann', {amount}, {changed}"
        connection.execute(f"insert into payments (at, who, amount, changed) values ({row})")


def _ids(desk: Desk) -> list[str]:
    return [record["event_id"] for record in desk.logged()]


def test_rows_come_in_pages_once_and_exactly(
    desk: Desk, bank: psycopg.Connection[Any], bank_url: str, relay: Relay
) -> None:
    bank.execute(
        "insert into payments (at, who, amount, changed) select '2026-11-20 10:00+08', 'c' || i, i + 0.25, "
        "now() - interval '1 day' from generate_series(1, 250) as i"
    )
    source = _source(desk, bank_url, relay)
    now = desk.sweep(source)
    assert _ids(desk) == [f"{number}-1" for number in range(1, 251)]
    first = desk.logged()[0]
    assert (first["amount_minor"], first["occurred_at"].isoformat()) == (125, "2026-11-20T02:00:00+00:00")
    assert (now.received, now.lag, now.lag_unit) == (250, 0, "rows")
    desk.sweep(source, 3)
    _pay(bank, "1")
    bank.execute("update payments set version = 2, changed = clock_timestamp() where id = 7")
    desk.sweep(source, 2)
    assert _ids(desk)[250:] == ["251-1", "7-2"]


def test_a_late_commit_is_not_missed_and_nothing_comes_twice(
    desk: Desk, bank: psycopg.Connection[Any], bank_url: str, relay: Relay
) -> None:
    source = _source(desk, bank_url, relay)
    _pay(bank, "1")
    desk.sweep(source)
    with psycopg.connect(bank_url) as slow, psycopg.connect(bank_url) as nested:
        _pay(slow, "2")
        # In a subtransaction, which no snapshot lists.
        nested.execute("select pg_current_xact_id()")
        with nested.transaction():
            _pay(nested, "3")
        _pay(bank, "4")
        desk.sweep(source)
        # What was committed after older transactions began waits for them: it could be overtaken.
        assert _ids(desk) == ["1-1"]
        slow.commit()
        desk.sweep(source)
        nested.commit()
    _pay(bank, "5")
    desk.sweep(source, 2)
    assert sorted(_ids(desk)) == ["1-1", "2-1", "3-1", "4-1", "5-1"]
    # One that is committed behind rows that were read already, with an earlier value of the cursor.
    with psycopg.connect(bank_url) as slow:
        _pay(slow, "6")
        _pay(bank, "7", changed="clock_timestamp() + interval '1 second'")
        desk.sweep(source)
        slow.commit()
    desk.sweep(source, 2)
    assert sorted(_ids(desk)) == [f"{number}-1" for number in range(1, 8)]


def test_a_late_row_behind_the_cursor_is_found_by_looking_back(
    desk: Desk, bank: psycopg.Connection[Any], bank_url: str, relay: Relay
) -> None:
    source = _source(desk, bank_url, relay, rows=2)
    _pay(bank, "1", "2", "3")
    desk.sweep(source)
    _pay(bank, "4", "5", "6", changed="clock_timestamp() - interval '5 minutes'")
    _pay(bank, "7", changed="clock_timestamp() - interval '1 hour'")
    desk.sweep(source, 2)
    assert sorted(_ids(desk)) == [f"{number}-1" for number in range(1, 7)]  # 7 lies behind the overlap


def test_a_connection_that_is_cut_loses_and_repeats_nothing(
    desk: Desk, bank: psycopg.Connection[Any], bank_url: str, relay: Relay
) -> None:
    bank.execute(
        "insert into payments (at, who, amount) select '2026-11-20 10:00+08', repeat('x', 60), i "
        "from generate_series(1, 1000) as i"
    )
    source = _source(desk, bank_url, relay)
    relay.cut_after(60_000)
    now = desk.sweep(source)
    assert now.state is State.FAILING
    assert 0 < now.received < 1000
    desk.sweep(source)
    assert _ids(desk) == [f"{number}-1" for number in range(1, 1001)]


def test_values_that_no_type_holds_break_their_record_only(
    desk: Desk, bank: psycopg.Connection[Any], bank_url: str, relay: Relay
) -> None:
    for at in ("infinity", "-infinity", "0044-03-15 BC", "200000-01-01", "2026-11-20"):
        bank.execute("insert into payments (at, who, amount) values (%s, 'ann', 1)", (at,))
    bank.execute("insert into payments (at, who, amount) values ('2026-11-20', null, 'NaN'), ('2026-11-20', 'b', 2)")
    now = desk.sweep(_source(desk, bank_url, relay))
    assert (now.accepted, now.quarantined, now.state) == (2, 5, State.RUNNING)
    assert sorted(_ids(desk)) == ["5-1", "7-1"]


def test_a_backfill_begins_at_a_value(desk: Desk, bank: psycopg.Connection[Any], bank_url: str, relay: Relay) -> None:
    source = _source(desk, bank_url, relay, cursor="id", overlap=0)
    _pay(bank, "1", "2", "3")
    desk.sweep(source)
    with desk.firm.tx() as tx:
        manage.backfill(tx, source.id, "2")
    assert desk.sweep(source).backfill == ""
    assert _ids(desk) == ["1-1", "2-1", "3-1", "2-1", "3-1"]


@pytest.mark.parametrize(
    ("cursor", "begin", "again"),
    [
        ("id", "1800000000000000002", 1),  # as many digits as the ids of some systems have
        ("id", "1800000000000000001.5", 1),
        ("id", "1800000000000000002.5", 0),
        ("id", "9223372036854775808", 0),
        ("id", "-" + "9" * 30, 1),
        ("number", "3000000000", 0),
        ("large", "99999999999999999999", 1),
        ("large", "100000000000000000000.5", 0),
        ("day", "2026-W47-5", 1),
        ("changed", "2026-11-20T00:00:00,5Z", 1),
    ],
)
def test_a_beginning_that_means_something_stops_no_source(
    desk: Desk, bank: psycopg.Connection[Any], bank_url: str, relay: Relay, cursor: str, begin: str, again: int
) -> None:
    bank.execute("alter table payments alter id set generated by default, add number int default 7, add day date")
    bank.execute("alter table payments add large numeric default 100000000000000000000")
    row = "1800000000000000002, '2026-11-20 10:00+08', 'ann', 1, '2026-11-20', '2026-11-20 10:00+08'"
    bank.execute(f"insert into payments (id, at, who, amount, day, changed) values ({row})")
    source = _source(desk, bank_url, relay, cursor=cursor, overlap=0)
    desk.sweep(source)
    with desk.firm.tx() as tx:
        manage.backfill(tx, source.id, begin)
    now = desk.sweep(source)
    assert (now.state, now.error, now.backfill) == (State.RUNNING, "", "")
    assert _ids(desk) == ["1800000000000000002-1"] * (1 + again)


@pytest.mark.parametrize("cursor", ["id", "changed"])
@pytest.mark.parametrize(
    ("begin", "told"),
    [
        ("yesterday", "neither a number nor a date"),
        ("'; drop table payments; --", "neither a number nor a date"),
        ("2026-13-01", "neither a number nor a date"),
        ("9" * 201, "neither a number nor a date"),
        ({"id": "2026-11-01T00:00:00Z", "changed": "1.5"}, "cannot be held to the cursor, which stands at"),
        ({"id": "2026-11-01T00:00:00Z", "changed": "7"}, "cannot be held to the cursor, which stands at"),
    ],
)
def test_a_beginning_that_the_table_cannot_compare_is_refused_and_the_source_goes_on(
    desk: Desk, bank: psycopg.Connection[Any], bank_url: str, relay: Relay, cursor: str, begin: Any, told: str
) -> None:
    source = _source(desk, bank_url, relay, cursor=cursor, overlap=0)
    _pay(bank, "1")
    desk.sweep(source)
    with pytest.raises(BackfillImpossible, match=told), desk.firm.tx() as tx:
        manage.backfill(tx, source.id, begin if isinstance(begin, str) else begin[cursor])
    _pay(bank, "2")
    assert desk.sweep(source).state is State.RUNNING
    assert _ids(desk) == ["1-1", "2-1"]


@pytest.mark.parametrize(("cursor", "begin", "good"), [("id", "2026-11-01", "1"), ("changed", "2", "2000-01-01")])
def test_a_beginning_of_another_kind_before_the_first_sweep_is_told_with_what_to_do(
    desk: Desk, bank: psycopg.Connection[Any], bank_url: str, relay: Relay, cursor: str, begin: str, good: str
) -> None:
    source = _source(desk, bank_url, relay, cursor=cursor, overlap=0)
    _pay(bank, "2")
    with desk.firm.tx() as tx:
        manage.backfill(tx, source.id, begin)
    stopped = desk.sweep(source)
    assert f"its column {cursor} is a " in stopped.error
    assert "Backfill it from a " in stopped.error
    with desk.firm.tx() as tx:
        manage.backfill(tx, source.id, good)
        manage.resume(tx, source.id)
    now = desk.sweep(source)
    assert (now.state, now.error, now.backfill) == (State.RUNNING, "", "")
    assert _ids(desk) == ["1-1"]


def test_a_view_waits_for_what_may_still_come(
    desk: Desk, bank: psycopg.Connection[Any], bank_url: str, relay: Relay
) -> None:
    bank.execute("create view recent as select * from payments")
    _pay(bank, "1", changed="now() - interval '1 hour'")
    _pay(bank, "2")
    desk.sweep(_source(desk, bank_url, relay, table="recent"), 2)
    assert _ids(desk) == ["1-1"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"table": "nothing"}, "no table"), ({"cursor": "who"}, "a cursor is"), ({"key": ["nope"]}, "no column"),
        ({"database": "nothing"}, "does not exist"), ({"table": 'payments"; drop table payments; --'}, "no table"),
        ({"user": "nobody"}, "PostgreSQL says"),
    ],
)  # fmt: skip
def test_settings_that_cannot_work_stop_the_source(
    desk: Desk, bank: psycopg.Connection[Any], bank_url: str, relay: Relay, more: dict[str, Any], said: str
) -> None:
    now = desk.sweep(_source(desk, bank_url, relay, **more))
    assert now.state is State.STOPPED
    assert said in now.error


def test_a_look_is_read_only_and_short(desk: Desk, bank: psycopg.Connection[Any], bank_url: str, relay: Relay) -> None:
    _pay(bank, *map(str, range(1, 40)))
    bank.execute("create function evil() returns int language sql volatile as 'delete from payments; select 1'")
    bank.execute("create view trap as select id, version, at, who, amount, changed, evil() as e from payments")
    source = _source(desk, bank_url, relay)
    credentials = Credentials(secret="x")
    found = opening.try_out(source, credentials, desk.surroundings())
    assert found.accepted == 20
    trap = _source(desk, bank_url, relay, table="trap", overlap=0)
    now = desk.sweep(trap)
    assert now.state in (State.FAILING, State.STOPPED)
    assert "read-only" in now.error
    assert bank.execute("select count(*) from payments").fetchone() == (39,)


def test_a_slow_query_is_ended(desk: Desk, bank: psycopg.Connection[Any], bank_url: str, relay: Relay) -> None:
    bank.execute("create view slow as select *, pg_sleep(30)::text as s from payments")
    _pay(bank, "1", changed="now() - interval '1 hour'")
    now = desk.sweep(_source(desk, bank_url, relay, table="slow", timeout_s=1))
    assert now.state is State.FAILING
    assert "statement timeout" in now.error


def test_e01_only_hosts_that_the_operator_leaves_open_are_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """FINER_OUTBOUND_ONLY holds for every protocol, and before any name is looked up."""
    asked: list[str] = []

    def answer(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", port))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    reach = Reach("acme", hosts=frozenset({"listed.internal:5432"}), only=("*.bank.example",))
    assert reach.address_of("db.bank.example", 5432) == "8.8.8.8"
    assert reach.address_of("listed.internal", 5432) == "8.8.8.8"
    with pytest.raises(SourceMisconfigured, match="FINER_OUTBOUND_ONLY"):
        reach.address_of("db.evil.example", 5432)
    assert "db.evil.example" not in asked


def test_e01_databases_inside_are_refused(desk: Desk, bank_url: str, relay: Relay) -> None:
    with pytest.raises(SettingsInvalid, match="FINER_SOURCES_HOSTS"):
        _source(desk, bank_url, relay, host="10.0.0.1")
    for host in ("127.0.0.1", "localhost", "169.254.169.254", "::1", "0", "/tmp"):
        now = desk.sweep(_source(desk, bank_url, relay, host=host, port=5433, tls="verify-full"))
        assert now.state in (State.STOPPED, State.FAILING)
        assert "inside a network" in now.error or "not known" in now.error
