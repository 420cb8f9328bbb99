"""Challenges that passkeys sign: kept as hashes, of no tenant, because a sign-in begins before a tenant is known."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa

from finer.identity.tables.sign_in import passkey_challenges


class ChallengeStore:
    """Challenges that were handed out and not answered yet."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, challenge_hash: bytes, purpose: str, subject: uuid.UUID | None, expires_at: datetime) -> None:
        """A challenge for one purpose and, except for signing in, one person."""
        self._connection.execute(
            passkey_challenges.insert().values(
                challenge_hash=challenge_hash, purpose=purpose, subject=subject, expires_at=expires_at
            )
        )

    def take(self, challenge_hash: bytes, purpose: str, subject: uuid.UUID | None, now: datetime) -> bool:
        """Use a challenge up, whatever comes of it; False when it was not given out for this, or too long ago."""
        mine = passkey_challenges.c.challenge_hash == challenge_hash
        row = self._connection.execute(passkey_challenges.delete().where(mine).returning(passkey_challenges)).first()
        return row is not None and (row.purpose, row.subject) == (purpose, subject) and row.expires_at > now

    def remove_expired(self, before: datetime) -> int:
        """Forget challenges that nobody answered; returns how many."""
        old = passkey_challenges.c.expires_at < before
        return self._connection.execute(passkey_challenges.delete().where(old)).rowcount
