"""HTTP of the audit trail: entries, where its chain stands, verification, export."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import Parameter

from finer.identity.routes.edge import NOT_KEPT
from finer.identity.service import audit, chain, exports, proposals
from finer.identity.service.proposals import Kinds
from finer.identity.types.access import Permission
from finer.identity.types.audit import AuditFilter, AuditLine, ChainFinding, SignedHead, Verification
from finer.kit.ids import read_id, show_id
from finer.kit.moments import moment_in_query
from finer.kit.settings import Settings
from finer.kit.tx import Tx

_Text = Annotated[str, msgspec.Meta(max_length=300)]
_MOMENT = {"format": "date-time"}
_NOT_FILTERS = ("format", "reason")
_MEDIA = {"csv": "text/csv", "jsonl": "application/x-ndjson"}


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what, on what, when, from where, and how it ended. `sequence` is null until the entry is sealed."""

    id: str
    sequence: int | None
    hash: str | None
    at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str
    actor_role: str
    action: str
    subject: str
    outcome: str
    origin: str
    user_agent: str
    session: str
    request: str
    detail: dict[str, Any]


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """Entries, the newest first; `next` is null on the last page."""

    items: list[AuditEntry]
    next: str | None


class AuditActions(msgspec.Struct, frozen=True, kw_only=True):
    """Every action that the trail knows."""

    items: list[str]


class AuditHead(msgspec.Struct, frozen=True, kw_only=True):
    """How far the chain had come when it was signed."""

    sequence: int
    hash: str
    signed_at: datetime
    key_id: str


class AuditVerification(msgspec.Struct, frozen=True, kw_only=True):
    """One run over the chain; `finished_at` is null while it is under way."""

    id: str
    asked_by: str
    asked_at: datetime
    finished_at: datetime | None
    first_sequence: int
    last_sequence: int
    checked: int
    findings: list[ChainFinding]


class AuditStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Where the chain stands: its last sequence, what waits for a seal, the signed head, the latest runs."""

    sequence: int
    waiting: int
    head: AuditHead | None
    verification: AuditVerification | None
    verified: AuditVerification | None


class AuditExport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which entries to export, and how. Times are `from` (inclusive) and `to` (exclusive)."""

    format: Literal["csv", "jsonl"] = "jsonl"
    actor: _Text | None = None
    action: _Text | None = None
    subject: _Text | None = None
    outcome: _Text | None = None
    origin: _Text | None = None
    since: datetime | None = msgspec.field(default=None, name="from")
    until: datetime | None = msgspec.field(default=None, name="to")
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    """Why so many entries are needed, for whoever approves it."""


class ExportProposal(msgspec.Struct, frozen=True):
    """An export that waits for somebody else; the same request gets the file within a day of the approval."""

    proposal: str


_FILES = {
    "200": {
        "description": "The entries as a file",
        "content": {media: {"schema": {"type": "string"}} for media in _MEDIA.values()},
    },
    "202": {
        "description": "So many entries wait for a second person",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ExportProposal"}}},
    },
}


