"""HTTP of suspicious activity reports. Parse, call, answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import Controller, Response, get, post, put
from litestar.datastructures import ResponseHeader

from finer.decisions.service import reports
from finer.decisions.types.reports import Report, ReportDraft
from finer.identity.service import proposals
from finer.identity.service.proposals import Kinds
from finer.identity.types.access import Permission
from finer.kit.ids import read_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx

_REPORT = Permission.CASES_REPORT


class CaseReport(msgspec.Struct, frozen=True, kw_only=True):
    """The draft of a report; version 0 is one that nobody has written yet."""

    reason: str
    action: str
    indicators: list[str]
    version: int
    changed_by: str
    changed_at: datetime | None
    exported_at: datetime | None


class CaseReportBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is written of a report, and the version looked at."""

    version: int
    draft: ReportDraft


class CaseReportExport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In which form a report leaves Finer, and why."""

    format: Literal["json", "html"]
    reason: Annotated[str, msgspec.Meta(max_length=1_000)]


class ReportProposal(msgspec.Struct, frozen=True, kw_only=True):
    """The report waits for somebody else: `proposal` is what they approve. Ask again when they have."""

    proposal: str


_MEDIA = {"json": "application/json", "html": "text/html"}
_FILES = {"200": {"description": "The report."}, "202": {"description": "The report waits for a second person."}}


class CaseReportController(Controller):
    """The suspicious activity report of a case."""

    path = "/api/v1/cases/{case_id:str}/report"
    tags = ["Cases"]

    @get("/", opt={"permission": _REPORT, "sensitive": True}, sync_to_thread=True, summary="Draft of a report")
    def draft(self, tx: Tx, case_id: str) -> CaseReport:
        """The draft, filled in from the case when nobody has written one."""
        return _show(reports.get_report(tx, read_id("cas", case_id)))

    @put("/", opt={"permission": _REPORT}, sync_to_thread=True, summary="Write a report")
    def save(self, tx: Tx, case_id: str, data: CaseReportBody) -> CaseReport:
        """Keep a draft, sealed. 409 when somebody else has written on it."""
        return _show(reports.save_report(tx, read_id("cas", case_id), data.version, data.draft))

    @post(
        "/export",
        opt={"permission": _REPORT, "step_up": True, "answer_once": True, "describe": {"responses": _FILES}},
        sync_to_thread=True,
        status_code=200,
        summary="Export a report",
        response_headers=[ResponseHeader(name="Cache-Control", value="no-store")],
    )
    def export(
        self, tx: Tx, case_id: str, data: CaseReportExport, settings: Settings, proposal_kinds: Kinds
    ) -> Response[bytes | ReportProposal]:
        """The report in clear: JSON with the fields of goAML, or a page to be printed.

        It waits for somebody else first, and answers 202 with what waits; ask again within a day of the approval.
        """
        made = reports.export_report(
            tx, settings, proposal_kinds, read_id("cas", case_id), html=data.format == "html", reason=data.reason
        )
        if not isinstance(made, bytes):
            return Response(ReportProposal(proposal=proposals.shown_id(made)), status_code=202)
        headers = {
            "Content-Disposition": f'attachment; filename="report-{case_id}.{data.format}"',
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        }
        return Response(made, media_type=_MEDIA[data.format], headers=headers)


def _show(report: Report) -> CaseReport:
    return CaseReport(
        reason=report.draft.reason,
        action=report.draft.action,
        indicators=report.draft.indicators,
        version=report.version,
        changed_by=report.changed_by,
        changed_at=report.changed_at,
        exported_at=report.exported_at,
    )
