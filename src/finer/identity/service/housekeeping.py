"""What identity forgets on a schedule: nothing that still opens a door, only what is over."""

from __future__ import annotations

from datetime import timedelta

from finer.identity.store.challenges import ChallengeStore
from finer.identity.store.sessions import SessionStore
from finer.kit.settings import Settings
from finer.kit.tx import Tx

SESSIONS_KEEP = timedelta(days=90)
"""Ended sessions stay this long: they say which networks and devices of a person are not new."""
ATTEMPTS_KEEP = timedelta(days=1)


def forget_old(tx: Tx, settings: Settings) -> int:
    """Forget a firm's old sessions, links and half-done sign-ins; returns how many rows went."""
    store = SessionStore(tx)
    longest = max(SESSIONS_KEEP, timedelta(hours=settings.session_absolute_hours))
    return store.remove_dead(tx.now() - longest) + store.remove_expired_links(tx.now())


def forget_attempts(tx: Tx) -> int:
    """Forget old sign-in attempts and unanswered challenges, which belong to no firm; returns how many rows went."""
    attempts = SessionStore(tx).remove_attempts(tx.now() - ATTEMPTS_KEEP)
    return attempts + ChallengeStore(tx.connection).remove_expired(tx.now())
