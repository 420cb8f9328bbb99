"""A firm's OpenID provider, as a value."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec

from finer.identity.types import Role


class RoleMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of the table that gives people of a provider their role: whoever's claim holds the value has it."""

    value: str
    role: Role


class SsoProvider(msgspec.Struct, frozen=True, kw_only=True):
    """The OpenID provider of a firm, without the client's secret."""

    id: uuid.UUID
    name: str
    issuer: str
    client_id: str
    algorithms: list[str]
    scopes: list[str]
    role_claim: str
    role_map: list[RoleMapping]
    enabled: bool
    changed_at: datetime
