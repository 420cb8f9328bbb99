from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from finer.identity.errors import SessionNotFound, SignInRefused, TooManyAttempts
from finer.identity.service import api_keys, audit, people, sessions
from finer.identity.types.access import Role
from finer.kit.actors import SYSTEM
from finer.kit.clock import FixedClock
from finer.kit.db import NO_TENANT, Database
from finer.kit.settings import Settings, load_settings
from tests.support.identity import PASSWORD, Door, Firm, forget_attempts, owner_connection

HERE = "2001:db8:77::1"


@pytest.fixture
def door(clocked: Database, settings: Settings, database_url: str) -> Door:
    """Sign-in, with no attempt of an earlier test remembered."""
    forget_attempts(database_url)
    return Door(clocked, settings)


def _fail(door: Door, email: str, times: int, address: str = HERE) -> None:
    for _ in range(times):
        with pytest.raises(SignInRefused):
            door.sign_in(email, "a wrong password", address, "")


def test_a_password_opens_a_session_of_its_person(firm: Firm, door: Door) -> None:
    user = firm.user(Role.CREDIT_OFFICER)
    principal, token = door.sign_in(user.email.upper(), PASSWORD, HERE, "Browser/1")
    assert (principal.id, principal.tenant_id, principal.role) == (user.id, firm.tenant.id, Role.CREDIT_OFFICER)
    assert door.look_up(token) == principal
    with firm.tx() as tx:
        [session] = sessions.list_sessions(tx, firm.settings, user.id)
        assert (session.id, session.user_agent) == (principal.session_id, "Browser/1")
    assert token not in repr(principal)


def test_every_sign_in_begins_a_new_session(firm: Firm, door: Door) -> None:
    user = firm.user()
    first, second = (door.sign_in(user.email, PASSWORD, HERE, "")[1] for _ in range(2))
    assert first != second


def test_a_link_works_many_times_until_it_expires(firm: Firm, door: Door, clock: FixedClock) -> None:
    user = firm.user(password=None)
    with firm.tx() as tx:
        link = people.create_sign_in_link(tx, email=user.email)
    assert door.sign_in_by_link(link, "")[0].id == user.id
    assert door.sign_in_by_link(link, "")[0].id == user.id
    for wrong in (link[:-1], link + "a", "", "\x00"):
        with pytest.raises(SignInRefused):
            door.sign_in_by_link(wrong, "")
    clock.advance(timedelta(hours=24))
    with pytest.raises(SignInRefused, match="Ask for a new one"):
        door.sign_in_by_link(link, "")


def test_every_refusal_reads_the_same(firm: Firm, door: Door) -> None:
    known, link_only, disabled = firm.user(), firm.user(password=None), firm.user()
    with firm.tx() as tx:
        people.disable_user(tx, email=disabled.email)
    refusals = set()
    for email, password in (
        (known.email, "a wrong password"),
        (link_only.email, PASSWORD),
        (link_only.email, "nobody has this password"),
        (disabled.email, PASSWORD),
        ("nobody@nowhere.example", PASSWORD),
        ("not an address", PASSWORD),
        ("nul\x00@bank.example", PASSWORD),
        ("", ""),
    ):
        with pytest.raises(SignInRefused) as caught:
            door.sign_in(email, password, HERE, "")
        refusals.add(str(caught.value.problem()))
    assert len(refusals) == 1


def test_a_refusal_costs_the_same_statements_whether_or_not_there_is_an_account(
    firm: Firm, door: Door, clocked: Database
) -> None:
    user = firm.user()
    seen: list[str] = []
    sa.event.listen(clocked.engine, "before_cursor_execute", lambda *event: seen.append(event[2]))

    def statements(email: str) -> list[str]:
        seen.clear()
        _fail(door, email, 1)
        return list(seen)

    assert statements(user.email) == statements("nobody@nowhere.example")


def test_refused_sign_ins_are_audited(firm: Firm, door: Door) -> None:
    user = firm.user()
    _fail(door, user.email, 2)
    with firm.tx() as tx:
        lines = [line for line in audit.list_audit(tx, 20, None) if line.outcome == "refused"]
    assert [(line.action, line.subject.removeprefix("usr_")) for line in lines] == [("session:begin", user.id.hex)] * 2


