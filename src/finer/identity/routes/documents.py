"""What identity shows of people, firms and sessions, as it leaves the system."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

import msgspec

from finer.identity import types
from finer.identity.types import Permission, Role
from finer.kit.ids import show_id

UserId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^usr_[0-9a-f]{32}$")]
TenantId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^ten_[0-9a-f]{32}$")]
SessionId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^ses_[0-9a-f]{32}$")]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who has just signed in."""

    id: UserId
    name: str
    role: Role


class User(msgspec.Struct, frozen=True, kw_only=True):
    """The person who asks."""

    id: UserId
    name: str
    email: str
    role: Role


class Branding(msgspec.Struct, frozen=True, kw_only=True):
    """How the web app looks for a firm; null is Finer's own look."""

    primary_color: str | None = None
    logo_text: str | None = None


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """The firm that the caller belongs to."""

    id: TenantId
    slug: str
    name: str
    base_currency: str
    timezone: str
    branding: Branding


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """The signed-in person, the firm, and what the role allows."""

    user: User
    tenant: Tenant
    permissions: list[Permission]


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """Who has just signed in, and what the role allows."""

    user: Person
    permissions: list[Permission]


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A browser where the caller is signed in; `current` is the one that asks."""

    id: SessionId
    created_at: datetime
    last_seen_at: datetime
    user_agent: str
    current: bool


def show_tenant(tenant: types.Tenant) -> Tenant:
    """A firm as the API shows it."""
    return Tenant(
        id=show_id("ten", tenant.id),
        slug=tenant.slug,
        name=tenant.name,
        base_currency=tenant.base_currency,
        timezone=tenant.timezone,
        branding=msgspec.convert(tenant.branding, Branding),
    )
