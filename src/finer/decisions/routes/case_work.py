"""HTTP of the work on one case: notes, steps, verdicts, files, what the lake says. Parse, call, answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias
from urllib.parse import quote

from litestar import Controller, Response, delete, get, post, put
from litestar.datastructures import ResponseHeader

from finer.decisions.routes.case_bodies import (
    AttachmentBody,
    CaseNoteBody,
    CaseStateBody,
    ChecklistBody,
    ClosingBody,
    LabelBody,
    ReopeningBody,
)
from finer.decisions.routes.case_documents import (
    CaseAttachment,
    CaseLinks,
    CaseSummaryRow,
    CaseTimeline,
    show_attachment,
    show_links,
    show_timeline,
)
from finer.decisions.routes.cases import shown
from finer.decisions.service import attachments, cases, judgements, lake_history
from finer.decisions.types.alerts import AlertState
from finer.decisions.types.cases import CaseState
from finer.identity.types.access import Permission
from finer.kit.ids import read_id
from finer.kit.tx import Tx

_READ, _WORK, _CLOSE = Permission.CASES_READ, Permission.CASES_WORK, Permission.CASES_CLOSE
LakeOf: TypeAlias = Callable[[Tx], lake_history.ReadLake]
"""Gives what reads the lake of a transaction's firm."""
_PRIVATE = [ResponseHeader(name="Cache-Control", value="no-store")]


class CaseWorkController(Controller):
    """The work on one case."""

    path = "/api/v1/cases/{case_id:str}"
    tags = ["Cases"]

    @get(
        "/timeline", opt={"permission": _READ, "sensitive": True}, sync_to_thread=True, summary="What the customer did"
    )
    def timeline(self, tx: Tx, case_id: str, lake_of: LakeOf) -> CaseTimeline:
        """Transactions, orders, activity and profile changes from 30 days before to 2 days after the last alert."""
        found = lake_history.timeline(tx, read_id("cas", case_id), lake_of(tx))
        return CaseTimeline(items=show_timeline(found), as_of=tx.now())

    @get("/links", opt={"permission": _READ, "sensitive": True}, sync_to_thread=True, summary="Who is linked")
    def links(self, tx: Tx, case_id: str, lake_of: LakeOf) -> CaseLinks:
        """Who shares a device, card, payee, e-mail address or phone number with the customer, over 90 days."""
        return show_links(lake_history.links(tx, read_id("cas", case_id), lake_of(tx)))

    @post("/state", opt={"permission": _WORK}, sync_to_thread=True, status_code=200, summary="Change the state")
    def set_state(self, tx: Tx, case_id: str, data: CaseStateBody) -> CaseSummaryRow:
        """Say that a case waits for somebody outside, or goes on."""
        state = CaseState(data.state)
        return shown(tx, cases.set_state(tx, read_id("cas", case_id), data.version, state, data.reason))

    @post("/notes", opt={"permission": _WORK}, sync_to_thread=True, status_code=200, summary="Write a note")
    def add_note(self, tx: Tx, case_id: str, data: CaseNoteBody) -> CaseSummaryRow:
        """Write a note: plain text, kept sealed, and never changed."""
        return shown(tx, cases.add_note(tx, read_id("cas", case_id), data.text))

    @put("/checklist/{step:str}", opt={"permission": _WORK}, sync_to_thread=True, summary="Tick a step")
    def tick(self, tx: Tx, case_id: str, step: str, data: ChecklistBody) -> CaseSummaryRow:
        """Tick a step of the checklist, or take the tick back."""
        return shown(tx, cases.tick(tx, read_id("cas", case_id), step, done=data.done))

    @post("/closing", opt={"permission": _CLOSE}, sync_to_thread=True, status_code=200, summary="Close a case")
    def close(self, tx: Tx, case_id: str, data: ClosingBody) -> CaseSummaryRow:
        """Say what the open alerts were, and so close the case; their payments are labelled with it.

        With steps of the checklist undone, a note has to say why. 409 says who changed the case in the meantime.
        """
        found = judgements.close_case(
            tx,
            read_id("cas", case_id),
            data.version,
            AlertState(data.verdict),
            data.note,
            source=data.source,
            otherwise={read_id("alr", one): AlertState(verdict) for one, verdict in data.otherwise.items()},
        )
        return shown(tx, found)

    @post("/reopening", opt={"permission": _CLOSE}, sync_to_thread=True, status_code=200, summary="Open a case again")
    def reopen(self, tx: Tx, case_id: str, data: ReopeningBody) -> CaseSummaryRow:
        """Open a closed case again. Its alerts stay judged until they are judged anew."""
        return shown(tx, cases.reopen(tx, read_id("cas", case_id), data.version, data.reason))

    @post("/labels", opt={"permission": _CLOSE}, sync_to_thread=True, status_code=200, summary="Judge alerts anew")
    def relabel(self, tx: Tx, case_id: str, data: LabelBody) -> CaseSummaryRow:
        """Say what payments turned out to be, also after closing and against what was said: a chargeback, a retraction.

        All judgements are kept; what is known latest decides.
        """
        found = judgements.relabel(
            tx,
            read_id("cas", case_id),
            [read_id("alr", one) for one in data.alerts],
            AlertState(data.verdict),
            source=data.source,
            known_at=data.known_at,
            reason=data.reason,
        )
        return shown(tx, found)

    @post("/attachments", opt={"permission": _WORK}, sync_to_thread=True, summary="Keep a file")
    def attach(self, tx: Tx, case_id: str, data: AttachmentBody) -> CaseAttachment:
        """Keep a file of up to 5 MB: PDF, PNG, JPEG, CSV or plain text. It is kept sealed."""
        found = attachments.add(tx, read_id("cas", case_id), data.name, data.media_type, data.content)
        return show_attachment(found)

    @get(
        "/attachments/{attachment_id:str}", opt={"permission": _READ, "sensitive": True}, sync_to_thread=True,
        summary="Fetch a file", response_headers=_PRIVATE, media_type="application/octet-stream",
    )  # fmt: skip
    def fetch(self, tx: Tx, case_id: str, attachment_id: str) -> Response[bytes]:
        """The file, to be saved: no browser opens it in a page of Finer."""
        found, content = attachments.fetch(tx, read_id("cas", case_id), read_id("att", attachment_id))
        plain = found.name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
        headers: dict[str, Any] = {
            "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(found.name)}",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        }
        return Response(content, media_type="application/octet-stream", headers=headers)

    @delete("/attachments/{attachment_id:str}", opt={"permission": _WORK}, sync_to_thread=True, summary="Delete a file")
    def detach(self, tx: Tx, case_id: str, attachment_id: str) -> None:
        """Delete a file for good; that it was there stays in the history."""
        attachments.remove(tx, read_id("cas", case_id), read_id("att", attachment_id))
