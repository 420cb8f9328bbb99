"""Suspicious activity reports: a draft beside the case, and the file that leaves Finer, which takes two people."""

from __future__ import annotations

import uuid

import msgspec

from finer.decisions.errors import CaseChanged
from finer.decisions.rules.reports import as_html, document, first_draft
from finer.decisions.service.cases import change, get_case
from finer.decisions.store.alerts import DecisionStore
from finer.decisions.store.case_files import CaseFileStore
from finer.decisions.store.reports import ReportStore
from finer.decisions.types.cases import EntryKind
from finer.decisions.types.reports import Report, ReportDraft
from finer.identity.service import exports, tenants
from finer.identity.service.audit import note_rows, record_audit
from finer.identity.service.proposals import Kinds
from finer.identity.types.access import Permission
from finer.identity.types.proposals import Proposal
from finer.kit.ids import show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx

EXPORT = "cases:report"
"""The kind of proposal of a report that leaves Finer; what the trail calls it too."""


def get_report(tx: Tx, identifier: uuid.UUID) -> Report:
    """The draft of a case that the caller works on; unwritten ones are filled in. Raises CaseNotFound, NotYourCase."""
    case = get_case(tx, identifier, Permission.CASES_REPORT)
    found = ReportStore(tx).find(identifier)
    if found is not None:
        return found
    alerts = DecisionStore(tx).alerts_of_case(identifier)
    draft = first_draft(case, alerts, CaseFileStore(tx).actions(identifier))
    return Report(draft=draft, version=0, changed_by="", changed_at=None, exported_at=None)


def save_report(tx: Tx, identifier: uuid.UUID, version: int, draft: ReportDraft) -> Report:
    """Keep a draft, sealed. Raises as get_report, and CaseChanged when somebody else has written on it."""
    case = get_case(tx, identifier, Permission.CASES_REPORT, lock=True)
    store = ReportStore(tx)
    before = store.find(identifier)
    if version != (0 if before is None else before.version):
        who = "Somebody" if before is None else before.changed_by
        raise CaseChanged(f"{who} has changed this report since you read it. Read it again, then write.")
    store.put(identifier, draft, version + 1, tx.actor.name, tx.now())
    change(tx, case, EntryKind.REPORT, detail={"version": version + 1})
    return get_report(tx, identifier)


def export_report(
    tx: Tx, settings: Settings, kinds: Kinds, identifier: uuid.UUID, *, html: bool, reason: str
) -> Proposal | bytes:
    """The report as JSON or as a page to be printed, in clear; or the proposal that waits for somebody else.

    Raises as get_report, and NotAcceptable without a reason.
    """
    case = get_case(tx, identifier, Permission.CASES_REPORT, lock=True)
    report = get_report(tx, identifier)
    alerts = DecisionStore(tx).alerts_of_case(identifier)
    asked = {"case": show_id("cas", identifier), "report_version": report.version}
    waits = exports.may_export(tx, settings, kinds, EXPORT, asked, rows=len(alerts), clear=True, reason=reason)
    if waits is not None:
        return waits
    firm = tenants.get_tenant(tx)
    about = {"name": firm.name, "slug": firm.slug, "base_currency": firm.base_currency}
    made = document(report.draft, case, alerts, about, tx.actor.name, tx.now())
    ReportStore(tx).exported(identifier, tx.now())
    note_rows(len(alerts))
    form = "html" if html else "json"
    record_audit(tx, EXPORT, show_id("cas", identifier), {"format": form, "rows": len(alerts), **asked})
    change(tx, case, EntryKind.REPORT, detail={"exported": form, "version": report.version})
    return as_html(made).encode() if html else msgspec.json.format(msgspec.json.encode(made), indent=2)
