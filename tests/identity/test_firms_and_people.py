from __future__ import annotations

import uuid
from datetime import timedelta

import psycopg
import pytest
import sqlalchemy as sa

from finer.identity import invariants
from finer.identity.errors import AlreadyExists, KeyNotFound, NotAcceptable, TenantNotFound, UserNotFound
from finer.identity.service import api_keys, audit, people, sessions, sign_in, tenants
from finer.identity.store.sealed import person_subject
from finer.identity.types.access import Factor, Permission, Role
from finer.kit.actors import SYSTEM, Actor
from finer.kit.clock import FixedClock
from finer.kit.crypto.fields import destroy
from finer.kit.db import NO_TENANT, Database
from finer.kit.ids import new_id
from finer.kit.tx import Tx
from tests.support.identity import PASSWORD, Firm, owner_connection


def test_a_firm_is_found_by_its_short_name(firm: Firm) -> None:
    with firm.database.transaction(NO_TENANT, SYSTEM) as tx:
        assert tenants.tenant_by_slug(tx, firm.tenant.slug) == firm.tenant
        with pytest.raises(TenantNotFound, match=firm.tenant.slug):
            tenants.tenant_by_slug(tx, "nobody")
    with firm.tx() as tx:
        assert tenants.get_tenant(tx) == firm.tenant


def test_a_short_name_is_given_once(firm: Firm) -> None:
    with pytest.raises(AlreadyExists), firm.database.transaction(new_id(), SYSTEM) as tx:
        tenants.create_tenant(tx, slug=firm.tenant.slug, name="x", base_currency="PHP", timezone="UTC")


def test_an_address_signs_in_one_person_of_one_firm(firm: Firm, other_firm: Firm) -> None:
    ana = firm.user()
    with pytest.raises(AlreadyExists), other_firm.tx() as tx:
        people.create_user(tx, firm.settings, email=ana.email.upper(), name="B", role=Role.AUDITOR, password=None)
    with firm.tx() as tx:
        assert [user.email for user in people.list_users(tx)] == [ana.email]
    with other_firm.tx() as tx:
        assert people.list_users(tx) == []
        with pytest.raises(UserNotFound):
            people.get_user(tx, ana.id)


def test_names_are_those_of_who_is_asked_for_and_of_the_firm(
    firm: Firm, other_firm: Firm, worker_database: Database
) -> None:
    with firm.tx() as tx:
        ana, budi, _ = (
            people.create_user(
                tx, firm.settings, email=f"{name}@{firm.tenant.slug}.example", name=name, role=Role.AUDITOR,
                password=None,
            )
            for name in ("Ana", "Budi", "Chen")
        )  # fmt: skip
    stranger = other_firm.user()
    with worker_database.transaction(firm.tenant.id, SYSTEM) as tx:
        destroy(tx, person_subject(budi.id))
    nobody: list[uuid.UUID | str | None] = [stranger.id, new_id(), None, "", "command-line", "fnr_key"]
    with firm.tx() as tx:
        assert people.names(tx, [str(ana.id), ana.id, budi.id, *nobody]) == {
            str(ana.id): "Ana",
            str(budi.id): "(erased)",
        }
    # Nothing is asked of the database, which would answer that this transaction is over.
    assert people.names(tx, [None, "", "command-line"]) == {}


def test_who_could_do_something_is_told_by_role(firm: Firm, other_firm: Firm) -> None:
    analysts = [firm.user() for _ in range(3)]
    engineer = firm.user(Role.DATA_ENGINEER)
    other_firm.user()
    with firm.tx() as tx:
        people.disable_user(tx, email=analysts[1].email)
        able = [analysts[0].id, analysts[2].id]
        assert people.active(tx, [Role.RISK_ANALYST]) == able
        assert people.active(tx, [Role.RISK_ANALYST, Role.DATA_ENGINEER]) == [*able, engineer.id]
        assert people.active(tx, [Role.RISK_ANALYST, Role.DATA_ENGINEER], 1) == able[:1]
        assert people.active(tx, []) == []


def test_a_machine_is_no_user(firm: Firm) -> None:
    with pytest.raises(NotAcceptable, match="API key"):
        firm.user(Role.SERVICE)


