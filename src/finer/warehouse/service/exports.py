"""Exports: files of tables of the lake, written by a job, for who asked for them to fetch while they last."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from finer.identity.service import audit
from finer.identity.service import exports as two_people
from finer.identity.service.audit import record_audit
from finer.identity.service.authorisation import masking_of
from finer.identity.service.proposals import Kinds
from finer.identity.types.proposals import Proposal
from finer.ingest.service import contracts
from finer.kit import runs
from finer.kit.errors import InvalidInput
from finer.kit.ids import new_id, show_id
from finer.kit.tx import Tx
from finer.notifications import service as notifications
from finer.notifications.types import NewNotification, Severity
from finer.warehouse.errors import ExportNotFound, ExportNotReady, ExportTooLarge, TooManyExports
from finer.warehouse.service.shown import ShownTo, shows_people
from finer.warehouse.store import export_files, history
from finer.warehouse.store.access import LakeAccess
from finer.warehouse.store.export_files import discard, written
from finer.warehouse.store.exporting import Progress, count_rows, export_table
from finer.warehouse.store.records import ExportStore
from finer.warehouse.store.shown import expressions
from finer.warehouse.types import Export, ExportState, LakeTable, Wanted

__all__ = [
    "EXPORT",
    "EXPORT_JOB",
    "Progress",
    "ask_for_export",
    "begin_export",
    "discard",
    "drop_export",
    "end_export",
    "fail_export",
    "finish_export",
    "get_export",
    "list_exports",
    "note_export",
    "sweep_exports",
    "take_export",
    "withdraw_exports",
    "write_export",
    "written",
]

EXPORT_JOB = "export_lake"
EXPORT = "lake.export"
"""The kind of proposal of an export that is too large for one person."""
_SHOWN_MAX, _OPEN_MAX = 100, 5
_KEPT = timedelta(days=30)


def ask_for_export(tx: Tx, access: LakeAccess, kinds: Kinds, wanted: Wanted, reason: str = "") -> Export | Proposal:
    """Let a job write a file of a table, masked for the role of who asks; or what waits for somebody else first.

    Raises LakeEmpty, TableNotFound, SnapshotGone, InvalidInput for a range without any moment in it,
    TooManyExports, and NotAcceptable for a large export without a reason.
    """
    _check_range(wanted)
    table, snapshot = history.find_table(access, tx.tenant, wanted.table, wanted.as_of)
    store = ExportStore(tx)
    if store.count_open(tx.actor.id) >= _OPEN_MAX:
        raise TooManyExports(f"{_OPEN_MAX} of your exports are under way. Wait for one, or cancel one.")
    limits = {"from": wanted.since, "to": wanted.until, "as_of": wanted.as_of, "format": wanted.format.value}
    detail = {"table": wanted.table} | {name: str(value) for name, value in limits.items() if value is not None}
    rows = count_rows(access, tx.tenant, table, snapshot, wanted)
    waits = two_people.may_export(
        tx,
        access.settings,
        kinds,
        EXPORT,
        detail,
        rows=rows,
        clear=shows_people(masking_of(tx.actor), contracts.load(tx), table),
        reason=reason,
    )
    if waits is not None:
        return waits
    identifier = new_id()
    store.add(identifier, wanted, snapshot, tx.actor.id, tx.actor.role)
    more: dict[str, Any] = {"rows": rows} if snapshot is None else {"rows": rows, "snapshot": snapshot}
    record_audit(tx, "lake:export", show_id("exp", identifier), detail | more)
    runs.start(tx, EXPORT_JOB, arguments={"export": str(identifier)})
    return _export(tx, identifier)


def list_exports(tx: Tx) -> list[Export]:
    """The latest exports of the caller, the newest first."""
    return ExportStore(tx).of(tx.actor.id, _SHOWN_MAX)


def get_export(tx: Tx, identifier: uuid.UUID) -> Export:
    """An export of the caller. Raises ExportNotFound, also for one of somebody else."""
    return _export(tx, identifier)


def end_export(tx: Tx, access: LakeAccess, identifier: uuid.UUID) -> Export:
    """Cancel an export of the caller that is under way, or delete its file. Raises ExportNotFound."""
    found = _export(tx, identifier)
    if found.state in (ExportState.WAITING, ExportState.RUNNING):
        ExportStore(tx).end(identifier, ExportState.CANCELLED)
    elif found.state is ExportState.READY:
        export_files.discard(access, tx.tenant, found)
        ExportStore(tx).end(identifier, ExportState.EXPIRED)
    record_audit(tx, "lake:export_end", show_id("exp", identifier), {"was": found.state.value})
    return _export(tx, identifier)


def take_export(tx: Tx, access: LakeAccess, identifier: uuid.UUID) -> tuple[Export, Iterator[bytes]]:
    """An export of the caller and the bytes of its file. Raises ExportNotFound, or ExportNotReady with what to do."""
    found = _export(tx, identifier)
    if found.state is not ExportState.READY or found.expires_at is None or found.expires_at <= tx.now():
        raise ExportNotReady(f"The export is {found.state.value}. A file can be fetched while it is ready.")
    if found.role != tx.actor.role:
        # What the file shows was decided by what its owner might see then.
        raise ExportNotReady("The export was made for another role of yours. Ask for it again.")
    pieces = export_files.pieces(access, tx.tenant, found)
    audit.note_rows(found.rows)
    record_audit(tx, "lake:export_taken", show_id("exp", identifier), {"table": found.wanted.table, "rows": found.rows})
    return found, pieces


def begin_export(tx: Tx, identifier: uuid.UUID) -> Export | None:
    """An export that a job is to write now; None when it was cancelled, or is done."""
    found = ExportStore(tx).find(identifier, lock=True)
    if found is None or found.state not in (ExportState.WAITING, ExportState.RUNNING):
        return None
    ExportStore(tx).note(identifier, state=ExportState.RUNNING, rows=0)
    return found


def drop_export(tx: Tx, identifier: uuid.UUID, problem: str) -> None:
    """The run of an export will not be done: why it failed, or "" when somebody stopped it."""
    if problem:
        fail_export(tx, identifier, problem)
        return
    found = ExportStore(tx).find(identifier, lock=True)
    if found is not None and found.state in (ExportState.WAITING, ExportState.RUNNING):
        ExportStore(tx).note(identifier, state=ExportState.CANCELLED, finished_at=tx.now())


def note_export(tx: Tx, identifier: uuid.UUID, rows: int, total: int) -> bool:
    """Note how far an export is; False when it is not to go on."""
    found = ExportStore(tx).find(identifier, lock=True)
    if found is None or found.state is not ExportState.RUNNING:
        return False
    ExportStore(tx).note(identifier, rows=rows, rows_total=total)
    return True


def finish_export(tx: Tx, access: LakeAccess, identifier: uuid.UUID, rows: int, size: int) -> bool:
    """The file is whole: tell who asked. False when it was cancelled in the last moment."""
    found = ExportStore(tx).find(identifier, lock=True)
    if found is None or found.state is not ExportState.RUNNING:
        return False
    now, keep = tx.now(), timedelta(hours=access.settings.lake_exports_keep_hours)
    ExportStore(tx).note(
        identifier, state=ExportState.READY, rows=rows, rows_total=rows, bytes=size, finished_at=now,
        expires_at=now + keep,
    )  # fmt: skip
    text = f"{rows:,} rows, {size / 2**20:,.1f} MB. The file can be fetched until {now + keep:%Y-%m-%d %H:%M} UTC."
    _tell(tx, found, Severity.INFO, f"Your export of {found.wanted.table} is ready", text)
    return True


def fail_export(tx: Tx, identifier: uuid.UUID, problem: str) -> None:
    """There will be no file: tell who asked, and why."""
    found = ExportStore(tx).find(identifier, lock=True)
    if found is not None and found.state in (ExportState.WAITING, ExportState.RUNNING):
        ExportStore(tx).note(identifier, state=ExportState.FAILED, finished_at=tx.now(), problem=problem)
        _tell(tx, found, Severity.WARNING, f"Your export of {found.wanted.table} failed", problem)


def sweep_exports(tx: Tx, access: LakeAccess) -> None:
    """Delete files whose time is over, forget what ended long ago."""
    store, now = ExportStore(tx), tx.now()
    for one in store.all_in(ExportState.READY):
        if one.expires_at is not None and one.expires_at <= now:
            export_files.discard(access, tx.tenant, one)
            store.end(one.id, ExportState.EXPIRED)
    store.forget(now - _KEPT)


def withdraw_exports(tx: Tx, access: LakeAccess, reason: str) -> int:
    """Take back every export of the firm, because the lake has changed behind it; returns how many."""
    store = ExportStore(tx)
    found = store.all_in(ExportState.WAITING, ExportState.RUNNING, ExportState.READY)
    for one in found:
        state = ExportState.EXPIRED if one.state is ExportState.READY else ExportState.CANCELLED
        export_files.discard(access, tx.tenant, one)
        store.note(one.id, state=state, finished_at=tx.now(), problem=reason)
    return len(found)


def write_export(
    secret: bytes, access: LakeAccess, tenant: uuid.UUID, wanted: Wanted, shown: ShownTo, target: Any, note: Progress
) -> int:
    """Write a table to the binary file `target` and return its rows; `note` is told how far it is, and may raise.

    Raises LakeEmpty, TableNotFound, SnapshotGone, LakeUnavailable, ExportTooLarge, and InvalidInput for a range
    without any moment in it.
    """
    _check_range(wanted)
    rows_max = access.settings.lake_export_rows_max

    def progress(rows: int, total: int) -> None:
        if total > rows_max:
            raise ExportTooLarge(f"The export has {total:,} rows; one may have {rows_max:,}. Ask for a shorter range.")
        note(rows, total)

    def expressions_of(table: LakeTable) -> Mapping[str, str]:
        return expressions([table], shown([table]), secret).get(table.name, {})

    return export_table(access, tenant, wanted, expressions_of, target, progress)


def _check_range(wanted: Wanted) -> None:
    if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
        raise InvalidInput("The range ends before it begins: `from` must be earlier than `to`.")


def _export(tx: Tx, identifier: uuid.UUID) -> Export:
    found = ExportStore(tx).find(identifier)
    if found is None or found.asked_by != tx.actor.id:
        raise ExportNotFound(f"There is no export {show_id('exp', identifier)} of yours.")
    return found


def _tell(tx: Tx, export: Export, severity: Severity, title: str, text: str) -> None:
    user = uuid.UUID(export.asked_by)
    new = NewNotification(kind="lake.export", severity=severity, title=title, text=text, link="/lake", user=user)
    notifications.notify(tx, new)
