"""The audit trail: its entries, its chain, and what checking the chain tells."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import msgspec


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what, on what, when, from where, and how it ended."""

    id: uuid.UUID
    at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str
    actor_role: str
    action: str
    subject: str
    outcome: str
    origin: str
    detail: dict[str, Any]
    user_agent: str = ""
    session: str = ""
    request: str = ""


class AuditLine(AuditEntry, frozen=True, kw_only=True):
    """An entry with its place in the chain; None while it waits for its seal, a second or so."""

    sequence: int | None
    hash: bytes | None


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries: None or empty does not limit, an `action` may end in `*`, `actor` is an id or a whole name."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    outcome: str | None = None
    origin: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    ids: tuple[uuid.UUID, ...] = ()


class SignedHead(msgspec.Struct, frozen=True, kw_only=True):
    """How far a firm's audit chain had come at a moment, under Finer's signature (Ed25519, RFC 8032)."""

    tenant_id: uuid.UUID
    sequence: int
    hash: bytes
    signed_at: datetime
    key_id: str
    signature: bytes


class ChainFinding(msgspec.Struct, frozen=True, kw_only=True):
    """What is altered, missing, reordered, inserted, unsealed, forged, truncated or rewritten, and a sentence."""

    kind: str
    says: str
    sequence: int | None = None
    entry: str | None = None


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """One run over an audit chain: from where, how far it has come, and what it found."""

    id: uuid.UUID
    asked_by: str
    asked_at: datetime
    first_sequence: int
    last_sequence: int
    checked: int
    last_hash: bytes | None
    finished_at: datetime | None
    findings: list[ChainFinding]


class ChainStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Where a firm's audit chain stands: the latest run, finished or under way, and the latest that was finished."""

    sequence: int
    waiting: int
    head: SignedHead | None
    verification: Verification | None
    verified: Verification | None
