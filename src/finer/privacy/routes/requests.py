"""HTTP of subject requests and holds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import Controller, Response, get, post
from litestar.datastructures import ResponseHeader

from finer.identity.types.access import Permission
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.privacy.service import export, holds, requests
from finer.privacy.types import (
    Hold,
    HoldKind,
    Law,
    RequestKind,
    RequestPage,
    RequestWithSteps,
    Step,
    SubjectKind,
)
from finer.warehouse.service.lake import LakeReader

NOT_KEPT = [ResponseHeader(name="Cache-Control", value="no-store")]
_Text = Annotated[str, msgspec.Meta(max_length=4000)]


class RequestBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody asks; a customer is named by id, a person who signs in by e-mail address."""

    kind: RequestKind
    law: Law
    subject_kind: SubjectKind
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=254)]
    detail: _Text = ""
    received_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class StepBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The next thing done with a request, and the version that was looked at."""

    step: Literal["verify", "propose", "complete", "restrict", "refuse", "extend"]
    version: int
    note: _Text = ""


class ApprovalBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the second person says."""

    step: Literal["approve", "send_back"]
    version: int
    note: _Text = ""


class HoldBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reason to keep a person's records; whom it is about is named as in a request."""

    kind: HoldKind
    subject_kind: SubjectKind
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=254)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]


class Holds(msgspec.Struct, frozen=True):
    """Holds, the latest first."""

    items: list[Hold]


class RequestController(Controller):
    """What people ask about their data."""

    path = "/api/v1/privacy/requests"
    tags = ["Privacy"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": Permission.PRIVACY_READ}, sync_to_thread=True, summary="List subject requests")
    def list(self, tx: Tx, open_only: bool = False) -> RequestPage:
        """Requests of the firm: the open ones by when they came, then the closed ones."""
        return RequestPage(items=requests.list_requests(tx, open_only=open_only))

    @post("/", opt={"permission": Permission.PRIVACY_WRITE}, sync_to_thread=True, summary="Take a request in")
    def create(self, tx: Tx, data: RequestBody) -> RequestWithSteps:
        """Take a request in; its term runs from when it was received."""
        return requests.open_request(
            tx,
            kind=data.kind,
            law=data.law,
            subject_kind=data.subject_kind,
            subject=data.subject,
            detail=data.detail,
            received_at=data.received_at,
        )

    @get(
        "/{request_id:str}",
        opt={"permission": Permission.PRIVACY_READ},
        sync_to_thread=True,
        summary="A subject request",
    )
    def read(self, tx: Tx, request_id: str) -> RequestWithSteps:
        """A request with everything that was done with it, and what can be done next."""
        return requests.get_request(tx, request_id)

    @post(
        "/{request_id:str}/steps",
        opt={"permission": Permission.PRIVACY_WRITE},
        sync_to_thread=True,
        status_code=200,
        summary="Take a request on",
    )
    def step(self, tx: Tx, request_id: str, data: StepBody) -> RequestWithSteps:
        """Do the next thing with a request. Erasing and handing out files is proposed here and approved by another."""
        return requests.take_step(tx, request_id, step=Step(data.step), note=data.note, version=data.version)

    @post(
        "/{request_id:str}/approval",
        opt={"permission": Permission.PRIVACY_APPROVE},
        sync_to_thread=True,
        status_code=200,
        summary="Approve a request, or send it back",
    )
    def approval(self, tx: Tx, request_id: str, data: ApprovalBody) -> RequestWithSteps:
        """Agree to what another person proposed, or send it back. An approved erasure begins at once."""
        return requests.approve(tx, request_id, step=Step(data.step), note=data.note, version=data.version)

    @get(
        "/{request_id:str}/file",
        opt={"permission": Permission.PRIVACY_EXPORT},
        sync_to_thread=True,
        summary="The file of a request",
        media_type="application/octet-stream",
    )
    def file(
        self, tx: Tx, lake: LakeReader, settings: Settings, request_id: str, form: Literal["json", "html"] = "json"
    ) -> Response[bytes]:
        """Everything that is kept of the person, made now and kept nowhere, for the person to have."""
        made = export.export_file(tx, settings, lake, request_id, html=form == "html")
        return Response(
            made,
            media_type="application/json" if form == "json" else "text/html",
            headers={
                "Content-Disposition": f'attachment; filename="{request_id}.{form}"',
                "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
            },
        )


class HoldController(Controller):
    """Reasons to keep a person's records."""

    path = "/api/v1/privacy/holds"
    tags = ["Privacy"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": Permission.PRIVACY_READ}, sync_to_thread=True, summary="List holds")
    def list(self, tx: Tx) -> Holds:
        """Holds of the firm, the latest first."""
        return Holds(holds.list_holds(tx))

    @post("/", opt={"permission": Permission.PRIVACY_WRITE}, sync_to_thread=True, summary="Place a hold")
    def place(self, tx: Tx, data: HoldBody) -> Holds:
        """Keep a person's records from being erased or forgotten."""
        holds.place_hold(tx, kind=data.kind, subject_kind=data.subject_kind, subject=data.subject, reason=data.reason)
        return Holds(holds.list_holds(tx))

    @post(
        "/{hold_id:str}/release",
        opt={"permission": Permission.PRIVACY_APPROVE},
        sync_to_thread=True,
        status_code=200,
        summary="Release a hold",
    )
    def release(self, tx: Tx, hold_id: str) -> Holds:
        """The reason is gone."""
        holds.release_hold(tx, hold_id)
        return Holds(holds.list_holds(tx))