def test_the_audit_trail_says_who_did_what_to_what(firm: Firm) -> None:
    boss = Actor(kind="user", id="usr_1", name="Boss", role="administrator")
    audit.ORIGIN.set("203.0.113.9")
    with firm.tx(boss) as tx:
        user = people.create_user(
            tx, firm.settings, email=f"x@{firm.tenant.slug}.example", name="X", role=Role.AUDITOR, password=PASSWORD
        )
        people.create_sign_in_link(tx, email=user.email)
        people.disable_user(tx, email=user.email)
    with firm.tx() as tx:
        lines = audit.list_audit(tx, 10, None)
        older = audit.list_audit(tx, 10, lines[1].id)
    assert [line.action for line in lines] == [
        "users:disable", "sign_in_links:create", "users:create", "tenants:create",
    ]  # fmt: skip
    assert {(line.actor_name, line.actor_role, line.origin) for line in lines[:3]} == {
        ("Boss", "administrator", "203.0.113.9")
    }
    assert older == lines[2:]
    assert PASSWORD not in repr(lines)


@pytest.mark.parametrize(
    "statement", ["update identity_audit_entries set outcome = 'x'", "delete from identity_audit_entries"]
)
@pytest.mark.parametrize("role", ["finer_api", "finer_worker"])
def test_nobody_who_serves_can_change_the_audit_trail(database_url: str, statement: str, role: str) -> None:
    with owner_connection(database_url) as connection:
        connection.execute(f"set local role {role}")
        with pytest.raises(Exception, match="permission denied"):
            connection.execute(statement)


@pytest.mark.parametrize(
    "query",
    [
        "select password_hash from identity_users",
        "select token_hash from identity_sessions",
        "select token_hash from identity_sign_in_links",
        "select secret_hash from identity_api_keys",
        "select * from identity_users",
        "update identity_users set created_at = now()",
        "update identity_users set tenant_id = gen_random_uuid()",
        "update identity_sessions set user_id = gen_random_uuid()",
        "update identity_api_keys set scopes = '{}'",
        "update identity_tenants set slug = 'x'",
        "truncate identity_sessions",
    ],
)
@pytest.mark.parametrize("role", ["finer_api", "finer_worker"])
def test_the_serving_roles_reach_no_hash_and_change_no_identity(database_url: str, query: str, role: str) -> None:
    with owner_connection(database_url) as connection:
        connection.execute(f"set local role {role}")
        with pytest.raises(Exception, match="permission denied"):
            connection.execute(query)


def test_a_key_works_until_it_expires_or_is_revoked(firm: Firm, clock: FixedClock) -> None:
    key = firm.key(Permission.EVENTS_WRITE, Permission.RECEIPTS_READ, hours=2)
    with firm.database.transaction(NO_TENANT, SYSTEM) as tx:
        found = api_keys.find_principal_by_key(tx, key)
    assert found is not None
    assert found.stale
    principal = found.principal
    assert principal is not None
    assert (principal.kind, principal.tenant_id, principal.role) == ("key", firm.tenant.id, Role.SERVICE)
    assert principal.permissions == {Permission.EVENTS_WRITE, Permission.RECEIPTS_READ}
    clock.advance(timedelta(hours=2))
    with firm.database.transaction(NO_TENANT, SYSTEM) as tx:
        assert api_keys.find_principal_by_key(tx, key) is None
    clock.advance(timedelta(hours=-1))
    with firm.tx() as tx:
        api_keys.revoke_api_key(tx, prefix=principal.credential)
        assert api_keys.find_principal_by_key(tx, key) is None
        with pytest.raises(KeyNotFound):
            api_keys.revoke_api_key(tx, prefix=principal.credential)


def test_the_last_use_of_a_key_is_noted_once_a_minute(firm: Firm, clock: FixedClock) -> None:
    key = firm.key()
    with firm.tx() as tx:
        [made] = api_keys.list_api_keys(tx)
        api_keys.touch_key(tx, made.id)
        assert api_keys.list_api_keys(tx)[0].last_used_at == clock.now()
        found = api_keys.find_principal_by_key(tx, key)
        assert found is not None
        assert not found.stale
        clock.advance(timedelta(seconds=61))
        found = api_keys.find_principal_by_key(tx, key)
        assert found is not None
        assert found.stale


