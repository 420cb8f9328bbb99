"""HTTP of API keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Controller, delete, get, patch, post

from finer.identity.errors import NotAcceptable
from finer.identity.routes.edge import NOT_KEPT
from finer.identity.service import api_keys, machine_approvals
from finer.identity.service.proposals import Kinds
from finer.identity.types.access import ApiKey, MachineKind, Permission
from finer.kit.settings import Settings
from finer.kit.tx import Tx

_KIND = MachineKind.API_KEY
Networks = Annotated[list[Annotated[str, msgspec.Meta(max_length=64)]], msgspec.Meta(max_length=50)]
Reason = Annotated[str, msgspec.Meta(max_length=1000)]
Days = Annotated[int, msgspec.Meta(ge=1, le=3650)]


class KeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new API key, or a new OAuth client."""

    name: Annotated[str, msgspec.Meta(max_length=120)]
    scopes: Annotated[list[Annotated[str, msgspec.Meta(max_length=64)]], msgspec.Meta(max_length=50)]
    days: Days = 365
    networks: Networks = []
    """From where it may be used, in CIDR form; none is from everywhere."""
    reason: Reason = ""
    """What it is for, for whoever approves it."""


class ChangeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed of a key or a client; what is left out stays."""

    name: Annotated[str, msgspec.Meta(max_length=120)] | None = None
    networks: Networks | None = None
    reason: Reason = ""
    """Why it is to be let in from more places, for whoever approves that."""


class RotateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the secret before the new one still works, and for how many days the new one does."""

    overlap_hours: Annotated[int, msgspec.Meta(ge=0, le=720)] = 24
    days: Days | None = None
    reason: Reason = ""
    """Why it is to work for longer, for whoever approves that."""


class MachineView(msgspec.Struct, frozen=True, kw_only=True):
    """What an API key and an OAuth client show alike, without their secrets."""

    id: str
    name: str
    scopes: list[Permission]
    networks: list[str]
    created_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    previous_until: datetime | None
    approved_at: datetime | None
    """Since when it works; null while it waits for a second person."""
    proposal: str | None
    """What waits for approval about it."""


class ApiKeyView(MachineView, frozen=True, kw_only=True):
    """An API key, without its secret."""

    prefix: str


class NewApiKey(ApiKeyView, frozen=True, kw_only=True):
    """An API key with its secret, which is shown this once."""

    key: str


class KeyController(Controller):
    """API keys of machines."""

    path = "/api/v1/api-keys"
    tags = ["API keys"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": Permission.API_KEYS_READ}, sync_to_thread=True, summary="List API keys")
    def list(self, tx: Tx) -> list[ApiKeyView]:
        """Every API key of the firm, without its secret."""
        waiting = machine_approvals.waiting(tx)
        return [ApiKeyView(**_shown(key, waiting)) for key in api_keys.list_machines(tx, _KIND)]

    @post(
        "/", opt={"permission": Permission.API_KEYS_WRITE, "step_up": True, "answer_once": True},
        sync_to_thread=True,
        summary="Make an API key",
    )  # fmt: skip
    def create(self, tx: Tx, data: KeyBody, settings: Settings, proposal_kinds: Kinds) -> NewApiKey:
        """Make an API key; the answer is the only place where its secret is ever shown.

        It opens nothing before somebody else approves it.
        """
        key, secret = machine_approvals.create(
            tx,
            settings,
            proposal_kinds,
            kind=_KIND,
            name=data.name,
            scopes=read_scopes(data.scopes),
            lifetime=timedelta(days=data.days),
            networks=data.networks,
            reason=data.reason,
        )
        return NewApiKey(**_shown(key, machine_approvals.waiting(tx)), key=secret)

    @patch(
        "/{prefix:str}", opt={"permission": Permission.API_KEYS_WRITE}, sync_to_thread=True, summary="Change an API key"
    )
    def change(self, tx: Tx, prefix: str, data: ChangeBody, settings: Settings, proposal_kinds: Kinds) -> ApiKeyView:
        """Rename a key, or say from which networks it may be used; more networks wait for somebody else's approval."""
        changed = machine_approvals.change(
            tx, settings, proposal_kinds, _KIND, prefix=prefix, name=data.name, networks=data.networks,
            reason=data.reason,
        )  # fmt: skip
        return ApiKeyView(**_shown(changed, machine_approvals.waiting(tx)))

    @post(
        "/{prefix:str}/rotation", opt={"permission": Permission.API_KEYS_WRITE, "step_up": True, "answer_once": True},
        sync_to_thread=True, summary="Give an API key a new secret",
    )  # fmt: skip
    def rotate(self, tx: Tx, prefix: str, data: RotateBody, settings: Settings, proposal_kinds: Kinds) -> NewApiKey:
        """A new secret, shown this once; the one before it works on for the overlap. A later end waits for approval."""
        lifetime = None if data.days is None else timedelta(days=data.days)
        key, secret = machine_approvals.rotate(
            tx, settings, proposal_kinds, _KIND, prefix=prefix, overlap=timedelta(hours=data.overlap_hours),
            lifetime=lifetime, reason=data.reason,
        )  # fmt: skip
        return NewApiKey(**_shown(key, machine_approvals.waiting(tx)), key=secret)

    @delete(
        "/{prefix:str}", opt={"permission": Permission.API_KEYS_WRITE}, sync_to_thread=True, summary="Revoke an API key"
    )
    def revoke(self, tx: Tx, prefix: str) -> None:
        """Revoke an API key; it stops working within a second."""
        api_keys.revoke_machine(tx, _KIND, prefix=prefix)


def read_scopes(texts: list[str]) -> list[Permission]:
    """The permissions that a body names. Raises NotAcceptable."""
    known = {permission.value for permission in Permission}
    if unknown := [scope for scope in texts if scope not in known]:
        raise NotAcceptable(f"{', '.join(unknown)} is no permission. See docs/reference/permissions.md.")
    return [Permission(scope) for scope in texts]


def shown_machine(machine: ApiKey, waiting: Mapping[str, str]) -> dict[str, Any]:
    """What a key and a client show alike; `waiting` names what waits for approval, by machine."""
    shown = {name: getattr(machine, name) for name in MachineView.__struct_fields__ if hasattr(machine, name)}
    identifier = api_keys.shown_id(machine)
    return shown | {"id": identifier, "proposal": waiting.get(identifier)}


def _shown(key: ApiKey, waiting: Mapping[str, str]) -> dict[str, Any]:
    return shown_machine(key, waiting) | {"prefix": key.prefix}
