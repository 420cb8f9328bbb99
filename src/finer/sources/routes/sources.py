"""HTTP of sources: setting up, looking, pausing, beginning again. Parse, call, answer."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Protocol, TypeAlias

from litestar import Controller, Request, delete, get, post, put
from litestar.params import Parameter

from finer.identity.types.access import Permission
from finer.kit.errors import InvalidInput
from finer.kit.ids import read_id
from finer.kit.tx import Tx
from finer.sources import types
from finer.sources.routes.documents import (
    BackfillBody,
    HookAddress,
    SourceBody,
    SourceHistory,
    SourceItems,
    SourceList,
    SourceMade,
    SourceNote,
    SourceView,
    Trial,
    TrialBody,
    show_item,
    show_source,
    show_trial,
)
from finer.sources.service import manage
from finer.sources.service.reach import Reach
from finer.sources.types import HOOKED, Credentials

_BODY_MAX = 1 << 20
_HOOK_BODY_MAX = 512 << 10
_Limit: TypeAlias = Annotated[int, Parameter(ge=1, le=500)]


class SourceDesk(Protocol):
    """What takes longer than a transaction, or needs no signed-in caller; the app provides it."""

    def reach(self, tx: Tx) -> Reach:
        """What the firm's sources may reach."""
        ...

    def hook_address(self, kind: str, token: str) -> str:
        """The whole address for webhooks of a kind of source."""
        ...

    async def try_out(self, tenant: uuid.UUID, body: TrialBody) -> types.Trial:
        """Look at a source."""
        ...

    async def receive_stripe(self, token: str, signature: str, body: bytes) -> str:
        """Take an event of Stripe."""
        ...

    async def receive_plaid(self, token: str, signature: str, body: bytes) -> str:
        """Take a notice of Plaid."""
        ...


