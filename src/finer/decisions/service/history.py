"""The history of a case: what was done in it, by whom, and what that says to somebody who looked before."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from finer.decisions.errors import CaseChanged
from finer.decisions.store.case_files import CaseFileStore
from finer.decisions.types.cases import Case, Entry, EntryKind
from finer.kit.ids import new_id
from finer.kit.tx import Tx

_WORDS = {
    EntryKind.OPENED: "opened the case",
    EntryKind.ALERT: "added an alert",
    EntryKind.STATE: "changed the state",
    EntryKind.ASSIGNMENT: "gave the case to somebody",
    EntryKind.NOTE: "wrote a note",
    EntryKind.CHECKLIST: "ticked a step",
    EntryKind.ATTACHMENT: "changed the files",
    EntryKind.ACTION: "took an action",
    EntryKind.LABEL: "judged an alert",
    EntryKind.REPORT: "changed the report",
    EntryKind.CLOSED: "closed the case",
    EntryKind.REOPENED: "opened the case again",
}
_TOLD_MAX = 3


def write(
    tx: Tx, case: uuid.UUID, kind: EntryKind, version: int, text: str = "", detail: dict[str, Any] | None = None
) -> None:
    """Write down what was done in a case, and the version that it led to."""
    write_all(tx, [(case, kind, version, detail or {})], text)


def write_all(tx: Tx, done: Sequence[tuple[uuid.UUID, EntryKind, int, dict[str, Any]]], text: str = "") -> None:
    """Write down what was done in several cases: the case, what, the version that it led to, and particulars."""
    at, by = tx.now(), tx.actor.name
    CaseFileStore(tx).add_entries(
        (case, Entry(id=new_id(), kind=kind, at=at, by=by, version=version, text=text, detail=detail))
        for case, kind, version, detail in done
    )


def changed_since(tx: Tx, case: Case, seen: int) -> CaseChanged:
    """The error that says who changed what since a version, for whoever acted on it."""
    found = CaseFileStore(tx).entries(case.id, after_version=seen)
    said = [f"{one.by} {_WORDS[one.kind]} at {one.at:%H:%M:%S} UTC" for one in found[:_TOLD_MAX]]
    what = "; ".join(said) if said else "Somebody changed it"
    return CaseChanged(
        f"Case {case.number} has changed since you read it: {what}. Read it again, then decide.",
        version=case.version,
        changes=[{"by": one.by, "what": one.kind.value, "at": one.at.isoformat()} for one in found[:_TOLD_MAX]],
    )