class AuditController(Controller):
    """What was done, by whom."""

    path = "/api/v1/audit"
    tags = ["Audit"]
    response_headers = NOT_KEPT

    @get(
        "/",
        opt={"permission": Permission.AUDIT_READ, "sensitive": True},
        sync_to_thread=True,
        summary="The audit trail",
    )
    def list(
        self,
        tx: Tx,
        actor: _Text | None = None,
        action: _Text | None = None,
        subject: _Text | None = None,
        outcome: _Text | None = None,
        origin: _Text | None = None,
        since: Annotated[str | None, Parameter(query="from", schema_extra=_MOMENT)] = None,
        until: Annotated[str | None, Parameter(query="to", schema_extra=_MOMENT)] = None,
        limit: Annotated[int, Parameter(ge=1, le=500)] = 100,
        before: str | None = None,
    ) -> AuditPage:
        """Entries by actor (id or name), action (may end in *), subject, outcome, origin and time; newest first."""
        wanted = AuditFilter(
            actor=actor,
            action=action,
            subject=subject,
            outcome=outcome,
            origin=origin,
            since=moment_in_query("from", since),
            until=moment_in_query("to", until),
        )
        found, following = audit.search_audit(tx, wanted, limit, before)
        return AuditPage(items=[show_entry(line) for line in found], next=following)

    @get("/actions", opt={"permission": Permission.AUDIT_READ}, sync_to_thread=True, summary="Actions of the trail")
    def actions(self, tx: Tx) -> AuditActions:
        """Every action that the trail knows, for a filter."""
        return AuditActions(items=audit.list_actions(tx))

    @get("/status", opt={"permission": Permission.AUDIT_READ}, sync_to_thread=True, summary="Status of the chain")
    def status(self, tx: Tx) -> AuditStatus:
        """How far the chain is sealed, signed and verified."""
        found = chain.chain_status(tx)
        return AuditStatus(
            sequence=found.sequence,
            waiting=found.waiting,
            head=None if found.head is None else _show_head(found.head),
            verification=None if found.verification is None else _show_run(found.verification),
            verified=None if found.verified is None else _show_run(found.verified),
        )

    @post(
        "/verifications",
        opt={"permission": Permission.AUDIT_VERIFY},
        sync_to_thread=True,
        status_code=202,
        summary="Verify the chain",
    )
    def verify(self, tx: Tx) -> AuditVerification:
        """Ask for a run over the whole chain; a job does it, and the run says how far it has come."""
        return _show_run(chain.ask_for_verification(tx))

    @get(
        "/verifications/{run_id:str}",
        opt={"permission": Permission.AUDIT_READ},
        sync_to_thread=True,
        summary="One verification",
    )
    def verification(self, tx: Tx, run_id: str) -> AuditVerification:
        """How far a run has come, and what it found."""
        return _show_run(chain.get_verification(tx, read_id("ver", run_id)))

    @post(
        "/exports",
        opt={
            "permission": Permission.AUDIT_EXPORT,
            "step_up": True,
            "answer_once": True,
            "describe": {"responses": _FILES},
        },
        sync_to_thread=True,
        status_code=200,
        summary="Export the trail",
    )
    def export(
        self, tx: Tx, data: AuditExport, settings: Settings, proposal_kinds: Kinds
    ) -> Response[bytes | ExportProposal]:
        """Up to 100,000 entries as a file of JSON lines or CSV, the oldest first; the export is an entry itself.

        A large one (FINER_EXPORT_ROWS_MAX) waits for somebody else first, and answers 202 with what waits.
        """
        fields = {name: getattr(data, name) for name in AuditExport.__struct_fields__ if name not in _NOT_FILTERS}
        wanted = AuditFilter(**fields)
        waits = exports.may_export(
            tx, settings, proposal_kinds, audit.EXPORT, _asked(data), rows=audit.count_export(tx, wanted),
            reason=data.reason,
        )  # fmt: skip
        if waits is not None:
            return Response(ExportProposal(proposals.shown_id(waits)), status_code=202)
        body = audit.export_audit(tx, wanted, data.format)
        headers = {"Content-Disposition": f'attachment; filename="audit-{tx.now():%Y%m%d-%H%M%S}.{data.format}"'}
        return Response(body, media_type=_MEDIA[data.format], headers=headers)


def _asked(data: AuditExport) -> dict[str, str]:
    asked = {name: getattr(data, name) for name in AuditExport.__struct_fields__ if name != "reason"}
    return {name: str(value) for name, value in asked.items() if value is not None}


def show_entry(line: AuditLine) -> AuditEntry:
    """An entry as the API shows it."""
    fields = {name: getattr(line, name) for name in AuditEntry.__struct_fields__}
    return AuditEntry(
        **fields
        | {
            "id": show_id("aud", line.id),
            "actor_id": audit.show_actor(line.actor_kind, line.actor_id),
            "hash": None if line.hash is None else line.hash.hex(),
        }
    )


def _show_head(head: SignedHead) -> AuditHead:
    return AuditHead(sequence=head.sequence, hash=head.hash.hex(), signed_at=head.signed_at, key_id=head.key_id)


def _show_run(run: Verification) -> AuditVerification:
    fields = {name: getattr(run, name) for name in AuditVerification.__struct_fields__}
    return AuditVerification(**fields | {"id": show_id("ver", run.id)})