class SourceController(Controller):
    """Where records come from by themselves."""

    path = "/api/v1/sources"
    tags = ["Sources"]

    @get("/", opt={"permission": Permission.SOURCES_READ}, sync_to_thread=True, summary="List sources")
    def list(self, tx: Tx) -> SourceList:
        """Every source of the firm with its state, lag and counts, by name."""
        minutes = manage.recent(tx)
        return SourceList([show_source(one, minutes.get(one.id, [])) for one in manage.list_sources(tx)])

    @post(
        "/", opt={"permission": Permission.SOURCES_WRITE, "step_up": True, "answer_once": True}, sync_to_thread=True,
        request_max_body_size=_BODY_MAX, summary="Add a source",
    )  # fmt: skip
    def create(self, tx: Tx, data: SourceBody, source_desk: Any) -> SourceMade:
        """Add a source; it is read from now on. Credentials are sealed and shown to nobody."""
        desk: SourceDesk = source_desk
        made = manage.create(
            tx, desk.reach(tx), name=data.name, contract=data.contract, mapping=data.mapping, settings=data.connection,
            credentials=data.credentials or Credentials(), paused=data.paused,
        )  # fmt: skip
        hook = desk.hook_address(made.kind, manage.new_hook(tx, made.id)) if isinstance(made.settings, HOOKED) else None
        return SourceMade(source=show_source(made, []), address=hook)

    @post(
        "/trials", opt={"permission": Permission.SOURCES_WRITE, "repeat": "It changes nothing."}, status_code=200,
        request_max_body_size=_BODY_MAX, summary="Look at a source",
    )  # fmt: skip
    async def look(self, request: Request[Any, Any, Any], data: TrialBody, source_desk: Any) -> Trial:
        """Connect to a source, and show its first records mapped and held to the contract. Nothing is taken."""
        desk: SourceDesk = source_desk
        return show_trial(await desk.try_out(request.user.tenant_id, data))

    @get("/{source_id:str}", opt={"permission": Permission.SOURCES_READ}, sync_to_thread=True, summary="One source")
    def detail(self, tx: Tx, source_id: str) -> SourceView:
        """A source as it stands, without its credentials."""
        return _shown(tx, _id(source_id))

    @put(
        "/{source_id:str}", opt={"permission": Permission.SOURCES_WRITE, "step_up": True}, sync_to_thread=True,
        request_max_body_size=_BODY_MAX, summary="Change a source",
    )  # fmt: skip
    def change(self, tx: Tx, source_id: str, data: SourceBody, source_desk: Any) -> SourceView:
        """Change a source. Credentials may be left out while the other side stays the same."""
        desk: SourceDesk = source_desk
        changed = manage.change(
            tx, desk.reach(tx), _id(source_id), name=data.name, contract=data.contract, mapping=data.mapping,
            settings=data.connection, credentials=data.credentials,
        )  # fmt: skip
        return _shown(tx, changed.id)

    @delete(
        "/{source_id:str}", opt={"permission": Permission.SOURCES_WRITE, "step_up": True}, sync_to_thread=True,
        summary="Remove a source",
    )  # fmt: skip
    def remove(self, tx: Tx, source_id: str) -> None:
        """Forget a source and its credentials. The records that came from it stay."""
        manage.remove(tx, _id(source_id))

    @post(
        "/{source_id:str}/pausing", opt={"permission": Permission.SOURCES_WRITE}, sync_to_thread=True, status_code=200,
        summary="Pause a source",
    )  # fmt: skip
    def pause(self, tx: Tx, source_id: str) -> SourceView:
        """Take nothing more from a source until somebody resumes it."""
        return _shown(tx, manage.pause(tx, _id(source_id)).id)

    @post(
        "/{source_id:str}/resuming", opt={"permission": Permission.SOURCES_WRITE}, sync_to_thread=True, status_code=200,
        summary="Resume a source",
    )  # fmt: skip
    def resume(self, tx: Tx, source_id: str) -> SourceView:
        """Read a source on, exactly where it stands; one that failed is tried at once."""
        return _shown(tx, manage.resume(tx, _id(source_id)).id)

    @post(
        "/{source_id:str}/backfill", opt={"permission": Permission.SOURCES_WRITE}, sync_to_thread=True, status_code=200,
        summary="Begin again",
    )  # fmt: skip
    def backfill(self, tx: Tx, source_id: str, data: BackfillBody) -> SourceView:
        """Read a source again from a point on. What was taken before has the same event ids and counts once."""
        return _shown(tx, manage.backfill(tx, _id(source_id), data.begin).id)

    @post(
        "/{source_id:str}/address",
        opt={"permission": Permission.SOURCES_WRITE, "step_up": True, "answer_once": True}, sync_to_thread=True,
        summary="Give webhooks a new address",
    )  # fmt: skip
    def address(self, tx: Tx, source_id: str, source_desk: Any) -> HookAddress:
        """A new address for the webhooks of a source; the one before ends at once."""
        desk: SourceDesk = source_desk
        token = manage.new_hook(tx, _id(source_id))
        return HookAddress(desk.hook_address(manage.find(tx, _id(source_id)).kind, token))

    @get(
        "/{source_id:str}/items", opt={"permission": Permission.SOURCES_READ}, sync_to_thread=True,
        summary="Files of a source",
    )  # fmt: skip
    def items(self, tx: Tx, source_id: str, limit: _Limit = 50, before: str | None = None) -> SourceItems:
        """Files, objects or events of a source and what became of each, newest first, page by page."""
        found = manage.list_items(tx, _id(source_id), limit + 1, None if before is None else _place(before))
        shown = [show_item(item) for item in found[:limit]]
        more = len(found) > limit
        return SourceItems(shown, f"{shown[-1].at.isoformat()}|{shown[-1].name}" if more else None)

    @get(
        "/{source_id:str}/history", opt={"permission": Permission.SOURCES_READ}, sync_to_thread=True,
        summary="History of a source",
    )  # fmt: skip
    def history(self, tx: Tx, source_id: str, limit: _Limit = 100) -> SourceHistory:
        """Errors, recoveries and what people did, newest first."""
        notes = manage.history(tx, _id(source_id), limit)
        return SourceHistory([SourceNote(at=one.at, kind=one.kind, text=one.text, actor=one.actor) for one in notes])


def _id(text: str) -> uuid.UUID:
    return read_id("src", text)


def _shown(tx: Tx, identifier: uuid.UUID) -> SourceView:
    return show_source(manage.find(tx, identifier), manage.recent(tx).get(identifier, []))


def _place(before: str) -> tuple[datetime, str]:
    at, bar, name = before.partition("|")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        bar = ""
    if not bar or moment.tzinfo is None:
        raise InvalidInput("`before` is what `next` of the page before it said.")
    return moment, name
