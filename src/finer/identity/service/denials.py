"""Denied requests and counted reads, written beside the request that caused them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from finer.identity.rules.denials import Denial, DenialBook, Tally
from finer.identity.rules.trail import plain
from finer.identity.service.audit import AGENT_MAX, NAME_MAX, SUBJECT_MAX
from finer.identity.store.lookups import LookupStore
from finer.identity.store.reads import ReadStore
from finer.identity.store.rows import IdentityStore
from finer.identity.types.audit import AuditEntry
from finer.kit.actors import Actor
from finer.kit.ids import new_id, show_id
from finer.kit.tx import Tx

__all__ = [
    "Denial",
    "DenialBook",
    "Tally",
    "credential_owner",
    "forget_reads",
    "note_reads",
    "record_denial",
    "record_tally",
]
NOBODY = Actor(kind="nobody", id="nobody", name="Nobody signed in", role="")
_PATH_MAX = 200
KEPT_READS = timedelta(days=35)
"""How long counted reads are kept: the habit of 30 days, and a few more."""


def record_denial(tx: Tx, denial: Denial) -> None:
    """Write down that a request was denied; the transaction is not that of the request."""
    _write(tx, denial, {"path": plain(denial.path, _PATH_MAX)})


def record_tally(tx: Tx, tally: Tally) -> None:
    """Write down how often it happened again."""
    detail: dict[str, Any] = {
        "count": tally.count,
        "from": tally.began.isoformat(),
        "to": (tally.last_at or tally.began).isoformat(),
        "paths": [plain(path, _PATH_MAX) for path in tally.paths],
    }
    _write(tx, tally.sample, detail)


def _write(tx: Tx, denial: Denial, detail: dict[str, Any]) -> None:
    entry = AuditEntry(
        id=new_id(),
        at=tx.now(),
        actor_kind=denial.actor.kind,
        actor_id=denial.actor.id,
        actor_name=plain(denial.actor.name, NAME_MAX),
        actor_role=denial.actor.role,
        action=denial.action,
        subject=plain(denial.subject, SUBJECT_MAX),
        outcome=denial.outcome,
        origin=denial.origin,
        detail=detail,
        user_agent=plain(denial.user_agent, AGENT_MAX),
        session=denial.session,
        request=denial.request,
    )
    IdentityStore(tx).add_audit(entry)


def credential_owner(tx: Tx, token_hash: bytes) -> tuple[uuid.UUID, Actor, str] | None:
    """(tenant, actor, session) of a session token that was good once: it is expired, or was revoked."""
    row = LookupStore(tx.connection).past_session(token_hash)
    if row is None:
        return None
    actor = Actor(kind="user", id=str(row.user_id), name=show_id("usr", row.user_id), role=row.role)
    return row.tenant_id, actor, show_id("ses", row.session_id)


def forget_reads(tx: Tx) -> int:
    """Drop counted reads that no habit is made from any more; returns how many minutes."""
    return ReadStore(tx).forget(tx.now() - KEPT_READS)


def note_reads(tx: Tx, counted: Sequence[tuple[Actor, datetime, int, int]]) -> None:
    """Add to how many rows callers read within minutes: (who, minute, rows, requests)."""
    # In one order everywhere, so that two processes never wait for each other's rows.
    ReadStore(tx).add(sorted(counted, key=lambda line: (line[0].id, line[1])))
