"""Bulk exports: above a number of rows, or with values in clear, an export takes two people.

A domain that exports gives its act a kind of proposal (`bulk_export_kind`) and asks `may_export` before it hands out
rows. Without an approval the export is proposed instead; when somebody else has approved it, its maker repeats the same
request within a day and gets the file. What is approved is the question, with every filter, and not the answer: rows
that came since are part of it. Small exports of one person within a day count together, by whatever door: much is not
taken in many small parts.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from finer.identity.errors import NotAcceptable, TooManyRows
from finer.identity.rules.canonical import canonical
from finer.identity.service import proposals
from finer.identity.service.audit import note_rows, record_audit
from finer.identity.service.proposals import Kinds, Payload, ProposalKind
from finer.identity.store.audit import AuditStore
from finer.identity.types.access import Permission
from finer.identity.types.proposals import Change, Proposal
from finer.kit.settings import Settings
from finer.kit.tx import Tx

GOOD_FOR = timedelta(hours=24)
"""How long after its approval an export may be fetched."""
FILE_ROWS_MAX = 100_000
"""Rows of a list that one request may hand out."""
_TAKEN = (
    "alerts:export", "audit:export", "cases:report", "dashboards:export", "decisions:export", "lake:export",
    "lists:export", "sql:export",
)  # fmt: skip
"""What the trail calls exports; their entries say how many rows they had."""


def bulk_export_kind(name: str, title: str, propose: Permission) -> ProposalKind:
    """The kind of proposal of one export, which everybody who may export at all can make."""
    return ProposalKind(
        name=name,
        title=title,
        propose=propose,
        approve=Permission.EXPORTS_APPROVE,
        version=lambda _tx, _payload: "",
        describe=_describe,
        execute=lambda _tx, _payload: {"good_for_hours": GOOD_FOR // timedelta(hours=1)},
    )


def rows_alone(settings: Settings, name: str) -> int | None:
    """The rows of an export of this kind that one person may have; None where nobody else is asked."""
    return settings.export_rows_max if proposals.needs_approval(settings, name) else None


def may_export(
    tx: Tx,
    settings: Settings,
    kinds: Kinds,
    name: str,
    asked: Payload,
    *,
    rows: int,
    clear: bool = False,
    reason: str = "",
) -> Proposal | None:
    """None when the caller may have the rows now; else the proposal that waits for somebody else.

    `asked` holds every filter of the export as JSON values, `rows` how many it would hand out, `clear` whether any
    value is unmasked. Raises NotAcceptable without a reason, when there is neither an approval nor a proposal yet.
    """
    most = rows_alone(settings, name)
    if tx.actor.kind == "system" or most is None:
        return None
    # Exports of more rows were approved, each by itself.
    store = AuditStore(tx)
    store.one_export_at_once(tx.actor.id)
    before = store.rows_of(tx.actor.id, _TAKEN, tx.now() - GOOD_FOR, most)
    if not clear and rows + before <= most:
        return None
    # The role says what the rows show: who has another one meanwhile asks for something else.
    payload = {"asked": dict(asked), "clear": clear, "role": tx.actor.role}
    text = canonical(payload)
    since = tx.now() - GOOD_FOR
    if any(one.payload == text for one in proposals.executed(tx, name, uuid.UUID(tx.actor.id), since)):
        return None
    for one in proposals.waiting(tx, (name,)):
        if one.payload == text and str(one.maker_id) == tx.actor.id:
            return one
    if not reason.strip():
        much = "Values in clear" if clear else f"With what you took within a day these are {rows + before:,} rows, and"
        much += "" if clear else f" more than {most:,}"
        raise NotAcceptable(f"{much} take two people. Say why, for whoever approves it.")
    return proposals.propose(tx, kinds, name, payload, reason)


def take(
    tx: Tx,
    settings: Settings,
    kinds: Kinds,
    name: str,
    subject: str,
    asked: Payload,
    *,
    rows: int,
    reason: str,
    most: int = FILE_ROWS_MAX,
) -> Proposal | None:
    """As `may_export`, for rows of a list as the caller sees it; what is handed out is noted as the kind is named.

    Raises TooManyRows beyond `most`: who needs more asks the lake.
    """
    if rows > most:
        raise TooManyRows(f"These are more than {most:,} rows. Narrow the filter, or export the table from the lake.")
    waits = may_export(tx, settings, kinds, name, asked, rows=rows, reason=reason)
    if waits is None:
        note_rows(rows)
        record_audit(tx, name, subject, {"rows": rows, **asked})
    return waits


def _describe(_tx: Tx, payload: Payload) -> list[Change]:
    asked: dict[str, Any] = payload["asked"]
    given = sorted((name.replace("_", " "), value) for name, value in asked.items() if value not in (None, ""))
    filters = "; ".join(f"{name}: {value}" for name, value in given)
    seen = Change("Values", "", f"as the role {payload['role'].replace('_', ' ')} sees them")
    found = [Change("Rows that leave Finer", "", filters or "all there are"), seen]
    return [*found, Change("Values that say who somebody is", "masked", "in clear")] if payload["clear"] else found
