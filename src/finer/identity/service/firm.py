"""What a firm says about itself: its name, its look and its time zone."""

from __future__ import annotations

from typing import Any

import msgspec

from finer.identity.errors import NotAcceptable
from finer.identity.rules.checks import check_colour, check_name, check_zone
from finer.identity.service import proposals
from finer.identity.service.audit import record_audit
from finer.identity.service.proposals import Kinds, Payload
from finer.identity.service.tenants import get_tenant
from finer.identity.store.firm import FirmStore
from finer.identity.types.access import Tenant
from finer.identity.types.proposals import Change, Proposal
from finer.kit.ids import show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx

LOOSEN = "firm:sign_in"
"""The kind of proposals that let people in with less."""


def change_firm(tx: Tx, *, name: str, logo_text: str, primary_color: str | None, timezone: str) -> Tenant:
    """Change what a firm says about itself. Raises NotAcceptable.

    The base currency stays: amounts that were compared and stored in it would mean something else. The time zone
    counts for features of the hour of day from the next few seconds on; what was decided before stays as it was.
    """
    before = get_tenant(tx)
    after = msgspec.structs.replace(
        before,
        name=check_name(name),
        timezone=check_zone(timezone),
        branding=before.branding | {"logo_text": check_name(logo_text), "primary_color": check_colour(primary_color)},
    )
    FirmStore(tx).change(after)
    changed = [field for field in ("name", "timezone", "branding") if getattr(before, field) != getattr(after, field)]
    record_audit(tx, "firm:change", show_id("ten", tx.tenant), {"changed": changed})
    return after


def second_factor_required(tx: Tx) -> bool:
    """Whether everybody of the firm has to come in by two factors."""
    return FirmStore(tx).second_factor_required()


def require_second_factor(tx: Tx, settings: Settings, kinds: Kinds, required: bool, reason: str) -> Proposal | None:
    """Ask everybody for a second factor from now on; asking for it no more is proposed where that takes two.

    Whoever is signed in without one can set one up from then on, and nothing else. Raises NotAcceptable without a
    reason for asking less.
    """
    if required == second_factor_required(tx):
        return None
    if not required:
        return proposals.act_or_propose(tx, settings, kinds, LOOSEN, {"second_factor_required": False}, reason)
    _set_second_factor(tx, required=True)
    return None


def loosen_version(tx: Tx, payload: Payload) -> str:
    """The state that asking less starts from."""
    _check_payload(payload)
    return str(second_factor_required(tx))


def describe_loosen(tx: Tx, payload: Payload) -> list[Change]:
    """What asking less changes."""
    _check_payload(payload)
    before = "required of everybody" if second_factor_required(tx) else "each person's choice"
    return [Change("Second factor", before, "each person's choice")]


def execute_loosen(tx: Tx, payload: Payload) -> dict[str, Any]:
    """Ask for a second factor no more."""
    _check_payload(payload)
    _set_second_factor(tx, required=False)
    return {"second_factor_required": False}


def _check_payload(payload: Payload) -> None:
    if dict(payload) != {"second_factor_required": False}:
        raise NotAcceptable("Only asking for less is proposed; asking for more is done at once.")


def _set_second_factor(tx: Tx, *, required: bool) -> None:
    FirmStore(tx).require_second_factor(required)
    record_audit(tx, "firm:sign_in", show_id("ten", tx.tenant), {"second_factor_required": required})
