"""The audit trail: who did what, written in the transaction of the act itself."""

from __future__ import annotations

import uuid
from contextvars import ContextVar
from typing import Any

from finer.identity.store.rows import IdentityStore
from finer.identity.types import AuditEntry
from finer.kit.ids import new_id
from finer.kit.tx import Tx

ORIGIN: ContextVar[str] = ContextVar("finer_origin", default="")
"""The network address of the request being served; the edge sets it, and the audit trail notes it."""


def record_audit(
    tx: Tx, action: str, subject: str, detail: dict[str, Any] | None = None, outcome: str = "done"
) -> None:
    """Write down who did what, in the transaction of the act itself."""
    IdentityStore(tx).add_audit(audit_entry(tx, action, subject, detail or {}, outcome))


def audit_entry(tx: Tx, action: str, subject: str, detail: dict[str, Any], outcome: str) -> AuditEntry:
    """A line of the audit trail, not written yet."""
    return AuditEntry(
        id=new_id(),
        at=tx.now(),
        actor_kind=tx.actor.kind,
        actor_id=tx.actor.id,
        actor_name=tx.actor.name,
        actor_role=tx.actor.role,
        action=action,
        subject=subject,
        outcome=outcome,
        origin=ORIGIN.get(),
        detail=detail,
    )


def list_audit(tx: Tx, limit: int, before: uuid.UUID | None) -> list[AuditEntry]:
    """Lines of the audit trail, the newest first."""
    return IdentityStore(tx).audit(limit, before)
