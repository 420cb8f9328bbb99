"""Signed-in browsers: opaque tokens, of which only the hash is kept."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import timedelta

from finer.identity.errors import SessionNotFound
from finer.identity.rules.familiarity import is_unfamiliar
from finer.identity.rules.grants import permissions_of
from finer.identity.rules.provider import Vouched
from finer.identity.rules.step_up import is_second_factor_missing, is_stepped_up, strongest_proofs
from finer.identity.service.audit import record_audit
from finer.identity.store.lookups import LookupStore
from finer.identity.store.sealed import name_of
from finer.identity.store.sessions import SessionStore
from finer.identity.types.access import Factor, Found, Permission, Principal, Role, Session
from finer.kit.ids import new_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx

TOUCH_EVERY = timedelta(minutes=1)
SESSIONS_MAX = 10
"""How many browsers one person is signed in with at once; a further one ends the oldest."""
_AGENT_MAX = 300
_TOKEN_BYTES = 32
_TOKEN_LENGTH = 43  # of so many bytes in letters that a URL may have
_ALONE = frozenset({Permission.SESSION_OWN})


def secret_hash(secret: str) -> bytes:
    """What is stored of a token of 256 random bits: its SHA-256. Such a token needs no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def is_token(credential: str) -> bool:
    """Whether a credential has the shape of a session token: signed tokens have dots, and keys are longer."""
    return len(credential) == _TOKEN_LENGTH and "." not in credential


def begin_session(
    tx: Tx, user: uuid.UUID, user_agent: str, *, factor: Factor, address: str = "", said: Vouched | None = None
) -> str:
    """Sign a person in; returns the token for the cookie. Only `admission` decides that somebody may come in.

    A session by the firm's provider is as fresh a proof as the provider `said`, and ends with what it said.
    """
    token, now = secrets.token_urlsafe(_TOKEN_BYTES), tx.now()
    store = SessionStore(tx)
    session = Session(
        id=new_id(),
        user_id=user,
        created_at=now,
        last_seen_at=now,
        user_agent=user_agent[:_AGENT_MAX],
        address=address,
        factor=factor,
        unfamiliar=is_unfamiliar(address, user_agent[:_AGENT_MAX], store.places(user)),
    )
    auth_at, ends_at = (now, None) if said is None else (said.at, said.until)
    store.add(session, secret_hash(token), auth_at, ends_at)
    detail = {"factor": str(factor), "unfamiliar": session.unfamiliar}
    if ended := store.revoke_oldest(user, session.id, SESSIONS_MAX - 1, now):
        detail["ended_oldest"] = ended
    record_audit(tx, "session:begin", show_id("ses", session.id), detail)
    return token


def renew_session(tx: Tx, session: uuid.UUID | None, factor: Factor | None) -> str:
    """A new token for a session, after a fresh proof by `factor` if it is given; the old token works no more.

    Raises SessionNotFound when the session has ended, or there is none, as with a machine.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    if session is None or not SessionStore(tx).renew(session, secret_hash(token), factor, tx.now()):
        raise SessionNotFound("This session has ended. Sign in again.")
    if factor is not None:
        record_audit(tx, "session:step_up", show_id("ses", session), {"factor": str(factor)})
    return token


def list_sessions(tx: Tx, settings: Settings, user: uuid.UUID) -> list[Session]:
    """Live sessions of a person."""
    now = tx.now()
    return SessionStore(tx).alive(
        user,
        now - timedelta(minutes=settings.session_idle_minutes),
        now - timedelta(hours=settings.session_absolute_hours),
        now,
    )


def list_unfamiliar(tx: Tx, user: uuid.UUID) -> list[Session]:
    """Sign-ins from new places that this person has not recognised; also those that are over."""
    return SessionStore(tx).unfamiliar(user)


def recognise_session(tx: Tx, caller: Principal, session: uuid.UUID) -> None:
    """The person says that a sign-in from a new place was theirs. Raises SessionNotFound.

    No session can vouch for itself: whoever stole a password would do just that.
    """
    if session == caller.session_id or not SessionStore(tx).recognise(caller.id, session):
        raise SessionNotFound(f"There is no sign-in {show_id('ses', session)} of yours to recognise from here.")
    record_audit(tx, "session:recognise", show_id("ses", session))


def end_session(tx: Tx, user: uuid.UUID, session: uuid.UUID) -> None:
    """End a session of that person. Raises SessionNotFound."""
    if not SessionStore(tx).revoke(user, session, tx.now()):
        raise SessionNotFound(f"There is no open session {show_id('ses', session)} of yours.")
    record_audit(tx, "session:end", show_id("ses", session))


def end_other_sessions(tx: Tx, user: uuid.UUID, but: uuid.UUID | None) -> int:
    """End every session of a person but one; returns how many ended."""
    ended = SessionStore(tx).revoke_others(user, but, tx.now())
    record_audit(tx, "session:end_others", show_id("usr", user), {"ended": ended})
    return ended


def touch_session(tx: Tx, session: uuid.UUID) -> None:
    """A session was used; callers ask for this at most once a minute."""
    SessionStore(tx).touch(session, tx.now())


def find_principal_by_session(tx: Tx, settings: Settings, token: str) -> Found | None:
    """Who holds this session token; None when it is not good (any more).

    Needs no tenant: the transaction may be that of no tenant, and is that of the found one from here on.
    """
    row = LookupStore(tx.connection).session(secret_hash(token))
    if row is None:
        return None
    now, step_up = tx.now(), timedelta(minutes=settings.step_up_minutes)
    ends = min(
        row.last_seen_at + timedelta(minutes=settings.session_idle_minutes),
        row.created_at + timedelta(hours=settings.session_absolute_hours),
        *(() if row.ends_at is None else (row.ends_at,)),
    )
    if now >= ends:
        return None
    role, factor = Role(row.role), Factor(row.factor)
    proofs = strongest_proofs(password=row.has_password, totp=row.has_totp, passkey=row.has_passkey)
    missing = is_second_factor_missing(required=row.second_factor_required, factor=factor)
    stepped_up = is_stepped_up(factor, row.auth_at, proofs, now, step_up)
    principal = Principal(
        kind="user",
        id=row.user_id,
        tenant_id=row.tenant_id,
        name=name_of(tx, row.tenant_id, row.user_id, bytes(row.name_sealed)),
        role=role,
        permissions=_ALONE if missing else permissions_of(role),
        teams=frozenset(row.teams),
        credential=secret_hash(token).hex(),
        session_id=row.session_id,
        stepped_up=stepped_up,
        proofs=proofs,
        second_factor_missing=missing,
    )
    stale = now - row.last_seen_at > TOUCH_EVERY
    # Somebody at work is looked up again when the session is to be touched, so that it does not end as an idle one.
    touched = (now if stale else row.last_seen_at) + TOUCH_EVERY
    changes = min(ends, touched, *((row.auth_at + step_up,) if stepped_up else ()))
    return Found(principal, stale, lasts=changes - now)