@pytest.mark.parametrize(
    "scopes", [[], [Permission.ALERTS_RESOLVE], [Permission.EVENTS_WRITE, Permission.API_KEYS_WRITE]]
)
def test_a_key_gets_only_what_a_machine_may_have(firm: Firm, scopes: list[Permission]) -> None:
    with firm.tx() as tx, pytest.raises(NotAcceptable, match="events:write"):
        api_keys.create_api_key(tx, name="greedy", scopes=scopes, lifetime=timedelta(days=1))


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(days=-1), timedelta(days=36_500)])
def test_every_key_ends(firm: Firm, lifetime: timedelta) -> None:
    with firm.tx() as tx, pytest.raises(NotAcceptable, match="days"):
        api_keys.create_api_key(tx, name="eternal", scopes=[Permission.EVENTS_WRITE], lifetime=lifetime)


def test_a_key_with_another_secret_is_no_key(firm: Firm, database: Database) -> None:
    key, other = firm.key(), firm.key()
    mixed = f"{key[:12]}{other[12:]}"
    with database.transaction(NO_TENANT, SYSTEM) as tx:
        for forged in (mixed, key[:-1], key + "A", key.upper(), f"fk_{'0' * 8}_{key[12:]}", "fk__", "fk_", "", "\x00"):
            assert api_keys.find_principal_by_key(tx, forged) is None, forged


def test_no_secret_is_stored(firm: Firm, database_url: str) -> None:
    user, key = firm.user(), firm.key()
    with firm.tx() as tx:
        link = people.create_sign_in_link(tx, email=user.email)
        token = sessions.begin_session(tx, user.id, "test", factor=Factor.PASSWORD)
    with owner_connection(database_url) as connection:
        for table in ("users", "sessions", "sign_in_links", "api_keys", "audit_entries"):
            rows = repr(connection.execute(f"select t::text from identity_{table} t").fetchall())
            for secret in (link, token, key[12:], PASSWORD):
                assert secret not in rows
                assert secret.encode().hex() not in rows


def test_links_can_be_taken_back(firm: Firm) -> None:
    user = firm.user(password=None)
    with firm.tx() as tx:
        tokens = [people.create_sign_in_link(tx, email=user.email) for _ in range(2)]
        assert sign_in.check_link_sign_in(tx, tokens[0]) == (firm.tenant.id, user.id)
        people.revoke_sign_in_links(tx, email=user.email)
        assert [sign_in.check_link_sign_in(tx, token) for token in tokens] == [None, None]


_CHECKS = [
    invariants.tenant_exists,
    invariants.keys_expire_after_they_are_made,
    invariants.sessions_keep_their_order,
    invariants.grants_are_known,
    invariants.audit_names_somebody,
]
_FAULTS = {
    "keys_expire_after_they_are_made": "update identity_api_keys set expires_at = created_at - interval '1 day'",
    "sessions_keep_their_order": "update identity_sessions set revoked_at = created_at - interval '1 day'",
    "grants_are_known": "update identity_api_keys set scopes = '{alerts:burn}'",
    "audit_names_somebody": "alter table identity_audit_entries disable trigger append_only; "
    "update identity_audit_entries set actor_name = ''",
}


def test_the_invariants_hold_and_notice_planted_faults(
    firm: Firm, worker_database: Database, database_url: str
) -> None:
    user = firm.user()
    firm.key()
    with firm.tx() as tx:
        sessions.begin_session(tx, user.id, "test", factor=Factor.PASSWORD)
    with worker_database.transaction(firm.tenant.id, SYSTEM, read_only=True) as tx:
        assert [check(tx) for check in _CHECKS] == [[]] * len(_CHECKS)
    owner = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(database_url))
    with owner.connect() as connection:
        broken = Tx(connection=connection, tenant=firm.tenant.id, actor=SYSTEM, clock=worker_database.clock)
        for check in _CHECKS[1:]:
            assert check(broken) == []
            connection.exec_driver_sql(f"{_FAULTS[check.__name__]} where tenant_id = '{firm.tenant.id}'")
            assert check(broken) != [], check.__name__
        assert invariants.tenant_exists(Tx(connection, new_id(), SYSTEM, worker_database.clock)) != []
        connection.rollback()
    owner.dispose()
