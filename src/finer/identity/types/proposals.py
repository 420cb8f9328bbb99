"""Acts that wait for a second person."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

import msgspec


class ProposalState(StrEnum):
    """What became of a proposal."""

    WAITING = "waiting"
    EXECUTED = "executed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said of a proposal, and which payload they saw."""

    checker_id: uuid.UUID
    approved: bool
    payload_sha256: bytes
    reason: str
    at: datetime


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """An act that waits for a second person. `payload` is canonical JSON, `base_version` the state it starts from."""

    id: uuid.UUID
    kind: str
    payload: str
    payload_sha256: bytes
    base_version: str
    reason: str
    maker_id: uuid.UUID
    made_at: datetime
    expires_at: datetime
    state: ProposalState = ProposalState.WAITING
    decided_at: datetime | None = None
    approvals: list[Approval] = []


class Change(msgspec.Struct, frozen=True):
    """What an act changes, for people: a name, and its value before and after."""

    what: str
    before: str
    after: str