def test_an_account_that_fails_often_has_to_wait_longer_and_longer(
    firm: Firm, door: Door, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, colleague = firm.user(), firm.user()
    _fail(door, user.email, 5)
    with monkeypatch.context() as patched:
        patched.setattr("finer.identity.service.sign_in.verify_password", _no_hash)
        with pytest.raises(TooManyAttempts) as caught:
            door.sign_in(user.email, PASSWORD, "2001:db8:1::9", "")
    assert caught.value.retry_after_s == 4
    assert door.sign_in(colleague.email, PASSWORD, HERE, "")[0].id == colleague.id
    clock.advance(timedelta(seconds=4))
    _fail(door, user.email, 1)
    with pytest.raises(TooManyAttempts) as caught:
        door.sign_in(user.email, PASSWORD, HERE, "")
    assert caught.value.retry_after_s == 8
    clock.advance(timedelta(seconds=8))
    door.sign_in(user.email, PASSWORD, HERE, "")
    _fail(door, user.email, 4)
    door.sign_in(user.email, PASSWORD, HERE, "")


def _no_hash(*_: object) -> bool:
    raise AssertionError("a password was hashed although the account has to wait")


def test_an_account_that_does_not_exist_has_to_wait_as_well(door: Door) -> None:
    _fail(door, "ghost@nowhere.example", 5)
    with pytest.raises(TooManyAttempts):
        door.sign_in("ghost@nowhere.example", PASSWORD, HERE, "")


def test_one_password_tried_on_many_accounts_is_stopped_by_address(firm: Firm, door: Door, clock: FixedClock) -> None:
    user = firm.user()
    for number in range(50):
        _fail(door, f"spray{number}@nowhere.example", 1, f"2001:db8:66::{number:x}")
    with pytest.raises(TooManyAttempts):
        door.sign_in(user.email, PASSWORD, "2001:db8:66::abcd", "")
    assert door.sign_in(user.email, PASSWORD, "2001:db8:67::1", "")[0].id == user.id
    clock.advance(timedelta(minutes=15))
    assert door.sign_in(user.email, PASSWORD, "2001:db8:66::abcd", "")[0].id == user.id


def test_a_busy_office_behind_one_address_is_not_locked_out(firm: Firm, door: Door) -> None:
    user = firm.user()
    for _ in range(60):
        door.sign_in(user.email, PASSWORD, HERE, "")


def test_attempts_made_at_once_are_counted_one_by_one(firm: Firm, door: Door) -> None:
    user = firm.user()

    def attempt(_: int) -> str:
        try:
            door.sign_in(user.email, "a wrong password", HERE, "")
        except (SignInRefused, TooManyAttempts) as error:
            return error.slug
        return "in"

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(attempt, range(16)))
    assert sorted(set(answers)) == ["sign-in-refused", "too-many-attempts"]
    assert answers.count("sign-in-refused") == 5


def test_a_session_ends_when_nobody_is_there(firm: Firm, door: Door, clock: FixedClock) -> None:
    user = firm.user()
    _, token = door.sign_in(user.email, PASSWORD, HERE, "")
    for _ in range(3):
        clock.advance(timedelta(minutes=29))
        assert door.look_up(token) is not None
    clock.advance(timedelta(minutes=30))
    assert door.look_up(token) is None


def test_a_session_ends_after_twelve_hours_in_any_case(firm: Firm, door: Door, clock: FixedClock) -> None:
    user = firm.user()
    _, token = door.sign_in(user.email, PASSWORD, HERE, "")
    for _ in range(12 * 3 - 1):
        clock.advance(timedelta(minutes=20))
        assert door.look_up(token) is not None
    clock.advance(timedelta(minutes=20))
    assert door.look_up(token) is None
    with firm.tx() as tx:
        assert sessions.list_sessions(tx, firm.settings, user.id) == []


def test_being_there_is_written_at_most_once_a_minute(firm: Firm, door: Door, clock: FixedClock) -> None:
    user = firm.user()
    _, token = door.sign_in(user.email, PASSWORD, HERE, "")
    for seconds in (20, 20, 20, 1):
        clock.advance(timedelta(seconds=seconds))
        door.look_up(token)
        with firm.tx() as tx:
            [session] = sessions.list_sessions(tx, firm.settings, user.id)
        assert (session.last_seen_at == clock.now()) is (seconds == 1)


def test_disabling_a_person_ends_sessions_links_and_passwords(firm: Firm, door: Door) -> None:
    user = firm.user()
    _, token = door.sign_in(user.email, PASSWORD, HERE, "")
    with firm.tx() as tx:
        link = people.create_sign_in_link(tx, email=user.email)
        people.disable_user(tx, email=user.email)
    assert door.look_up(token) is None
    with pytest.raises(SignInRefused):
        door.sign_in_by_link(link, "")
    with pytest.raises(SignInRefused):
        door.sign_in(user.email, PASSWORD, HERE, "")


def test_a_revoked_session_is_over_and_a_stranger_cannot_revoke_it(firm: Firm, door: Door) -> None:
    user, colleague = firm.user(), firm.user()
    principal, token = door.sign_in(user.email, PASSWORD, HERE, "")
    assert principal.session_id is not None
    with firm.tx() as tx, pytest.raises(SessionNotFound):
        sessions.end_session(tx, colleague.id, principal.session_id)
    assert door.look_up(token) is not None
    with firm.tx() as tx:
        sessions.end_session(tx, user.id, principal.session_id)
    assert door.look_up(token) is None


def test_no_token_of_another_kind_is_taken(firm: Firm, door: Door) -> None:
    user = firm.user()
    with firm.tx() as tx:
        link = people.create_sign_in_link(tx, email=user.email)
    _, token = door.sign_in(user.email, PASSWORD, HERE, "")
    key = firm.key()
    assert door.look_up(link) is None
    for not_a_link in (token, key):
        with pytest.raises(SignInRefused):
            door.sign_in_by_link(not_a_link, "")
    with firm.database.transaction(NO_TENANT, SYSTEM) as tx:
        assert sessions.find_principal_by_session(tx, firm.settings, key) is None
        assert api_keys.find_principal_by_key(tx, token) is None


def test_a_sign_in_brings_an_old_hash_to_the_present_strength(
    firm: Firm, door: Door, clocked: Database, database_url: str
) -> None:
    user = firm.user()
    stronger = Door(clocked, load_settings({}, argon2_memory_kib=16, argon2_iterations=1))

    def parameters() -> str:
        with owner_connection(database_url) as connection:
            row = connection.execute("select password_hash from identity_users where id = %s", (user.id,)).fetchone()
        assert row is not None
        return str(row[0]).split("$")[3]

    door.sign_in(user.email, PASSWORD, HERE, "")
    assert parameters() == "m=8,t=1,p=1"
    stronger.sign_in(user.email, PASSWORD, HERE, "")
    assert parameters() == "m=16,t=1,p=1"
    stronger.sign_in(user.email, PASSWORD, HERE, "")
