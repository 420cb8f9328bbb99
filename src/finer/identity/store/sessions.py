"""Signed-in browsers of one tenant's people."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from finer.identity.tables.core import sessions, sign_in_attempts, sign_in_links
from finer.identity.tables.sign_in import pending_sign_ins
from finer.identity.types.access import Factor, Session
from finer.kit.tx import Tx

# Roles may not read stored hashes, so no query may ask for whole rows of this table.
_SESSION = [sessions.c[name] for name in Session.__struct_fields__]
_EARLIER_MAX = 100


class SessionStore:
    """Rows of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def add(self, session: Session, token_hash: bytes, auth_at: datetime, ends_at: datetime | None) -> None:
        """A signed-in browser, whose person proved who they are at `auth_at`; it ends at `ends_at` at the latest."""
        fields = {name: getattr(session, name) for name in Session.__struct_fields__}
        self._connection.execute(
            sessions.insert().values(
                tenant_id=self._tenant, token_hash=token_hash, auth_at=auth_at, ends_at=ends_at, **fields
            )
        )

    def touch(self, session: uuid.UUID, now: datetime) -> None:
        """The browser is still there."""
        mine = (sessions.c.tenant_id == self._tenant, sessions.c.id == session)
        self._connection.execute(sessions.update().where(*mine).values(last_seen_at=now))

    def alive(self, user: uuid.UUID, seen_since: datetime, created_since: datetime, now: datetime) -> list[Session]:
        """Live sessions of a person, the latest first."""
        query = (
            sa.select(*_SESSION)
            .where(
                *self._open(user),
                sessions.c.last_seen_at > seen_since,
                sessions.c.created_at > created_since,
                sa.or_(sessions.c.ends_at.is_(None), sessions.c.ends_at > now),
            )
            .order_by(sessions.c.last_seen_at.desc())
        )
        return [_session(row) for row in self._connection.execute(query)]

    def unfamiliar(self, user: uuid.UUID) -> list[Session]:
        """Sign-ins from new places that the person has not recognised, ended ones too, the latest first."""
        query = (
            sa.select(*_SESSION)
            .where(sessions.c.tenant_id == self._tenant, sessions.c.user_id == user, sessions.c.unfamiliar)
            .order_by(sessions.c.created_at.desc())
        )
        return [_session(row) for row in self._connection.execute(query)]

    def places(self, user: uuid.UUID) -> list[tuple[str, str]]:
        """(address, user agent) of a person's last sign-ins."""
        query = (
            sa.select(sessions.c.address, sessions.c.user_agent)
            .where(sessions.c.tenant_id == self._tenant, sessions.c.user_id == user)
            .order_by(sessions.c.created_at.desc())
            .limit(_EARLIER_MAX)
        )
        return [(row.address, row.user_agent) for row in self._connection.execute(query)]

    def recognise(self, user: uuid.UUID, session: uuid.UUID) -> bool:
        """The person says that this was them; False when there is nothing to recognise."""
        mine = (sessions.c.tenant_id == self._tenant, sessions.c.user_id == user, sessions.c.id == session)
        done = self._connection.execute(sessions.update().where(*mine, sessions.c.unfamiliar).values(unfamiliar=False))
        return done.rowcount == 1

    def renew(self, session: uuid.UUID, token_hash: bytes, factor: Factor | None, now: datetime) -> bool:
        """Another token for a session, after a fresh proof if `factor` is given; False when the session has ended."""
        mine = (sessions.c.tenant_id == self._tenant, sessions.c.id == session, sessions.c.revoked_at.is_(None))
        values: dict[str, Any] = {"token_hash": token_hash, "last_seen_at": now}
        if factor is not None:
            values |= {"factor": factor, "auth_at": now}
        return self._connection.execute(sessions.update().where(*mine).values(values)).rowcount == 1

    def revoke(self, user: uuid.UUID, session: uuid.UUID, now: datetime) -> bool:
        """End a session of a person; False when there is none."""
        done = self._connection.execute(
            sessions.update().where(*self._open(user), sessions.c.id == session).values(revoked_at=now)
        )
        return done.rowcount == 1

    def revoke_others(self, user: uuid.UUID, but: uuid.UUID | None, now: datetime) -> int:
        """End every session of a person but one; returns how many."""
        others = self._open(user) if but is None else (*self._open(user), sessions.c.id != but)
        return self._connection.execute(sessions.update().where(*others).values(revoked_at=now)).rowcount

    def revoke_oldest(self, user: uuid.UUID, newest: uuid.UUID, keep: int, now: datetime) -> int:
        """End the sessions of a person but the newest and the `keep` before it; returns how many."""
        others = sa.select(sessions.c.id).where(*self._open(user), sessions.c.id != newest)
        oldest = others.order_by(sessions.c.created_at.desc()).offset(keep)
        old = (sessions.c.tenant_id == self._tenant, sessions.c.id.in_(oldest))
        return self._connection.execute(sessions.update().where(*old).values(revoked_at=now)).rowcount

    def remove_dead(self, created_before: datetime) -> int:
        """Forget sessions that began before that moment; returns how many."""
        old = (sessions.c.tenant_id == self._tenant, sessions.c.created_at < created_before)
        return self._connection.execute(sessions.delete().where(*old)).rowcount

    def remove_expired_links(self, now: datetime) -> int:
        """Forget sign-in links and half-done sign-ins that no longer work; returns how many."""
        return sum(
            self._connection.execute(
                table.delete().where(table.c.tenant_id == self._tenant, table.c.expires_at < now)
            ).rowcount
            for table in (sign_in_links, pending_sign_ins)
        )

    def remove_attempts(self, before: datetime) -> int:
        """Forget sign-in attempts, which are of no tenant, from before that moment; returns how many."""
        old = sign_in_attempts.c.last_at < before
        return self._connection.execute(sign_in_attempts.delete().where(old)).rowcount

    def _open(self, user: uuid.UUID) -> tuple[sa.ColumnElement[bool], ...]:
        mine = (sessions.c.tenant_id == self._tenant, sessions.c.user_id == user)
        return (*mine, sessions.c.revoked_at.is_(None))


def _session(row: sa.Row[tuple[object, ...]]) -> Session:
    fields = dict(row._mapping)
    return Session(**fields | {"factor": Factor(fields["factor"])})
