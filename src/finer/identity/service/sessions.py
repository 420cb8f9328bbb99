"""Signed-in browsers: opaque tokens, of which only the hash is kept."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import replace
from datetime import timedelta

from finer.identity.errors import SessionNotFound
from finer.identity.rules.grants import permissions_of
from finer.identity.service.audit import record_audit
from finer.identity.store.lookups import LookupStore
from finer.identity.store.rows import IdentityStore
from finer.identity.store.sealed import name_of
from finer.identity.store.teams import TeamStore
from finer.identity.types import Principal, Role, Session
from finer.kit.ids import new_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx

TOUCH_EVERY = timedelta(minutes=1)


def secret_hash(secret: str) -> bytes:
    """What is stored of a token of 256 random bits: its SHA-256. Such a token needs no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def begin_session(tx: Tx, user: uuid.UUID, user_agent: str) -> str:
    """Sign a person in; returns the token for the cookie. The caller has checked who it is."""
    token = secrets.token_urlsafe(32)
    identifier = new_id()
    IdentityStore(tx).add_session(user, secret_hash(token), user_agent[:300], identifier, tx.now())
    record_audit(tx, "session:begin", show_id("ses", identifier))
    return token


def list_sessions(tx: Tx, settings: Settings, user: uuid.UUID) -> list[Session]:
    """Live sessions of a person."""
    now = tx.now()
    return IdentityStore(tx).sessions(
        user,
        now - timedelta(minutes=settings.session_idle_minutes),
        now - timedelta(hours=settings.session_absolute_hours),
    )


def end_session(tx: Tx, user: uuid.UUID, session: uuid.UUID) -> None:
    """End a session of that person. Raises SessionNotFound."""
    if not IdentityStore(tx).revoke_session(user, session, tx.now()):
        raise SessionNotFound(f"There is no open session {show_id('ses', session)} of yours.")
    record_audit(tx, "session:end", show_id("ses", session))


def touch_session(tx: Tx, session: uuid.UUID) -> None:
    """A session was used; callers ask for this at most once a minute."""
    IdentityStore(tx).touch_session(session, tx.now())


def find_principal_by_session(tx: Tx, settings: Settings, token: str) -> tuple[Principal, bool] | None:
    """Who holds this session token, and whether the session should be touched; None when it is not good (any more).

    Needs no tenant: the transaction may be that of no tenant, and is that of the found one from here on.
    """
    store = LookupStore(tx.connection)
    row = store.session(secret_hash(token))
    if row is None:
        return None
    now = tx.now()
    idle = now - row.last_seen_at
    if idle >= timedelta(minutes=settings.session_idle_minutes):
        return None
    if now - row.created_at >= timedelta(hours=settings.session_absolute_hours):
        return None
    role = Role(row.role)
    store.enter(row.tenant_id)
    principal = Principal(
        kind="user",
        id=row.user_id,
        tenant_id=row.tenant_id,
        name=name_of(tx, row.tenant_id, row.user_id, bytes(row.name_sealed)),
        role=role,
        permissions=permissions_of(role),
        teams=TeamStore(replace(tx, tenant=row.tenant_id)).teams_of(row.user_id),
        credential=secret_hash(token).hex(),
        session_id=row.session_id,
    )
    return principal, idle > TOUCH_EVERY
