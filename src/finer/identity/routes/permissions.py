"""HTTP of the grants table: what the caller may do, and what every role may."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Request, get

from finer.identity.routes.edge import NOT_KEPT
from finer.identity.service import authorisation
from finer.identity.types.access import Permission, Principal, Role, Scope
from finer.kit.ids import show_id
from finer.kit.masking import DataClass, Form


class MyPermissions(msgspec.Struct, frozen=True):
    """What the caller may do, in which scope, and what is shown of each class of data."""

    role: Role
    permissions: dict[str, Scope]
    data_classes: dict[DataClass, Form]
    teams: list[str]


class RoleView(msgspec.Struct, frozen=True):
    """A column of the grants table."""

    role: Role
    permissions: dict[str, Scope]
    data_classes: dict[DataClass, Form]


class PermissionController(Controller):
    """The one grants table."""

    path = "/api/v1"
    tags = ["People"]
    response_headers = NOT_KEPT

    @get("/me/permissions", opt={"permission": Permission.SESSION_OWN}, sync_to_thread=False, summary="What may I do")
    def mine(self, request: Request[Principal, Any, Any]) -> MyPermissions:
        """The caller's permissions with their scopes."""
        principal = request.user
        granted, classes = authorisation.role_table()[principal.role]
        held = {one.value: scope for one, scope in sorted(granted.items()) if one in principal.permissions}
        return MyPermissions(principal.role, held, classes, [show_id("tem", team) for team in sorted(principal.teams)])

    @get("/roles", opt={"permission": Permission.USERS_READ}, sync_to_thread=False, summary="What every role may do")
    def roles(self) -> list[RoleView]:
        """The grants table: every role with its permissions, their scopes, and what it sees of each class of data."""
        return [
            RoleView(role, {one.value: scope for one, scope in sorted(granted.items())}, classes)
            for role, (granted, classes) in sorted(authorisation.role_table().items())
        ]
