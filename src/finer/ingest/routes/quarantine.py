"""HTTP of quarantine: find refused records, change them, send them on or throw them away. Parse, call, answer."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from litestar import Controller, get, post, put
from litestar.datastructures import ResponseHeader
from litestar.params import Parameter

from finer.identity.types.access import Permission
from finer.ingest.routes.quarantine_documents import (
    QuarantineAct,
    QuarantineActBody,
    QuarantineActPage,
    QuarantineCauses,
    QuarantinedDetail,
    QuarantineEditBody,
    QuarantinePage,
    QuarantinePreview,
    QuarantinePreviewBody,
    QuarantineSelection,
    RecordCheck,
    RecordRevealBody,
    RevealedRecord,
    State,
    selection_of,
    show_act,
    show_cause,
    show_detail,
    show_errors,
    show_preview,
    show_quarantined,
)
from finer.ingest.service import acts, contracts, quarantine, repairs
from finer.kit.ids import read_id
from finer.kit.moments import moment_in_query
from finer.kit.settings import Settings
from finer.kit.tx import Tx

_Limit: TypeAlias = Annotated[int, Parameter(ge=1, le=500)]
_Moment: TypeAlias = Annotated[str | None, Parameter(description="A date and time like 2026-11-20T10:00:00Z.")]
_Text: TypeAlias = Annotated[
    str | None,
    Parameter(description="Found in the reasons, and in values that say nothing of a person.", max_length=200),
]
_UNCHANGED = "It changes nothing."


class QuarantineController(Controller):
    """Records that break their contract."""

    path = "/api/v1/quarantine"
    tags = ["Quarantine"]

    @get(
        "/",
        opt={"permission": Permission.QUARANTINE_READ, "sensitive": True},
        sync_to_thread=True,
        summary="List quarantined records",
    )
    def list(
        self,
        tx: Tx,
        contract: str | None = None,
        field: str | None = None,
        rule: str | None = None,
        text: _Text = None,
        receipt: str | None = None,
        source: str | None = None,
        since: _Moment = None,
        until: _Moment = None,
        record_state: Annotated[State | None, Parameter(query="state")] = None,
        limit: _Limit = 50,
        before: str | None = None,
    ) -> QuarantinePage:
        """Records in quarantine with every broken field, newest first, page by page. Without a state: waiting ones.

        `rule` is any broken rule of a record; together with `field`, both are those of its first error.
        """
        chosen = QuarantineSelection(
            contract=contract, field=field, rule=rule, text=text, receipt=receipt, source=source,
            since=moment_in_query("since", since), until=moment_in_query("until", until), state=record_state,
        )  # fmt: skip
        page = quarantine.list_quarantined(
            tx, selection_of(chosen), before=None if before is None else read_id("qua", before), limit=limit
        )
        known = contracts.load(tx)
        return QuarantinePage(items=[show_quarantined(item, known) for item in page.items], next=page.next)

    @get("/causes", opt={"permission": Permission.QUARANTINE_READ}, sync_to_thread=True, summary="Count by cause")
    def causes(
        self,
        tx: Tx,
        contract: str | None = None,
        text: _Text = None,
        receipt: str | None = None,
        source: str | None = None,
        since: _Moment = None,
        until: _Moment = None,
    ) -> QuarantineCauses:
        """Records that wait in quarantine by contract, field and broken rule, most frequent first."""
        chosen = QuarantineSelection(
            contract=contract, text=text, receipt=receipt, source=source,
            since=moment_in_query("since", since), until=moment_in_query("until", until),
        )  # fmt: skip
        found = quarantine.quarantine_causes(tx, selection_of(chosen))
        known = contracts.load(tx)
        return QuarantineCauses(items=[show_cause(cause, known) for cause in found])

    @post(
        "/preview",
        opt={"permission": Permission.QUARANTINE_EDIT, "repeat": _UNCHANGED},
        sync_to_thread=True,
        status_code=200,
        summary="Try a change",
    )
    def preview(self, tx: Tx, data: QuarantinePreviewBody) -> QuarantinePreview:
        """What assignments would do to the newest records of a selection: before, after, and what they still break."""
        selection = selection_of(data.selection)
        found = repairs.preview(tx, selection, [(one.field, one.expression) for one in data.assignments])
        return show_preview(contracts.load(tx), found)

    @post("/edits", opt={"permission": Permission.QUARANTINE_EDIT}, sync_to_thread=True, summary="Change many records")
    def edit_many(self, tx: Tx, data: QuarantineActBody, settings: Settings) -> QuarantineAct:
        """Assign expressions to the fields of all records of a selection. Nothing is released by that."""
        assignments = [(one.field, one.expression) for one in data.assignments]
        return show_act(
            acts.start(
                tx, "edit", selection_of(data.selection), assignments=assignments, reason=data.reason,
                partitions=settings.partitions,
            )
        )  # fmt: skip

    @post("/undos", opt={"permission": Permission.QUARANTINE_EDIT}, sync_to_thread=True, summary="Put records back")
    def undo(self, tx: Tx, data: QuarantineActBody, settings: Settings) -> QuarantineAct:
        """Take back the changes of edited records, or the discarding of discarded ones: they are as they were sent."""
        return show_act(
            acts.start(tx, "undo", selection_of(data.selection), reason=data.reason, partitions=settings.partitions)
        )

    @post("/discards", opt={"permission": Permission.QUARANTINE_EDIT}, sync_to_thread=True, summary="Discard records")
    def discard(self, tx: Tx, data: QuarantineActBody, settings: Settings) -> QuarantineAct:
        """Give the records of a selection up, with a reason. They can be put back for 30 days."""
        return show_act(
            acts.start(tx, "discard", selection_of(data.selection), reason=data.reason, partitions=settings.partitions)
        )

    @post(
        "/releases", opt={"permission": Permission.QUARANTINE_RELEASE}, sync_to_thread=True, summary="Release records"
    )
    def release(self, tx: Tx, data: QuarantineActBody, settings: Settings) -> QuarantineAct:
        """Send records the whole way through the contract in force, with their own event ids; what breaks it stays."""
        return show_act(
            acts.start(tx, "release", selection_of(data.selection), reason=data.reason, partitions=settings.partitions)
        )

    @get("/acts", opt={"permission": Permission.QUARANTINE_READ}, sync_to_thread=True, summary="List acts")
    def acts(self, tx: Tx, limit: _Limit = 50, before: str | None = None) -> QuarantineActPage:
        """What was done with quarantined records, newest first."""
        page = acts.list_acts(tx, before=None if before is None else read_id("act", before), limit=limit)
        return QuarantineActPage(items=[show_act(item) for item in page.items], next=page.next)

    @get("/acts/{act_id:str}", opt={"permission": Permission.QUARANTINE_READ}, sync_to_thread=True, summary="One act")
    def act(self, tx: Tx, act_id: str) -> QuarantineAct:
        """An act, and how far it has come."""
        return show_act(acts.get_act(tx, read_id("act", act_id)))

    @post(
        "/acts/{act_id:str}/cancel",
        opt={"permission": Permission.QUARANTINE_EDIT},
        sync_to_thread=True,
        status_code=200,
        summary="Stop an act",
    )
    def cancel(self, tx: Tx, act_id: str) -> QuarantineAct:
        """Stop an act after the records that it is at. What it did stands."""
        return show_act(acts.cancel(tx, read_id("act", act_id)))

    @get(
        "/{record_id:str}",
        opt={"permission": Permission.QUARANTINE_READ, "sensitive": True},
        sync_to_thread=True,
        summary="One quarantined record",
    )
    def detail(self, tx: Tx, record_id: str) -> QuarantinedDetail:
        """A quarantined record with its values as they stand now."""
        return show_detail(quarantine.get_quarantined(tx, read_id("qua", record_id)), contracts.load(tx))

    @put(
        "/{record_id:str}",
        opt={"permission": Permission.QUARANTINE_EDIT},
        sync_to_thread=True,
        summary="Change a record",
    )
    def edit(self, tx: Tx, record_id: str, data: QuarantineEditBody) -> QuarantinedDetail:
        """Keep new values of one record. Nothing is released by that."""
        changed = repairs.edit_record(tx, read_id("qua", record_id), data.changes, data.record)
        return show_detail(changed, contracts.load(tx))

    @post(
        "/{record_id:str}/check",
        opt={"permission": Permission.QUARANTINE_EDIT, "repeat": _UNCHANGED},
        sync_to_thread=True,
        status_code=200,
        summary="Check a change",
    )
    def check(self, tx: Tx, record_id: str, data: QuarantineEditBody) -> RecordCheck:
        """What one record would still break with these values."""
        identifier = read_id("qua", record_id)
        remaining = repairs.check_changes(tx, identifier, data.changes, data.record)
        record = quarantine.get_quarantined(tx, identifier)
        return RecordCheck(remaining=show_errors(contracts.load(tx), record, remaining))

    @post(
        "/{record_id:str}/reveal",
        opt={"permission": Permission.QUARANTINE_REVEAL, "step_up": True, "answer_once": True},
        sync_to_thread=True,
        status_code=200,
        summary="Show what was sent",
        response_headers=[ResponseHeader(name="Cache-Control", value="no-store")],
    )
    def reveal(self, tx: Tx, record_id: str, data: RecordRevealBody) -> RevealedRecord:
        """Show a record as it was sent, for a reason that the audit trail keeps; at most 50 values an hour."""
        raw, left = quarantine.reveal(tx, read_id("qua", record_id), data.reason)
        return RevealedRecord(raw=raw, left=left)
