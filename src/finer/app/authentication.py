"""Who makes a request: from cookie or key to principal, remembered for a second; and signing in.

These acts begin before a tenant is known, so they open their own transactions instead of the request's.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

from finer.app.machine_tokens import MachineTokens
from finer.identity.errors import SignInRefused
from finer.identity.service import access_tokens, api_keys, isolation, people, sessions, sign_in
from finer.identity.types import Principal
from finer.kit.actors import SYSTEM, Actor
from finer.kit.db import NO_TENANT, Database
from finer.kit.settings import Settings
from finer.kit.tx import Tx

REMEMBER_S = 1.0
"""How long a credential is believed without asking again: a revoked one works at most this much longer."""
_REMEMBERED_MAX = 10_000


class Authenticator:
    """Principals by credential."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self.machine_tokens = MachineTokens(database, settings)
        self._remembered: dict[bytes, tuple[float, Principal | None]] = {}

    def remembered(self, credential: str) -> tuple[bool, Principal | None]:
        """(True, principal) when this credential was looked up within the last second; costs no database."""
        found = self._remembered.get(sessions.secret_hash(credential))
        if found is None or found[0] < time.monotonic():
            return False, None
        return True, found[1]

    def look_up(self, credential: str) -> Principal | None:
        """The principal of a session token, an API key or an access token; None when it is not good."""
        found = self._find(credential)
        principal = None
        if found is not None:
            principal, stale = found
            if stale:
                with self._database.transaction(principal.tenant_id, principal.actor()) as tx:
                    if principal.session_id is None:
                        api_keys.touch_key(tx, principal.id)
                    else:
                        sessions.touch_session(tx, principal.session_id)
        if len(self._remembered) > _REMEMBERED_MAX:
            self._remembered.clear()
        self._remembered[sessions.secret_hash(credential)] = (time.monotonic() + REMEMBER_S, principal)
        return principal

    def _find(self, credential: str) -> tuple[Principal, bool] | None:
        if access_tokens.is_token(credential):
            return self.machine_tokens.principal(credential)
        with self._database.transaction(NO_TENANT, SYSTEM) as tx:
            if credential.startswith(api_keys.KEY_MARK):
                return api_keys.find_principal_by_key(tx, credential)
            return sessions.find_principal_by_session(tx, self._settings, credential)

    def forget(self, credential: str) -> None:
        """Do not believe this credential any longer."""
        self._remembered.pop(sessions.secret_hash(credential), None)

    def sign_in(self, email: str, password: str, address: str, user_agent: str) -> tuple[Principal, str]:
        """Sign in by password; returns who it is and the session token. Raises SignInRefused, TooManyAttempts."""

        def check(tx: Tx) -> tuple[uuid.UUID, uuid.UUID] | None:
            return sign_in.check_password_sign_in(tx, self._settings, email=email, password=password, address=address)

        return self._begin(check, user_agent, "E-mail address and password do not fit together.")

    def sign_in_by_link(self, token: str, user_agent: str) -> tuple[Principal, str]:
        """Sign in by a link; returns who it is and the session token. Raises SignInRefused."""
        return self._begin(
            lambda tx: sign_in.check_link_sign_in(tx, token),
            user_agent,
            "This sign-in link does not work any more. Ask for a new one, or sign in with your password.",
        )

    def _begin(
        self, check: Callable[[Tx], tuple[uuid.UUID, uuid.UUID] | None], user_agent: str, refusal: str
    ) -> tuple[Principal, str]:
        with self._database.transaction(NO_TENANT, SYSTEM) as tx:
            found = check(tx)
        if found is None:
            raise SignInRefused(refusal)
        tenant, user = found
        with self._database.transaction(tenant, SYSTEM, read_only=True) as tx:
            person = people.get_user(tx, user)
        actor = Actor(kind="user", id=str(user), name=person.name, role=person.role.value)
        with self._database.transaction(tenant, actor) as tx:
            token = sessions.begin_session(tx, user, user_agent)
        principal = self.look_up(token)
        if principal is None:
            raise SignInRefused("The account was disabled a moment ago.")
        return principal, token


def isolation_problems(database: Database) -> list[str]:
    """Why the database would not keep tenants apart; empty when it does. Two tenants that no firm can have are used."""
    planted, other = uuid.UUID(int=1), uuid.UUID(int=2)
    with database.transaction(planted, SYSTEM) as tx:
        isolation.plant_canary(tx)
    with database.transaction(other, SYSTEM) as tx:
        return isolation.isolation_problems(tx, planted)
