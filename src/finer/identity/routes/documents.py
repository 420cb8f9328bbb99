"""What identity shows of people, firms and sessions, as it leaves the system."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeAlias

import msgspec

from finer.identity.types import access
from finer.identity.types.access import Factor, Permission, Role
from finer.kit.ids import show_id

UserId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^usr_[0-9a-f]{32}$")]
TenantId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^ten_[0-9a-f]{32}$")]
PasskeyId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^pky_[0-9a-f]{32}$")]
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
    second_factor_missing: bool
    """Whether the firm wants a second factor of this person before anything else opens."""


class MissingFactor(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in that is half done: `token` goes, with a code, to POST /api/v1/session/second-factor."""

    token: str
    methods: list[Factor]

    def __repr__(self) -> str:
        return "MissingFactor(...)"


class SignInAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Either `user` is signed in and the session cookie is set, or `second_factor` says what is missing."""

    user: Person | None
    permissions: list[Permission]
    second_factor: MissingFactor | None


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A browser where the caller is or was signed in; `current` is the one that asks.

    `factor` is how the person last proved there who they are; `unfamiliar` says that the network or the device was new.
    """

    id: SessionId
    created_at: datetime
    last_seen_at: datetime
    user_agent: str
    address: str
    factor: Factor
    unfamiliar: bool
    current: bool


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """One of the caller's passkeys."""

    id: PasskeyId
    name: str
    created_at: datetime
    last_used_at: datetime | None


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller can sign in with, and sign-ins from new places that are not recognised yet (`notices`).

    `passkey_origin` is the address from which passkeys work; null when the installation is opened by a network address.
    """

    password: bool
    totp_since: datetime | None
    recovery_codes_left: int
    passkeys: list[Passkey]
    passkey_origin: str | None
    notices: list[Session]


class PasskeyOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What goes to navigator.credentials, through PublicKeyCredential.parse...OptionsFromJSON()."""

    options: dict[str, Any]


class RecoveryCodes(msgspec.Struct, frozen=True, kw_only=True):
    """Recovery codes, shown this once; empty when there are older ones that still work."""

    recovery_codes: list[str]

    def __repr__(self) -> str:
        return "RecoveryCodes(...)"


class NewPasskey(msgspec.Struct, frozen=True, kw_only=True):
    """A new passkey, and recovery codes if there were none."""

    passkey: Passkey
    recovery_codes: list[str]

    def __repr__(self) -> str:
        return "NewPasskey(...)"


class TotpEnrolment(msgspec.Struct, frozen=True, kw_only=True):
    """What an authenticator app needs: the secret, and the same as an otpauth address for a QR code."""

    secret: str
    uri: str

    def __repr__(self) -> str:
        return "TotpEnrolment(...)"


def show_signed_in(principal: access.Principal) -> SignInAnswer:
    """The answer to a sign-in that is done."""
    return SignInAnswer(
        user=Person(id=show_id("usr", principal.id), name=principal.name, role=principal.role),
        permissions=sorted(principal.permissions),
        second_factor=None,
    )


def show_session(session: access.Session, *, current: bool) -> Session:
    """A session for its own person."""
    return Session(
        id=show_id("ses", session.id),
        created_at=session.created_at,
        last_seen_at=session.last_seen_at,
        user_agent=session.user_agent,
        address=session.address,
        factor=session.factor,
        unfamiliar=session.unfamiliar,
        current=current,
    )


def show_passkey(passkey: access.Passkey) -> Passkey:
    """A passkey for its own person."""
    return Passkey(
        id=show_id("pky", passkey.id),
        name=passkey.name,
        created_at=passkey.created_at,
        last_used_at=passkey.last_used_at,
    )


def show_tenant(tenant: access.Tenant) -> Tenant:
    """A firm as the API shows it."""
    return Tenant(
        id=show_id("ten", tenant.id),
        slug=tenant.slug,
        name=tenant.name,
        base_currency=tenant.base_currency,
        timezone=tenant.timezone,
        branding=msgspec.convert(tenant.branding, Branding),
    )
