"""Who makes a request: from cookie or key to principal, remembered for a while.

This happens before a tenant is known, in transactions of its own instead of the request's.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from finer.app.machine_tokens import MachineTokens
from finer.identity.service import access_tokens, api_keys, isolation, sessions
from finer.identity.types.access import Found, Principal
from finer.kit.actors import SYSTEM
from finer.kit.db import NO_TENANT, Database
from finer.kit.settings import Settings

REMEMBER_S = 1.0
"""How long a credential is believed without asking again: a revoked one works at most this much longer."""
REMEMBER_SESSION_S = 30.0
"""How long a session is believed while the database tells this process of every change of rights."""
_HEARD_S = 2.0
"""A listener that has heard nothing of the database for longer may have missed a change."""
_REMEMBERED_MAX = 20_000
_CHANGES_MAX = 10_000


@dataclass(frozen=True, slots=True)
class _Memory:
    principal: Principal | None
    asked_at: float  # before the database was: what changes later may not be in it
    until: float


class Authenticator:
    """Principals by credential.

    `heard_at` says up to when, in monotonic seconds, every change of rights was told to `rights_changed`. Where nobody
    listens, each credential is believed for a second only.
    """

    def __init__(
        self, database: Database, settings: Settings, heard_at: Callable[[], float] = lambda: float("-inf")
    ) -> None:
        self._database = database
        self._settings = settings
        self._heard_at = heard_at
        self.machine_tokens = MachineTokens(database, settings)
        self._lock = threading.Lock()
        self._remembered: dict[bytes, _Memory] = {}
        self._changed_at: dict[str, float] = {}

    def remembered(self, credential: str) -> tuple[bool, Principal | None]:
        """(True, principal) when this credential was looked up a short while ago; costs no database."""
        memory = self._remembered.get(sessions.secret_hash(credential))
        if memory is None or not self._holds(memory, time.monotonic()):
            return False, None
        return True, memory.principal

    def _holds(self, memory: _Memory, now: float) -> bool:
        if now >= memory.until or (now >= memory.asked_at + REMEMBER_S and now >= self._heard_at() + _HEARD_S):
            return False
        if memory.principal is None:
            return True
        firm = str(memory.principal.tenant_id)
        told = ("", firm, f"{firm} {memory.principal.id}")
        return all(self._changed_at.get(whose, float("-inf")) < memory.asked_at for whose in told)

    def rights_changed(self, whose: str) -> None:
        """A notification: rights of this firm (of all, when empty), or of "firm person" alone, changed. Any thread."""
        with self._lock:
            if len(self._changed_at) >= _CHANGES_MAX:
                # In one assignment: between two, somebody who asks would find no change at all.
                self._changed_at = {"": time.monotonic()}
            self._changed_at[whose] = time.monotonic()

    def look_up(self, credential: str, *, touch: bool = True) -> Principal | None:
        """The principal of a session token, an API key or an access token; None when it is not good.

        `touch` says that somebody is at work, which keeps a session alive; a live stream is nobody's work.
        """
        asked_at = time.monotonic()
        found = self._find(credential) or Found(None)
        principal = found.principal
        if principal is not None and found.stale and touch:
            with self._database.transaction(principal.tenant_id, principal.actor()) as tx:
                if principal.session_id is None:
                    api_keys.touch_key(tx, principal.id)
                else:
                    sessions.touch_session(tx, principal.session_id)
        if touch or not found.stale:
            # Remembering a session that was not touched would keep the next request from touching it.
            lasts_s = REMEMBER_S if found.lasts is None else min(REMEMBER_SESSION_S, found.lasts.total_seconds())
            self._remember(credential, _Memory(principal, asked_at, asked_at + lasts_s))
        return principal

    def _remember(self, credential: str, memory: _Memory) -> None:
        with self._lock:
            key = sessions.secret_hash(credential)
            self._remembered.pop(key, None)
            if len(self._remembered) >= _REMEMBERED_MAX:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[key] = memory

    def _find(self, credential: str) -> Found | None:
        if access_tokens.is_token(credential):
            return self.machine_tokens.principal(credential)
        if sessions.is_token(credential):
            with self._database.transaction(NO_TENANT, SYSTEM) as tx:
                return sessions.find_principal_by_session(tx, self._settings, credential)
        if credential.startswith(api_keys.KEY_MARK):
            with self._database.transaction(NO_TENANT, SYSTEM) as tx:
                return api_keys.find_principal_by_key(tx, credential)
        return None

    def forget(self, credential: str) -> None:
        """Do not believe this credential any longer."""
        with self._lock:
            self._remembered.pop(sessions.secret_hash(credential), None)


def isolation_problems(database: Database) -> list[str]:
    """Why the database would not keep tenants apart; empty when it does. Two tenants that no firm can have are used."""
    planted, other = uuid.UUID(int=1), uuid.UUID(int=2)
    with database.transaction(planted, SYSTEM) as tx:
        isolation.plant_canary(tx)
    with database.transaction(other, SYSTEM) as tx:
        return isolation.isolation_problems(tx, planted)
