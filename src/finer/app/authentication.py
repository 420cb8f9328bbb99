"""Who makes a request: from cookie or key to principal, remembered for a second.

This happens before a tenant is known, in transactions of its own instead of the request's.
"""

from __future__ import annotations

import time
import uuid

from finer.app.machine_tokens import MachineTokens
from finer.identity.service import access_tokens, api_keys, isolation, sessions
from finer.identity.types.access import Principal
from finer.kit.actors import SYSTEM
from finer.kit.db import NO_TENANT, Database
from finer.kit.settings import Settings

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

    def look_up(self, credential: str, *, touch: bool = True) -> Principal | None:
        """The principal of a session token, an API key or an access token; None when it is not good.

        `touch` says that somebody is at work, which keeps a session alive; a live stream is nobody's work.
        """
        principal, stale = self._find(credential) or (None, False)
        if principal is not None and stale and touch:
            with self._database.transaction(principal.tenant_id, principal.actor()) as tx:
                if principal.session_id is None:
                    api_keys.touch_key(tx, principal.id)
                else:
                    sessions.touch_session(tx, principal.session_id)
        if touch or not stale:
            # Remembering a session that was not touched would keep the next request from touching it.
            self._remember(credential, principal)
        return principal

    def _remember(self, credential: str, principal: Principal | None) -> None:
        if len(self._remembered) > _REMEMBERED_MAX:
            self._remembered.clear()
        self._remembered[sessions.secret_hash(credential)] = (time.monotonic() + REMEMBER_S, principal)

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


def isolation_problems(database: Database) -> list[str]:
    """Why the database would not keep tenants apart; empty when it does. Two tenants that no firm can have are used."""
    planted, other = uuid.UUID(int=1), uuid.UUID(int=2)
    with database.transaction(planted, SYSTEM) as tx:
        isolation.plant_canary(tx)
    with database.transaction(other, SYSTEM) as tx:
        return isolation.isolation_problems(tx, planted)
