"""A firm's OpenID provider, as a value."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec

from finer.identity.types.access import Role


class RoleMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of the table that gives people of a provider their role: whoever's claim holds the value has it."""

    value: str
    role: Role


class SsoSetup(msgspec.Struct, frozen=True, kw_only=True):
    """How a firm's people come in by an OpenID provider, without the client's secret."""

    name: str
    issuer: str
    client_id: str
    algorithms: list[str]
    scopes: list[str]
    role_claim: str
    role_map: list[RoleMapping]
    acr_values: list[str] = []
    """The provider is asked for these classes of sign-in (acr), and has to say one of them; empty asks nothing."""
    amr_values: list[str] = []
    """The provider must say one of these ways to sign in (amr, RFC 8176); empty asks nothing."""
    max_age_minutes: int | None = None
    """For how long a sign-in at the provider is good; then people sign in there again. None is as long as it says."""
    enabled: bool

    @property
    def checks_strength(self) -> bool:
        """Whether the provider has to say how strong a sign-in was."""
        return bool(self.acr_values or self.amr_values)


class Vouched(msgspec.Struct, frozen=True):
    """When somebody signed in at the provider, and until when that is good here; None is as long as other sessions."""

    at: datetime
    until: datetime | None


class SsoProvider(SsoSetup, frozen=True, kw_only=True):
    """The OpenID provider of a firm, without the client's secret."""

    id: uuid.UUID
    changed_at: datetime
