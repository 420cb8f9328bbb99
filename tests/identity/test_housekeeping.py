from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pyotp
import pytest

from finer.identity.rules.throttle import ACCOUNT
from finer.identity.service import admission, factors, housekeeping, passkeys, people, sessions, totp
from finer.identity.store.lookups import LookupStore
from finer.identity.types.access import Factor, Role
from finer.kit.actors import SYSTEM
from finer.kit.clock import FixedClock
from finer.kit.db import NO_TENANT, WORKER, Database
from tests.support.identity import Firm


@pytest.fixture
def worker(database_url: str, clock: FixedClock) -> Iterator[Database]:
    """The database as the role that runs the scheduled jobs."""
    found = Database(database_url, WORKER, connections=2, clock=clock)
    yield found
    found.close()


def test_what_is_over_is_forgotten_and_what_is_not_stays(firm: Firm, worker: Database, clock: FixedClock) -> None:
    user = firm.user(Role.AUDITOR)
    with firm.tx() as tx:
        sessions.begin_session(tx, user.id, "old", factor=Factor.PASSWORD)
        people.create_sign_in_link(tx, email=user.email)
    clock.advance(timedelta(days=90, seconds=1))
    with firm.tx() as tx:
        sessions.begin_session(tx, user.id, "new", factor=Factor.PASSWORD)
        link = people.create_sign_in_link(tx, email=user.email)
    with worker.transaction(firm.tenant.id, SYSTEM) as tx:
        assert housekeeping.forget_old(tx, firm.settings) == 2
        assert housekeeping.forget_old(tx, firm.settings) == 0
    with firm.tx() as tx:
        assert [one.user_agent for one in sessions.list_sessions(tx, firm.settings, user.id)] == ["new"]
        assert LookupStore(tx.connection).link(sessions.secret_hash(link)) is not None


def test_counted_attempts_and_unanswered_challenges_are_forgotten(
    firm: Firm, worker: Database, clock: FixedClock
) -> None:
    with firm.database.transaction(NO_TENANT, SYSTEM) as tx:
        LookupStore(tx.connection).count_attempt(b"old" * 10, ACCOUNT, tx.now())
        passkeys.sign_in_options(tx, firm.settings)
    clock.advance(timedelta(days=1, seconds=1))
    with firm.database.transaction(NO_TENANT, SYSTEM) as tx:
        LookupStore(tx.connection).count_attempt(b"new" * 10, ACCOUNT, tx.now())
        passkeys.sign_in_options(tx, firm.settings)
    with worker.transaction(NO_TENANT, SYSTEM) as tx:
        assert housekeeping.forget_attempts(tx) >= 2
        assert housekeeping.forget_attempts(tx) == 0


def test_half_done_sign_ins_are_forgotten_when_they_are_over(firm: Firm, worker: Database, clock: FixedClock) -> None:
    user = firm.user()
    with firm.tx() as tx:
        token = sessions.begin_session(tx, user.id, "x", factor=Factor.PASSWORD)
        found = sessions.find_principal_by_session(tx, firm.settings, token)
        assert found is not None
        assert found.principal is not None
        secret = totp.begin_totp(tx, user.id).secret
        totp.confirm_totp(tx, firm.settings, found.principal, pyotp.TOTP(secret).at(clock.now()))
    with firm.tx() as tx:
        assert factors.list_factors(tx, user.id).totp_since is not None
        half = admission.admit(tx, user.id, factor=Factor.PASSWORD, address="", user_agent="")
        assert half.missing == (Factor.TOTP, Factor.RECOVERY)
    for minutes, gone in ((4, 0), (2, 1)):
        clock.advance(timedelta(minutes=minutes))
        with worker.transaction(firm.tenant.id, SYSTEM) as tx:
            assert housekeeping.forget_old(tx, firm.settings) == gone
