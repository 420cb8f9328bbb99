"""HTTP of the firm's own settings."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Controller, get, put

from finer.identity.routes.documents import Tenant, show_tenant
from finer.identity.routes.edge import NOT_KEPT
from finer.identity.service import firm, proposals, tenants
from finer.identity.service.proposals import Kinds
from finer.identity.types.access import Permission
from finer.kit.settings import Settings
from finer.kit.tx import Tx


class FirmBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an administrator may change of the firm. Short name and base currency stay as they were made."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    logo_text: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    timezone: Annotated[str, msgspec.Meta(max_length=60)]
    primary_color: Annotated[str, msgspec.Meta(max_length=20)] | None = None


class SignInRulesBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the firm asks of everybody who signs in. The reason is for whoever approves that less is asked."""

    second_factor_required: bool
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class SignInRules(msgspec.Struct, frozen=True, kw_only=True):
    """What the firm asks of everybody who signs in; `proposal` waits for a second administrator."""

    second_factor_required: bool
    proposal: str | None


class FirmController(Controller):
    """The firm's own settings."""

    path = "/api/v1/firm"
    tags = ["Firm"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": Permission.FIRM_READ}, sync_to_thread=True, summary="The firm")
    def read(self, tx: Tx) -> Tenant:
        """Name, look, base currency and time zone of the firm."""
        return show_tenant(tenants.get_tenant(tx))

    @put("/", opt={"permission": Permission.FIRM_WRITE}, sync_to_thread=True, summary="Change the firm")
    def change(self, tx: Tx, data: FirmBody) -> Tenant:
        """Change name, look and time zone of the firm; people see the new look with their next page."""
        changed = firm.change_firm(
            tx,
            name=data.name,
            logo_text=data.logo_text,
            primary_color=data.primary_color,
            timezone=data.timezone,
        )
        return show_tenant(changed)

    @get("/sign-in", opt={"permission": Permission.FIRM_READ}, sync_to_thread=True, summary="What sign-in asks for")
    def sign_in(self, tx: Tx) -> SignInRules:
        """Whether everybody of the firm has to come in by a second factor."""
        return _rules(tx)

    @put(
        "/sign-in", opt={"permission": Permission.FIRM_WRITE, "step_up": True}, sync_to_thread=True,
        summary="Change what sign-in asks for",
    )  # fmt: skip
    def change_sign_in(self, tx: Tx, data: SignInRulesBody, settings: Settings, proposal_kinds: Kinds) -> SignInRules:
        """Ask everybody for a second factor from now on. Asking for less waits for a second administrator."""
        firm.require_second_factor(tx, settings, proposal_kinds, data.second_factor_required, data.reason)
        return _rules(tx)


def _rules(tx: Tx) -> SignInRules:
    waiting = proposals.waiting(tx, (firm.LOOSEN,))
    return SignInRules(
        second_factor_required=firm.second_factor_required(tx),
        proposal=proposals.shown_id(waiting[0]) if waiting else None,
    )
