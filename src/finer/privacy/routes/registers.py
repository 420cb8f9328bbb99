"""HTTP of the data catalogue, the breach register, and retention."""

from __future__ import annotations

import builtins
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import Controller, get, post, put

from finer.identity.types.access import Permission
from finer.kit.tx import Tx
from finer.privacy.routes.requests import NOT_KEPT, HoldController, RequestController
from finer.privacy.service import breaches, catalogue, retention
from finer.privacy.types import Breach, BreachState, CatalogueEntry, Law, RetentionReport

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class BreachBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A breach as it became known."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    aware_at: _Moment
    laws: Annotated[list[Law], msgspec.Meta(min_length=1, max_length=4)]
    description: Annotated[str, msgspec.Meta(max_length=10_000)] = ""


class AssessmentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the firm found, and the version that it looked at."""

    state: Literal["notifiable", "not_notifiable", "closed"]
    version: int
    people_affected: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] | None = None


class NoticeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When an authority was told, or why it will be told later."""

    notified_at: _Moment | None = None
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class TermBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long something is kept."""

    days: Annotated[int, msgspec.Meta(ge=1, le=36_500)]


class Breaches(msgspec.Struct, frozen=True):
    """Breaches, the latest first."""

    items: builtins.list[Breach]


class CatalogueView(msgspec.Struct, frozen=True):
    """Every personal field."""

    items: builtins.list[CatalogueEntry]


class BreachController(Controller):
    """The breach register."""

    path = "/api/v1/privacy/breaches"
    tags = ["Privacy"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": Permission.PRIVACY_READ}, sync_to_thread=True, summary="List breaches")
    def list(self, tx: Tx) -> Breaches:
        """Breaches of the firm with the clocks of each law."""
        return Breaches(breaches.list_breaches(tx))

    @post("/", opt={"permission": Permission.PRIVACY_BREACH}, sync_to_thread=True, summary="Write a breach down")
    def create(self, tx: Tx, data: BreachBody) -> Breach:
        """Write a breach down; clocks run from when the firm became aware."""
        return breaches.open_breach(
            tx, title=data.title, description=data.description, aware_at=data.aware_at, laws=data.laws
        )

    @post(
        "/{breach_id:str}/assessment",
        opt={"permission": Permission.PRIVACY_BREACH},
        sync_to_thread=True,
        status_code=200,
        summary="Assess a breach",
    )
    def assess(self, tx: Tx, breach_id: str, data: AssessmentBody) -> Breach:
        """Say whether authorities have to be told, or that all is done."""
        return breaches.assess_breach(
            tx,
            breach_id,
            state=BreachState(data.state),
            people_affected=data.people_affected,
            version=data.version,
        )

    @put(
        "/{breach_id:str}/notices/{law:str}",
        opt={"permission": Permission.PRIVACY_BREACH},
        sync_to_thread=True,
        summary="Note that an authority was told",
    )
    def notice(self, tx: Tx, breach_id: str, law: Law, data: NoticeBody) -> Breach:
        """Note when an authority was told, or why it will be told later."""
        return breaches.note_notification(tx, breach_id, law=law, notified_at=data.notified_at, reason=data.reason)


class CatalogueController(Controller):
    """What is kept of people, and for how long."""

    path = "/api/v1/privacy"
    tags = ["Privacy"]
    response_headers = NOT_KEPT

    @get("/catalogue", opt={"permission": Permission.PRIVACY_READ}, sync_to_thread=True, summary="The data catalogue")
    def read(self) -> CatalogueView:
        """Every personal field: what it holds, why, on what ground, how long, and who receives it."""
        return CatalogueView(catalogue.list_entries())

    @get("/retention", opt={"permission": Permission.PRIVACY_READ}, sync_to_thread=True, summary="Terms of retention")
    def terms(self, tx: Tx) -> RetentionReport:
        """How long things are kept, and what the next run would let go of."""
        return retention.report(tx)

    @put(
        "/retention/{what:str}",
        opt={"permission": Permission.PRIVACY_APPROVE},
        sync_to_thread=True,
        summary="Choose a term of retention",
    )
    def term(self, tx: Tx, what: str, data: TermBody) -> RetentionReport:
        """Choose how long something is kept; the next run, every night, goes by it."""
        return retention.set_term(tx, what, data.days)


ROUTES = [RequestController, HoldController, BreachController, CatalogueController]
