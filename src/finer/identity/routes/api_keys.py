"""HTTP of API keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import msgspec
from litestar import Controller, delete, get, post

from finer.identity.errors import NotAcceptable
from finer.identity.routes.edge import NOT_KEPT
from finer.identity.service import api_keys
from finer.identity.types import ApiKey, Permission
from finer.kit.ids import show_id
from finer.kit.tx import Tx


class KeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new API key."""

    name: Annotated[str, msgspec.Meta(max_length=120)]
    scopes: Annotated[list[Annotated[str, msgspec.Meta(max_length=64)]], msgspec.Meta(max_length=50)]
    days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 365


class KeyController(Controller):
    """API keys of machines."""

    path = "/api/v1/api-keys"
    tags = ["API keys"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": Permission.API_KEYS_READ}, sync_to_thread=True, summary="List API keys")
    def list(self, tx: Tx) -> list[dict[str, Any]]:
        """Every API key of the firm, without its secret."""
        return [_show_key(key) for key in api_keys.list_api_keys(tx)]

    @post("/", opt={"permission": Permission.API_KEYS_WRITE}, sync_to_thread=True, summary="Make an API key")
    def create(self, tx: Tx, data: KeyBody) -> dict[str, Any]:
        """Make an API key; the answer is the only place where its secret is ever shown."""
        known = {permission.value for permission in Permission}
        if unknown := [scope for scope in data.scopes if scope not in known]:
            raise NotAcceptable(f"{', '.join(unknown)} is no permission. See docs/reference/permissions.md.")
        scopes = [Permission(scope) for scope in data.scopes]
        key, secret = api_keys.create_api_key(tx, name=data.name, scopes=scopes, lifetime=timedelta(days=data.days))
        return _show_key(key) | {"key": secret}

    @delete(
        "/{prefix:str}", opt={"permission": Permission.API_KEYS_WRITE}, sync_to_thread=True, summary="Revoke an API key"
    )
    def revoke(self, tx: Tx, prefix: str) -> None:
        """Revoke an API key; it stops working within a second."""
        api_keys.revoke_api_key(tx, prefix=prefix)


def _show_key(key: ApiKey) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(key)
    return shown | {"id": show_id("key", key.id)}
