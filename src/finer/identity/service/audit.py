"""The audit trail: who did what, written in the transaction of the act itself."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import msgspec

from finer.identity.errors import TooManyRows
from finer.identity.rules import trail
from finer.identity.store.audit import AuditStore
from finer.identity.store.rows import IdentityStore
from finer.identity.types.audit import AuditEntry, AuditFilter, AuditLine
from finer.kit.cursors import read_cursor, show_cursor
from finer.kit.errors import InvalidInput
from finer.kit.ids import new_id
from finer.kit.tx import Tx

EXPORT = "audit:export"
"""The kind of proposal of much of the trail in a file."""
ORIGIN: ContextVar[str] = ContextVar("finer_origin", default="")
"""The network address of the request being served; the edge sets it, and the audit trail notes it."""
AGENT: ContextVar[str] = ContextVar("finer_user_agent", default="")
"""What the client of the request says it is; set and noted as `ORIGIN`."""
SESSION: ContextVar[str] = ContextVar("finer_session", default="")
"""The shown id of the session that the request came with; empty for machines."""
REQUEST: ContextVar[str] = ContextVar("finer_request", default="")
"""The shown id of the request, which its answer carries as X-Request-Id."""


@dataclass
class RequestNotes:
    """What is noted of a request while it is served, for the edge to read when its answer goes out."""

    rows: int = 0
    """Rows that the answer shows."""
    taken: int = 0
    """Rows that the request takes away in a file."""
    entries: int = 0
    """Entries of the trail that the request has written itself."""
    problem: str = ""
    about: tuple[uuid.UUID, str] | None = None
    """Tenant and subject of a request that nobody is signed in for: whose account it tried."""


NOTES: ContextVar[RequestNotes | None] = ContextVar("finer_notes", default=None)
"""The notes of the request being served; None outside of requests."""
EXPORT_MAX = 100_000
"""Entries that one request may export; `finer audit export` has no limit."""
AGENT_MAX, NAME_MAX, SUBJECT_MAX = 300, 200, 300


def record_audit(
    tx: Tx, action: str, subject: str, detail: dict[str, Any] | None = None, outcome: str = "done"
) -> None:
    """Write down who did what, in the transaction of the act itself."""
    IdentityStore(tx).add_audit(audit_entry(tx, action, subject, detail or {}, outcome))
    notes = NOTES.get()
    if notes is not None:
        notes.entries += 1


def audit_entry(tx: Tx, action: str, subject: str, detail: dict[str, Any], outcome: str) -> AuditEntry:
    """A line of the audit trail, not written yet. What a client says of itself cannot break the line."""
    return AuditEntry(
        id=new_id(),
        at=tx.now(),
        actor_kind=tx.actor.kind,
        actor_id=tx.actor.id,
        actor_name=trail.plain(tx.actor.name, NAME_MAX),
        actor_role=tx.actor.role,
        action=action,
        subject=trail.plain(subject, SUBJECT_MAX),
        outcome=outcome,
        origin=ORIGIN.get(),
        detail=detail,
        user_agent=trail.plain(AGENT.get(), AGENT_MAX),
        session=SESSION.get(),
        request=REQUEST.get(),
    )


def list_audit(tx: Tx, limit: int, before: uuid.UUID | None) -> list[AuditEntry]:
    """Lines of the audit trail, the newest first."""
    return IdentityStore(tx).audit(limit, before)


def search_audit(
    tx: Tx, wanted: AuditFilter, limit: int, before: str | None = None
) -> tuple[list[AuditLine], str | None]:
    """One page of the trail, the newest first, and the cursor of the next page (None on the last)."""
    found = AuditStore(tx).page(_stored(wanted), limit, None if before is None else read_cursor(before))
    last = found[-1] if len(found) == limit else None
    return found, None if last is None else show_cursor(last.at, last.id)


def list_actions(tx: Tx) -> list[str]:
    """Every action that the trail of this firm knows."""
    return AuditStore(tx).actions()


def show_actor(kind: str, identifier: str) -> str:
    """`usr_...` or `key_...` for people and machines; what the trail holds for others."""
    return trail.shown_actor(kind, identifier)


def note_rows(rows: int) -> None:
    """Note how many rows this request takes away, where its answer does not show it."""
    notes = NOTES.get()
    if notes is not None:
        notes.taken += rows


def note_account(tenant: uuid.UUID, subject: str) -> None:
    """Note whose account a request without a caller tries, so that its refusal is written in that firm's trail."""
    notes = NOTES.get()
    if notes is not None:
        notes.about = (tenant, subject)


def note_read(tx: Tx, action: str, subject: str, detail: dict[str, Any] | None = None) -> None:
    """Write down that somebody looked at something sensitive."""
    # Nothing else depends on this line, so its reader need not wait for the disk: a crash of the database may lose
    # the lines of its last half second.
    IdentityStore(tx).commit_without_waiting()
    record_audit(tx, action, subject, detail, outcome="read")


def note_export(tx: Tx, wanted: AuditFilter, form: str, rows: int | None = None) -> None:
    """Write down that the trail itself is exported, and which part of it.

    Raises InvalidInput for a range without any moment in it.
    """
    _check_range(wanted)
    asked = {name: str(value) for name, value in msgspec.structs.asdict(wanted).items() if value}
    counted = {} if rows is None else {"rows": rows}
    record_audit(tx, "audit:export", "audit trail", {"format": form, **asked, **counted})


def export_parts(tx: Tx, wanted: AuditFilter, form: str) -> Iterator[bytes]:
    """The trail as `csv` or `jsonl`, the oldest entry first, in parts."""
    first = True
    for lines in AuditStore(tx).all(_stored(wanted)):
        yield trail.as_csv(lines, header=first) if form == "csv" else trail.as_json_lines(lines)
        first = False


def export_audit(tx: Tx, wanted: AuditFilter, form: str) -> bytes:
    """The same as one file, and an entry that says so. Raises TooManyRows beyond EXPORT_MAX entries."""
    count = count_export(tx, wanted)
    note_export(tx, wanted, form, count)
    note_rows(count)
    return b"".join(export_parts(tx, wanted, form))


def count_export(tx: Tx, wanted: AuditFilter) -> int:
    """How many entries an export would hold.

    Raises TooManyRows beyond EXPORT_MAX entries, and InvalidInput for a range without any moment in it.
    """
    _check_range(wanted)
    count = AuditStore(tx).count(_stored(wanted), EXPORT_MAX + 1)
    if count > EXPORT_MAX:
        raise TooManyRows(
            f"These are more than {EXPORT_MAX:,} entries. Choose a shorter time, or ask the operator for "
            "`finer audit export`, which has no limit."
        )
    return count


def _check_range(wanted: AuditFilter) -> None:
    if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
        raise InvalidInput("The range ends before it begins: its start must be earlier than its end.")


def _stored(wanted: AuditFilter) -> AuditFilter:
    return wanted if wanted.actor is None else msgspec.structs.replace(wanted, actor=trail.stored_actor(wanted.actor))
