"""BI tools read a masked copy of what two people let them, as PostgreSQL, and nothing else, until it is taken back."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
import psycopg
import pyarrow as pa
import pytest

from finer.app.api import create_app
from finer.app.bi_extracts import ExtractsFailed, refresh_extracts
from finer.app.doctor import examine
from finer.app.job_types import Ground
from finer.identity.types.access import Role
from finer.kit import runs
from finer.kit.actors import SYSTEM
from finer.kit.crypto.keyring import Keyring
from finer.kit.db import Database
from finer.kit.settings import Settings
from finer.warehouse.service import extracts
from finer.warehouse.service.lake import LakeWriter
from tests.security.world import World
from tests.support.asgi import Answer, Driver, driving
from tests.support.bi_database import bi_database, over_tcp
from tests.support.identity import Firm
from tests.support.kafka import JARS
from tests.warehouse.samples import sample_batch

EXTRACTS = "/api/v1/bi/extracts"
_READER = Path(__file__).resolve().parents[1] / "bi" / "Reader.java"
_NO_JDBC = (
    ""
    if shutil.which("javac") and any(JARS.glob("postgresql-*.jar"))
    else ("The JDBC driver is tried where a JDK 17 is and the jars are that `make test` fetches with Maven.")
)
ASKED = {
    "name": "sales",
    "tables": ["transactions", "decisions"],
    "shown_as": "data_engineer",
    "reason": "For Tableau.",
}


@pytest.fixture(scope="module")
def bi_url() -> Iterator[str]:
    with bi_database() as url:
        yield url


@pytest.fixture(scope="module")
def settings(
    database_url: str, data_path: Path, tmp_path_factory: pytest.TempPathFactory, keys: Keyring, bi_url: str
) -> Settings:
    return Settings(
        database_url=database_url, data_dir=str(tmp_path_factory.mktemp("bi")), argon2_memory_kib=8,
        argon2_iterations=1,
        key_file=str(data_path / "master.key"), database_pool_connections=4, lake_flush_s=0.05, bi_database_url=bi_url,
    )  # fmt: skip


@pytest.fixture(scope="module")
def driver(settings: Settings) -> Iterator[Driver]:
    with driving(create_app(settings)) as found:
        yield found


class Firms:
    """Firms with a lake of 50 transactions, and what their people ask."""

    def __init__(self, driver: Driver, settings: Settings, database: Database, worker: Database) -> None:
        self.driver, self.settings, self.database, self.worker = driver, settings, database, worker

    def made(self) -> World:
        mark = f"bi{uuid.uuid4().hex[:12]}"
        world = World(Firm.made(self.database, self.settings, mark), self.worker, mark).furnish()
        self.write(world, 0, 50)
        return world

    def write(self, world: World, first: int, rows: int) -> None:
        batch = sample_batch(world.firm.tenant.id, first, rows)
        named = batch.events.append_column(
            "customer_id", pa.array([f"customer-{world.mark}-{n % 3}" for n in range(rows)])
        )
        text = pa.array(['a "quoted", text\nof \0two lines', "", None] * rows, pa.string())[:rows]
        writer = LakeWriter(self.settings.database_url, self.settings)
        writer.put(msgspec.structs.replace(batch, events=named.append_column("merchant_city", text)))
        assert writer.flush()
        writer.close()

    def call(self, world: World, role: Role, method: str, path: str, body: Any = b"") -> Answer:
        return self.driver.call(method, path, world.headers(role.value), body)

    def opened(self, world: World, **more: Any) -> dict[str, Any]:
        """An extract that a second person let begin."""
        asked = self.call(world, Role.DATA_ENGINEER, "POST", EXTRACTS, ASKED | more)
        assert asked.status == 202, asked.text
        path = f"/api/v1/proposals/{asked.json()['proposal']}"
        shown = self.call(world, Role.ADMINISTRATOR, "GET", path).json()
        decision = {"sha256": shown["sha256"], "reason": "They may."}
        assert self.call(world, Role.ADMINISTRATOR, "POST", f"{path}/approval", decision).status == 200
        items = self.call(world, Role.DATA_ENGINEER, "GET", EXTRACTS).json()["items"]
        return next(one for one in items if one["name"] == (ASKED | more)["name"])

    def refresh(self, world: World) -> dict[str, int]:
        """The work of the newest run that was asked for."""
        with self.worker.transaction(world.firm.tenant.id, SYSTEM) as tx:
            record = runs.page(tx, runs.RunFilter(job=extracts.REFRESH_JOB), 1)[0]
        ground = Ground(self.worker, self.settings.database_url, self.settings)
        return dict(refresh_extracts(ground, runs.Run(record, world.firm.tenant.id)) or {})

    def password(self, world: World, extract: dict[str, Any]) -> str:
        answer = self.call(world, Role.DATA_ENGINEER, "POST", f"{EXTRACTS}/{extract['id']}/password")
        assert answer.status == 200, answer.text
        parts = urlsplit(self.settings.bi_database_url)
        who = f"{extract['login']}:{answer.json()['password']}"
        return urlunsplit((parts.scheme, f"{who}@{parts.netloc.rpartition('@')[2]}", parts.path, parts.query, ""))


@pytest.fixture(scope="module")
def firms(driver: Driver, settings: Settings, database: Database, worker_database: Database) -> Firms:
    return Firms(driver, settings, database, worker_database)


def test_a_bi_tool_reads_what_two_people_let_it(firms: Firms) -> None:
    world = firms.made()
    extract = firms.opened(world)
    assert (extract["refreshed_at"], extract["password_at"]) == (None, None)
    early = firms.call(world, Role.DATA_ENGINEER, "POST", f"{EXTRACTS}/{extract['id']}/password")
    assert (early.status, "being copied" in early.text) == (422, True)
    assert firms.refresh(world) == {"extracts": 1, "rows": 100}
    url = firms.password(world, extract)
    with psycopg.connect(url) as connection:
        # What a driver asks first, and how Tableau and Power BI find tables and columns.
        found = connection.execute(
            "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE' "
            "and table_schema not in ('pg_catalog', 'information_schema') order by 2"
        ).fetchall()
        assert found == [(extract["login"], "decisions"), (extract["login"], "transactions")]
        types: dict[str, str] = dict(
            connection.execute(
                "select column_name, data_type from information_schema.columns where table_name = 'transactions'"
            ).fetchall()
        )
        assert types["occurred_at"] == "timestamp with time zone"
        assert (types["amount_minor"], types["customer_id"]) == ("bigint", "text")
        # A cursor that is fetched in pieces, and a prepared statement with parameters.
        with connection.cursor("pages") as cursor:
            cursor.itersize = 7
            cursor.execute("select amount_minor from transactions order by log_offset")
            assert [row[0] for row in cursor] == [n * 100 + 5 for n in range(50)]
        for n in range(7):
            answer = connection.execute(
                "select count(*) from transactions where log_offset < %s", (n,), prepare=True
            ).fetchone()
            assert answer == (n,)
        joined = connection.execute(
            "select d.action, count(*), sum(t.amount_minor)::bigint from transactions t "
            "join decisions d using (event_id) group by 1 order by 1"
        ).fetchall()
        assert joined == [("approve", 45, 112_725), ("block", 5, 10_025)]
        moment = connection.execute("select min(occurred_at) from transactions").fetchone()
        assert moment == (datetime(2026, 3, 1, 12, tzinfo=UTC),)
        cities = connection.execute("select distinct merchant_city from transactions order by 1 nulls last").fetchall()
        assert cities == [("",), ('a "quoted", text\nof two lines',), (None,)]
        assert connection.execute("select rules from decisions where action = 'block' limit 1").fetchone() == (
            "velocity",
        )
        seen = repr(connection.execute("select customer_id, account_id from transactions").fetchall())
        assert world.mark not in seen
        assert "account-3" not in seen
        tokens = connection.execute("select count(distinct customer_id) from transactions").fetchone()
        assert tokens == (3,)


def test_c02_a_login_reads_its_own_extract_and_writes_nothing(firms: Firms, bi_url: str) -> None:
    ours, theirs = firms.made(), firms.made()
    extract, other = firms.opened(ours), firms.opened(theirs)
    firms.refresh(ours)
    firms.refresh(theirs)
    url = firms.password(ours, extract)
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (
            "delete from transactions",
            "create table mine (n int)",
            "create temporary table mine (n int)",
        ):
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                connection.execute(statement)
        # A session may write for all that PostgreSQL says of its transactions, and then has no right to.
        connection.execute("set default_transaction_read_only = off")
        for statement in (
            f"select * from {other['login']}.transactions",
            "insert into transactions default values",
            "delete from transactions",
            "create table mine (n int)",
            "create table public.mine (n int)",
            "create temporary table mine (n int)",
            "create schema mine",
            "select lo_creat(0)",
            "select lo_create(0)",
            "select lo_from_bytea(0, 'mine')",
            f"set role {other['login']}",
            "copy transactions to program 'id'",
            "select pg_read_file('/etc/passwd')",
            "set temp_file_limit = -1",
            "set log_statement = 'none'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        visible = connection.execute(
            "select distinct n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname not in ('pg_catalog', 'information_schema') and c.relkind = 'r' "
            "and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')"
        ).fetchall()
        assert visible == [(extract["login"],)]
    with psycopg.connect(bi_url) as owner:
        limits = owner.execute(
            "select rolconnlimit, rolcanlogin, rolsuper, rolinherit from pg_roles where rolname = %s",
            (extract["login"],),
        ).fetchone()
        assert limits == (5, True, False, False)
        # What Finer does not take away by itself is said, until the owner of the server did it.
        assert "in that database: revoke connect on database postgres, template1 from public;" in _doctor(firms)
        owner.execute("revoke connect on database postgres, template1 from public")
        owner.commit()
    assert _doctor(firms) == "answers; logins of extracts reach nothing but their extract."


def _doctor(firms: Firms) -> str:
    (found,) = [one for one in examine(firms.settings) if one.what == "BI database"]
    assert found.good
    return found.says


@pytest.mark.skipif(bool(_NO_JDBC) and not os.environ.get("CI"), reason=_NO_JDBC or "never")
def test_the_driver_of_tableau_finds_fetches_and_meets_the_walls(firms: Firms) -> None:
    world, theirs = firms.made(), firms.made()
    extract, other = firms.opened(world), firms.opened(theirs)
    firms.refresh(world)
    firms.refresh(theirs)
    url = firms.password(world, extract)
    with over_tcp(url) as port:
        said = subprocess.run(
            ["java", "-XX:TieredStopAtLevel=1", "-cp", str(next(JARS.glob("postgresql-*.jar"))), str(_READER),
             f"jdbc:postgresql://127.0.0.1:{port}/{urlsplit(url).path[1:]}", extract["login"], other["login"]],
            env=os.environ | {"BI_PASSWORD": urlsplit(url).password or ""}, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
    assert said.returncode == 0, said.stderr
    lines = said.stdout.splitlines()
    assert [one for one in lines if one.startswith("table ")] == ["table decisions", "table transactions"]
    assert {"column amount_minor int8", "column occurred_at timestamptz", "column customer_id text"} <= set(lines)
    assert [one for one in lines if one.startswith("fetched ")] == ["fetched 35 59675", "fetched 50 122750"]
    # Another firm's rows, and every write: no right (42501), or a session that only reads (25006).
    assert [one for one in lines if one.startswith(("refused", "ALLOWED"))] == [
        "refused 42501", "refused 25006", "refused 42501", "refused 42501", "refused 42501",
    ]  # fmt: skip


def test_a_refresh_shows_what_came_since_and_readers_never_see_half(firms: Firms) -> None:
    world = firms.made()
    extract = firms.opened(world, shown_as="executive", days=3650)
    firms.refresh(world)
    with psycopg.connect(firms.password(world, extract), autocommit=True) as connection:
        count = "select count(*), count(customer_id) from transactions"
        assert connection.execute(count).fetchone() == (50, 0)
        firms.write(world, 50, 10)
        asked = firms.call(world, Role.DATA_ENGINEER, "POST", f"{EXTRACTS}/{extract['id']}/refresh")
        assert (asked.status, asked.json()["run"][:4]) == (202, "run_")
        assert connection.execute(count).fetchone() == (50, 0)
        assert firms.refresh(world)["rows"] == 120
        assert connection.execute(count).fetchone() == (60, 0)
    with firms.worker.transaction(world.firm.tenant.id, SYSTEM) as tx:
        assert extracts.due(tx) == []
        assert extracts.refresh_all(tx) == 1


def test_i01_an_extract_is_taken_back_at_once(firms: Firms, bi_url: str) -> None:
    world = firms.made()
    extract = firms.opened(world)
    firms.refresh(world)
    path = f"{EXTRACTS}/{extract['id']}"
    first = firms.password(world, extract)
    with psycopg.connect(first, autocommit=True) as old:
        second = firms.password(world, extract)
        with pytest.raises(psycopg.OperationalError):
            old.execute("select 1")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(first)
    _own_an_object(bi_url, extract["login"])
    with psycopg.connect(second, autocommit=True) as connection:
        assert firms.call(world, Role.ADMINISTRATOR, "DELETE", path).status == 204
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(second)
    assert _roles(bi_url, extract["login"]) == []
    # A role that stored something in another database of the server stays there, and lets nobody in.
    extract = firms.opened(world, name="again")
    firms.refresh(world)
    firms.password(world, extract)
    _own_an_object(bi_url.replace("/finer?", "/postgres?"), extract["login"])
    assert firms.call(world, Role.ADMINISTRATOR, "DELETE", f"{EXTRACTS}/{extract['id']}").status == 204
    assert _roles(bi_url, extract["login"]) == [(False, None)]
    assert firms.call(world, Role.DATA_ENGINEER, "GET", EXTRACTS).json()["items"] == []
    actions = {
        one["action"]
        for one in firms.call(world, Role.AUDITOR, "GET", "/api/v1/audit?action=lake:extract*").json()["items"]
    }
    assert {"lake:extract_refreshed", "lake:extract_password", "lake:extract_close"} <= actions


def _own_an_object(url: str, login: str) -> None:
    """Let a login own a large object, as one could make it before that was taken from it."""
    with psycopg.connect(url) as owner:
        owner.execute(f"alter large object {owner.execute('select lo_create(0)').fetchall()[0][0]} owner to {login}")


def _roles(url: str, login: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as owner:
        return owner.execute("select rolcanlogin, rolpassword from pg_authid where rolname = %s", (login,)).fetchall()


def test_what_cannot_be_is_refused_with_what_to_do(firms: Firms, settings: Settings, database_url: str) -> None:
    world = firms.made()
    for change, status, says in (
        ({"name": "Sales 2"}, 422, "small letters"),
        ({"tables": ["nothing"]}, 404, "decisions, transactions"),
        ({"tables": ["decisions", "decisions"]}, 422, "each once"),
        ({"shown_as": "risk_analyst"}, 422, "Choose another role"),
        ({"shown_as": "service"}, 422, "Choose another role"),
        ({"every_hours": 0}, 400, "every_hours"),
        ({"reason": ""}, 422, "say why"),
    ):
        answer = firms.call(world, Role.DATA_ENGINEER, "POST", EXTRACTS, ASKED | change)
        assert (answer.status, says.lower() in answer.text.lower()) == (status, True), (change, answer.text)
    page = firms.call(world, Role.DATA_ENGINEER, "GET", EXTRACTS).json()
    assert "data_engineer" in page["roles"]
    assert not {"risk_analyst", "service", "administrator"} & set(page["roles"])
    firms.opened(world)
    again = firms.call(world, Role.DATA_ENGINEER, "POST", EXTRACTS, ASKED)
    assert (again.status, "already" in again.text) == (409, True)
    # Finer's own database is no place for BI tools, and one that does not answer is said at the extract.
    for url, says in ((database_url, "Finer itself"), ("postgresql://nobody@127.0.0.1:9/x", "refused")):
        firms.settings = msgspec.structs.replace(settings, bi_database_url=url)
        with pytest.raises(ExtractsFailed, match="1 of 1"):
            firms.refresh(world)
        (finding,) = [one for one in examine(firms.settings) if one.what == "BI database"]
        assert (finding.good, says in finding.says) == (False, True)
        firms.settings = settings
        (shown,) = firms.call(world, Role.DATA_ENGINEER, "GET", EXTRACTS).json()["items"]
        assert says in shown["problem"]
    firms.settings = msgspec.structs.replace(settings, bi_rows_max=49)
    with pytest.raises(ExtractsFailed):
        firms.refresh(world)
    firms.settings = settings
    (shown,) = firms.call(world, Role.DATA_ENGINEER, "GET", EXTRACTS).json()["items"]
    assert "50 rows" in shown["problem"]


def test_without_a_bi_database_the_answer_says_how_to_get_one(
    settings: Settings, database: Database, worker_database: Database, tmp_path: Path
) -> None:
    without = msgspec.structs.replace(settings, bi_database_url="", data_dir=str(tmp_path))
    with driving(create_app(without)) as driver:
        firms = Firms(driver, without, database, worker_database)
        world = firms.made()
        assert firms.call(world, Role.DATA_ENGINEER, "GET", EXTRACTS).json()["address"] is None
        answer = firms.call(world, Role.DATA_ENGINEER, "POST", EXTRACTS, ASKED)
        assert (answer.status, "FINER_BI_DATABASE_URL" in answer.text) == (503, True)
