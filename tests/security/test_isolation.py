"""B07, B08: one firm never reaches another's rows, and Finer does not serve when the database would let it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
import sqlalchemy as sa

from finer.app.authentication import isolation_problems
from finer.identity.errors import KeyNotFound, UserNotFound
from finer.identity.service import api_keys, audit, isolation, people, sessions, tenants
from finer.identity.types.access import Factor, Permission
from finer.kit.actors import SYSTEM
from finer.kit.clock import SystemClock
from finer.kit.db import API, NO_TENANT, WORKER, Database, begin_tenant
from finer.kit.tx import Tx
from tests.support.identity import Firm

_PLANTED, _STRANGER = uuid.UUID(int=1), uuid.UUID(int=2)
_TABLES = ["users", "sessions", "sign_in_links", "api_keys", "audit_entries"]


@pytest.fixture
def furnished(firm: Firm) -> Firm:
    """A firm with a row in every table of identity."""
    user = firm.user()
    firm.key()
    with firm.tx() as tx:
        people.create_sign_in_link(tx, email=user.email)
        sessions.begin_session(tx, user.id, "test", factor=Factor.PASSWORD)
    return firm


@pytest.mark.parametrize("table", _TABLES)
def test_another_firm_reads_and_changes_no_row(
    furnished: Firm, other_firm: Firm, worker_database: Database, table: str
) -> None:
    count = f"select count(*) from identity_{table} where tenant_id = '{furnished.tenant.id}'"
    with furnished.tx() as tx:
        assert tx.connection.exec_driver_sql(count).scalar_one() > 0
    for database in (furnished.database, worker_database):
        for tenant in (other_firm.tenant.id, NO_TENANT):
            with database.transaction(tenant, SYSTEM) as tx:
                assert tx.connection.exec_driver_sql(count).scalar_one() == 0
    changes = {
        "users": "update identity_users set role = 'administrator'",
        "sessions": "update identity_sessions set revoked_at = null",
        "sign_in_links": "delete from identity_sign_in_links",
        "api_keys": "update identity_api_keys set revoked_at = null",
    }
    if table in changes:
        with other_firm.tx() as tx:
            statement = f"{changes[table]} where tenant_id = '{furnished.tenant.id}'"
            assert tx.connection.exec_driver_sql(statement).rowcount == 0


@pytest.mark.parametrize("table", [*_TABLES, "tenants"])
def test_another_firm_inserts_no_row(furnished: Firm, other_firm: Firm, table: str) -> None:
    foreign = str(furnished.tenant.id)
    values = {
        "users": f"(tenant_id, id, email_sealed, email_index, name_sealed, role, created_at) values ('{foreign}', "
        "gen_random_uuid(), 'x', 'x', 'x', 'administrator', now())",
        "sessions": "(tenant_id, id, user_id, token_hash, created_at, last_seen_at, user_agent) "
        f"values ('{foreign}', gen_random_uuid(), gen_random_uuid(), 'x', now(), now(), '')",
        "sign_in_links": "(tenant_id, id, user_id, token_hash, expires_at) "
        f"values ('{foreign}', gen_random_uuid(), gen_random_uuid(), 'x', now())",
        "api_keys": "(tenant_id, id, prefix, secret_hash, name, scopes, created_by, created_at, expires_at) "
        f"values ('{foreign}', gen_random_uuid(), 'deadbeef', 'x', 'x', '{{}}', 'x', now(), now())",
        "audit_entries": "(tenant_id, id, at, actor_kind, actor_id, actor_name, actor_role, action, subject, outcome, "
        f"origin, detail) values ('{foreign}', gen_random_uuid(), now(), '', '', '', '', '', '', '', '', '{{}}')",
        "tenants": "(id, slug, name, base_currency, timezone, branding, created_at) "
        f"values ('{uuid.uuid4()}', 'evil', 'x', 'PHP', 'UTC', '{{}}', now())",
    }
    with pytest.raises(sa.exc.ProgrammingError, match="row-level security"), other_firm.tx() as tx:
        tx.connection.exec_driver_sql(f"insert into identity_{table} {values[table]}")


def test_a_session_cannot_name_a_person_of_another_firm(furnished: Firm, other_firm: Firm) -> None:
    with furnished.tx() as tx:
        [user] = people.list_users(tx)
    with pytest.raises(sa.exc.IntegrityError), other_firm.tx() as tx:
        sessions.begin_session(tx, user.id, "test", factor=Factor.PASSWORD)


def test_no_service_finds_a_thing_of_another_firm(furnished: Firm, other_firm: Firm) -> None:
    with furnished.tx() as tx:
        [user] = people.list_users(tx)
        [key] = api_keys.list_api_keys(tx)
    with other_firm.tx() as tx:
        assert (people.list_users(tx), api_keys.list_api_keys(tx)) == ([], [])
        assert sessions.list_sessions(tx, furnished.settings, user.id) == []
        assert {line.subject for line in audit.list_audit(tx, 100, None)} == {f"ten_{other_firm.tenant.id.hex}"}
        for act in (people.create_sign_in_link, people.disable_user, people.revoke_sign_in_links):
            with pytest.raises(UserNotFound):
                act(tx, email=user.email)
        with pytest.raises(KeyNotFound):
            api_keys.revoke_api_key(tx, prefix=key.prefix)


def test_a_borrowed_connection_remembers_no_tenant(firm: Firm, other_firm: Firm, database_url: str) -> None:
    small = Database(database_url, API, connections=2)
    firms = [firm, other_firm]

    def visit(number: int) -> bool:
        mine = firms[number % 2]
        if number % 5 == 0:
            with small.engine.connect() as connection:  # somebody forgets to name a tenant
                return connection.exec_driver_sql("select id from identity_tenants").all() == []
        try:
            with small.transaction(mine.tenant.id, SYSTEM) as tx:
                seen = tenants.get_tenant(tx).id
                if number % 7 == 0:
                    tx.connection.exec_driver_sql("select 1 / 0")
        except sa.exc.DataError:
            pass
        return seen == mine.tenant.id

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(visit, range(200)))
    small.close()


@contextmanager
def _as_role(database_url: str, role: str, *faults: str) -> Iterator[Tx]:
    """A transaction of a stranger as that role, after the owner planted faults in it; rolled back at the end."""
    owner = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(database_url))
    clock = SystemClock()
    with owner.connect() as connection:
        outer = connection.begin()
        begin_tenant(connection, _PLANTED)
        tx = Tx(connection=connection, tenant=_PLANTED, actor=SYSTEM, clock=clock)
        isolation.plant_canary(tx)
        for fault in faults:
            connection.exec_driver_sql(fault)
        connection.exec_driver_sql(f"set local role {role}")
        begin_tenant(connection, _STRANGER)
        yield Tx(connection=connection, tenant=_STRANGER, actor=SYSTEM, clock=clock)
        outer.rollback()
    owner.dispose()


def test_a_sound_database_is_served(database: Database, worker_database: Database) -> None:
    assert isolation_problems(database) == []
    assert isolation_problems(database) == []
    assert isolation_problems(worker_database) == []


_BARE = "create table public.bare (tenant_id uuid not null, secret text)"
_OPEN_POLICY = "create policy open on identity_users using (true)"


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ((_BARE,), "Table bare has no forced row-level security"),
        ((_BARE, "alter table bare enable row level security"), "Table bare has no forced"),
        (
            (_BARE, "alter table bare enable row level security", "alter table bare force row level security"),
            "Table bare has no policy",
        ),
        (("alter table identity_tenants disable row level security",), "Table identity_tenants has no forced"),
        (("alter table identity_users no force row level security",), "Table identity_users has no forced"),
        (("drop policy tenant on identity_api_keys",), "Table identity_api_keys has no policy"),
        ((_OPEN_POLICY,), "The policy open on identity_users lets finer_api reach"),
        (("alter policy tenant on identity_sessions using (true)",), "identity_sessions lets finer_api reach"),
        (("alter policy tenant on identity_sessions with check (true)",), "identity_sessions lets finer_api reach"),
        (("alter table identity_audit_entries disable row level security",), "rows of another tenant can be read"),
        (
            (
                "alter table identity_audit_entries disable row level security",
                "alter table identity_audit_waiting disable row level security",
            ),
            "row of another tenant can be written",
        ),
        (("alter role finer_api bypassrls",), "The role finer_api passes by row-level security"),
        (("alter role finer_api superuser",), "The role finer_api passes by row-level security"),
        (("alter role finer_api createrole",), "may create roles"),
        (("grant finer_owner to finer_api",), "may act as finer_owner"),
        (("alter table identity_users owner to finer_api",), "owns identity_users"),
        (("grant truncate on identity_users to finer_api",), "has TRUNCATE on identity_users"),
        (("grant references on identity_users to public",), "has REFERENCES on identity_users"),
        (
            ("create view all_users as select * from identity_users", "grant select on all_users to finer_api"),
            "The view all_users shows rows",
        ),
        (
            ("create materialized view kept as select * from identity_users", "grant select on kept to finer_api"),
            "The view kept shows rows",
        ),
        (
            ("create function loose() returns int language sql security definer as 'select 1'",),
            "The function loose has no fixed search_path",
        ),
    ],
)
def test_finer_does_not_serve_a_database_that_leaks(database_url: str, fault: tuple[str, ...], sentence: str) -> None:
    with _as_role(database_url, API, *fault) as tx:
        problems = isolation.isolation_problems(tx, _PLANTED)
    assert any(sentence in problem for problem in problems), problems


def test_a_view_with_the_callers_rights_is_no_leak(database_url: str) -> None:
    safe = "create view safe with (security_invoker = true) as select id from identity_users"
    with _as_role(database_url, API, safe, "grant select on safe to finer_api") as tx:
        assert isolation.isolation_problems(tx, _PLANTED) == []


def test_the_worker_reads_the_log_of_all_and_nothing_else(database_url: str) -> None:
    wider = "create policy wider on identity_users for select to finer_worker using (true)"
    with _as_role(database_url, WORKER) as tx:
        assert isolation.isolation_problems(tx, _PLANTED) == []
    with _as_role(database_url, WORKER, wider) as tx:
        assert "wider on identity_users" in " ".join(isolation.isolation_problems(tx, _PLANTED))


def test_the_lookups_before_a_tenant_is_known_hand_out_one_row(
    furnished: Firm, other_firm: Firm, database_url: str
) -> None:
    other_firm.user()
    with furnished.database.transaction(NO_TENANT, SYSTEM) as tx:
        for probe in ("%", "", "' or 1=1 --", "%@%"):
            index = probe.encode()
            assert tx.connection.exec_driver_sql("select * from identity_find_user(%s)", (index,)).all() == []
            assert tx.connection.exec_driver_sql("select * from identity_find_key(%s)", (probe,)).all() == []
            digest = sessions.secret_hash(probe)
            assert tx.connection.exec_driver_sql("select * from identity_find_session(%s)", (digest,)).all() == []
    with _as_role(database_url, WORKER) as tx, pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        tx.connection.exec_driver_sql("select * from identity_find_user('x')")


def test_a_key_made_in_one_firm_acts_in_that_firm(furnished: Firm, other_firm: Firm) -> None:
    with other_firm.tx() as tx:
        key = api_keys.create_api_key(tx, name="theirs", scopes=[Permission.EVENTS_WRITE], lifetime=timedelta(days=1))[
            1
        ]
    with furnished.tx() as tx:
        found = api_keys.find_principal_by_key(tx, key)
    assert found is not None
    assert found.principal is not None
    assert found.principal.tenant_id == other_firm.tenant.id
