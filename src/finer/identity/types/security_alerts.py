"""Accesses that look unauthorised, and what can be done about them at once."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

import msgspec


class SecurityState(StrEnum):
    """What became of a security alert."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Containment(StrEnum):
    """What can be done at once about an account or a key."""

    END_SESSIONS = "end_sessions"
    DISABLE_USER = "disable_user"
    REVOKE_KEY = "revoke_key"


class SecurityAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An access by a `subject` (`usr_...`, `key_...`, an address) that looks unauthorised; others of its kind join."""

    id: uuid.UUID
    rule: str
    severity: str
    subject: str
    subject_name: str
    state: SecurityState
    reasons: list[str]
    first_at: datetime
    last_at: datetime
    hits: int
    assignee_id: uuid.UUID | None
    note: str
    changed_by: str
    changed_at: datetime | None
    version: int
