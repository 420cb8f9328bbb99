"""What was answered to requests that carried an Idempotency-Key, kept in the transaction of the act itself.

A key belongs to one caller of one tenant. While its request is under way it is locked; once the act has committed its
answer is there, and where the act was rolled back there is nothing, so that the key is free again. Answers are sealed:
they hold what the caller was shown.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.kit.crypto.fields import seal, unseal
from finer.kit.tables import idempotency
from finer.kit.tx import Tx

RETENTION = timedelta(hours=24)
_SEALED = "kit_idempotency.body_sealed"


class Remembered(msgspec.Struct, frozen=True):
    """An answer that was given: `body` is None when it was not kept. `request` is the hash of what was asked for."""

    request: bytes
    status: int
    headers: dict[str, str]
    body: str | None
    at: datetime


def claim_of(caller: str, key: str) -> str:
    """What a caller's key is kept under. `caller` names a person or machine of the tenant."""
    return hashlib.sha256(f"{caller}\0{key}".encode()).hexdigest()


def lock(tx: Tx, claim: str) -> bool:
    """Hold a claim until the end of the transaction; False when another request holds it right now."""
    held = sa.func.pg_try_advisory_xact_lock(sa.func.hashtextextended(f"idempotency {tx.tenant} {claim}", 0))
    return bool(tx.connection.execute(sa.select(held)).scalar_one())


def recall(tx: Tx, claim: str) -> Remembered | None:
    """What was answered under a claim in the last 24 hours."""
    row = tx.connection.execute(
        sa.select(idempotency).where(
            idempotency.c.tenant_id == tx.tenant,
            idempotency.c.claim == claim,
            idempotency.c.created_at > tx.now() - RETENTION,
        )
    ).one_or_none()
    if row is None:
        return None
    body = None if row.body_sealed is None else unseal(tx, _SEALED, claim, bytes(row.body_sealed))
    return Remembered(bytes(row.request_hash), row.status, row.headers, body, row.created_at)


def remember(tx: Tx, claim: str, request: bytes, status: int, headers: dict[str, str], body: str | None) -> None:
    """Keep an answer; `body` None says that it must not be kept."""
    values = {
        "request_hash": request,
        "status": status,
        "headers": headers,
        "body_sealed": None if body is None else seal(tx, _SEALED, claim, body),
        "created_at": tx.now(),
    }
    new = insert(idempotency).values(tenant_id=tx.tenant, claim=claim, **values)
    tx.connection.execute(new.on_conflict_do_update(index_elements=["tenant_id", "claim"], set_=values))


def forget_old(tx: Tx) -> int:
    """Delete answers that are past their time; returns how many."""
    old = (idempotency.c.tenant_id == tx.tenant) & (idempotency.c.created_at <= tx.now() - RETENTION)
    return tx.connection.execute(idempotency.delete().where(old)).rowcount
