"""A session is believed for a while without the database, and no longer than nothing changes that it stands for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pyotp
import pytest

from finer.app.authentication import Authenticator
from finer.app.proposals import PROPOSAL_KINDS
from finer.identity.service import firm as firms
from finer.identity.service import passwords, people, sessions, teams, totp
from finer.identity.service.authorisation import ACCESS_CHANNEL
from finer.identity.types.access import Factor, Principal
from finer.kit.clock import FixedClock
from finer.kit.db import API, Database
from finer.kit.live import Listener
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from tests.support.clocks import on_clock
from tests.support.identity import Firm

PATIENCE_S = 10.0


@pytest.fixture
def authenticator(
    database: Database, database_url: str, clock: FixedClock, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Authenticator]:
    """One that hears of changes, and believes nothing of which it would not hear."""
    monkeypatch.setattr("finer.app.authentication.REMEMBER_S", -1.0)
    # On a busy machine the listener may get no turn for some seconds.
    monkeypatch.setattr("finer.app.authentication._HEARD_S", PATIENCE_S)
    with _listening(database, database_url, clock, settings) as (found, listener):
        listener.start()
        _until(lambda: listener.heard_at > float("-inf"))
        yield found


@contextmanager
def _listening(
    database: Database, database_url: str, clock: FixedClock, settings: Settings
) -> Iterator[tuple[Authenticator, Listener]]:
    found = Authenticator(on_clock(database, clock), settings, heard_at=lambda: listener.heard_at)
    listener = Listener(database_url, API, {ACCESS_CHANNEL: found.rights_changed})
    try:
        yield found, listener
    finally:
        listener.close()


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "It did not happen."
        time.sleep(0.005)


def _end(tx: Tx, firm: Firm, who: Principal) -> None:
    assert who.session_id is not None
    sessions.end_session(tx, who.id, who.session_id)


def _renew(tx: Tx, firm: Firm, who: Principal) -> None:
    sessions.renew_session(tx, who.session_id, Factor.PASSWORD)


def _join(tx: Tx, firm: Firm, who: Principal) -> None:
    teams.set_members(tx, teams.create_team(tx, name="Fraud desk").id, [who.id])


def _add_factor(tx: Tx, firm: Firm, who: Principal) -> None:
    secret = totp.begin_totp(tx, who.id).secret
    totp.confirm_totp(tx, firm.settings, who, pyotp.TOTP(secret).at(tx.now()))


def _disable(tx: Tx, firm: Firm, who: Principal) -> None:
    people.disable_user(tx, email=people.get_user(tx, who.id).email)


def _new_password(tx: Tx, firm: Firm, who: Principal) -> None:
    passwords.change_password(tx, firm.settings, who, "another horse and another battery")


def _require_factor(tx: Tx, firm: Firm, who: Principal) -> None:
    firms.require_second_factor(tx, firm.settings, PROPOSAL_KINDS, True, "everybody")


def _signed_in(firm: Firm) -> str:
    with firm.tx() as tx:
        return sessions.begin_session(tx, firm.user().id, "x", factor=Factor.PASSWORD)


@pytest.mark.parametrize("change", [_end, _renew, _join, _add_factor, _disable, _new_password, _require_factor])
def test_a_session_is_believed_until_something_of_it_changes(
    authenticator: Authenticator, firm: Firm, change: Callable[[Tx, Firm, Principal], None]
) -> None:
    token, other = _signed_in(firm), _signed_in(Firm.made(firm.database, firm.settings, f"{firm.tenant.slug}-2"))
    who = authenticator.look_up(token)
    assert who is not None
    assert authenticator.look_up(other) is not None
    assert authenticator.remembered(token) == (True, who)
    with firm.tx(who.actor()) as tx:
        change(tx, firm, who)
    _until(lambda: not authenticator.remembered(token)[0])
    assert authenticator.look_up(token) != who
    assert authenticator.remembered(other)[0]


def test_a_session_is_not_believed_when_nobody_would_hear_that_it_ended(
    database: Database, clock: FixedClock, firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finer.app.authentication.REMEMBER_S", -1.0)
    heard = [time.monotonic()]
    deaf = Authenticator(on_clock(database, clock), firm.settings, heard_at=lambda: heard[0])
    token = _signed_in(firm)
    assert deaf.look_up(token) is not None
    assert deaf.remembered(token)[0]
    heard[0] -= 10
    assert not deaf.remembered(token)[0]


def test_what_changed_before_anybody_listened_is_asked_again(
    database: Database, database_url: str, clock: FixedClock, firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finer.app.authentication.REMEMBER_S", -1.0)
    token = _signed_in(firm)
    with _listening(database, database_url, clock, firm.settings) as (authenticator, listener):
        who = authenticator.look_up(token)
        assert who is not None
        with firm.tx(who.actor()) as tx:
            _end(tx, firm, who)
        listener.start()
        _until(lambda: listener.heard_at > float("-inf"))
        assert not authenticator.remembered(token)[0]


def test_somebody_at_work_is_looked_up_again_when_the_session_is_to_be_touched(
    authenticator: Authenticator, firm: Firm, clock: FixedClock
) -> None:
    token = _signed_in(firm)
    clock.advance(timedelta(seconds=59))
    assert authenticator.look_up(token, touch=False) is not None
    assert authenticator.remembered(token)[0]
    _until(lambda: not authenticator.remembered(token)[0])


def test_what_changed_while_the_database_was_asked_is_asked_again(
    database: Database, clock: FixedClock, firm: Firm, authenticator: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = _signed_in(firm)
    ask = sessions.find_principal_by_session

    def ask_while_it_changes(*given: object) -> object:
        found = ask(*given)  # type: ignore[arg-type]
        authenticator.rights_changed(str(firm.tenant.id))
        return found

    monkeypatch.setattr(sessions, "find_principal_by_session", ask_while_it_changes)
    assert authenticator.look_up(token) is not None
    assert not authenticator.remembered(token)[0]


def test_a_proof_is_believed_no_longer_than_it_is_fresh(
    authenticator: Authenticator, firm: Firm, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = _signed_in(firm)
    clock.advance(timedelta(minutes=firm.settings.step_up_minutes) - timedelta(seconds=1))
    who = authenticator.look_up(token)
    assert who is not None
    assert who.stepped_up
    assert authenticator.remembered(token)[0]
    _until(lambda: not authenticator.remembered(token)[0])


def test_a_key_is_believed_for_no_longer_than_a_second(authenticator: Authenticator, firm: Firm) -> None:
    key = firm.key()
    assert authenticator.look_up(key) is not None
    assert not authenticator.remembered(key)[0]


def test_a_session_is_told_from_a_key_that_begins_with_the_same_letters(
    authenticator: Authenticator, firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finer.identity.service.sessions.secrets.token_urlsafe", lambda size: "fk_" + "x" * 40)
    assert authenticator.look_up(_signed_in(firm)) is not None
