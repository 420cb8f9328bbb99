"""Who can come in, as what, by which proofs, and what they may do: firms, people, teams, machines, sessions."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from finer.kit.actors import Actor


class Role(StrEnum):
    """What somebody is at a firm. `customer` is the firm's own retail customer, `service` a machine."""

    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    CREDIT_OFFICER = "credit_officer"
    CUSTOMER = "customer"
    CUSTOMER_MANAGER = "customer_manager"
    DATA_ENGINEER = "data_engineer"
    EXECUTIVE = "executive"
    MARKETING_MANAGER = "marketing_manager"
    RISK_ANALYST = "risk_analyst"
    SERVICE = "service"


class Permission(StrEnum):
    """Everything that can be allowed, as `resource:action`, in alphabetical order."""

    ALERTS_ASSIGN = "alerts:assign"
    ALERTS_EXPORT = "alerts:export"
    ALERTS_READ = "alerts:read"
    ALERTS_RESOLVE = "alerts:resolve"
    ALERTS_REVEAL = "alerts:reveal"
    ALERTS_SUMMARISE = "alerts:summarise"
    API_KEYS_APPROVE = "api_keys:approve"
    API_KEYS_READ = "api_keys:read"
    API_KEYS_WRITE = "api_keys:write"
    AUDIT_EXPORT = "audit:export"
    AUDIT_READ = "audit:read"
    AUDIT_VERIFY = "audit:verify"
    BEHAVIOUR_READ = "behaviour:read"
    BI_CLOSE = "bi:close"
    BI_READ = "bi:read"
    BI_WRITE = "bi:write"
    CASES_ACT = "cases:act"
    CASES_APPROVE = "cases:approve"
    CASES_CARRY_OUT = "cases:carry_out"
    CASES_CLOSE = "cases:close"
    CASES_CONFIGURE = "cases:configure"
    CASES_READ = "cases:read"
    CASES_REPORT = "cases:report"
    CASES_WORK = "cases:work"
    CONTRACTS_APPROVE = "contracts:approve"
    CONTRACTS_READ = "contracts:read"
    CONTRACTS_SAMPLE = "contracts:sample"
    CONTRACTS_WRITE = "contracts:write"
    DASHBOARDS_READ = "dashboards:read"
    DASHBOARDS_WRITE = "dashboards:write"
    DECISIONS_EXPORT = "decisions:export"
    DECISIONS_READ = "decisions:read"
    DECISIONS_WRITE = "decisions:write"
    EVENTS_WRITE = "events:write"
    EXPORTS_APPROVE = "exports:approve"
    FINANCE_READ = "finance:read"
    FIRM_APPROVE = "firm:approve"
    FIRM_READ = "firm:read"
    FIRM_WRITE = "firm:write"
    HOOKS_READ = "hooks:read"
    HOOKS_WRITE = "hooks:write"
    JOBS_READ = "jobs:read"
    JOBS_RUN = "jobs:run"
    LABELS_WRITE = "labels:write"
    LAKE_EXPORT = "lake:export"
    LAKE_READ = "lake:read"
    LINEAGE_READ = "lineage:read"
    LISTS_EXPORT = "lists:export"
    LISTS_READ = "lists:read"
    LISTS_WRITE = "lists:write"
    MODELS_APPROVE = "models:approve"
    MODELS_READ = "models:read"
    MODELS_WRITE = "models:write"
    ORDERS_READ = "orders:read"
    PERFORMANCE_READ = "performance:read"
    PIPELINE_READ = "pipeline:read"
    PRIVACY_APPROVE = "privacy:approve"
    PRIVACY_BREACH = "privacy:breach"
    PRIVACY_EXPORT = "privacy:export"
    PRIVACY_READ = "privacy:read"
    PRIVACY_WRITE = "privacy:write"
    PROPOSALS_DECIDE = "proposals:decide"
    PROPOSALS_READ = "proposals:read"
    QUALITY_MANAGE = "quality:manage"
    QUALITY_READ = "quality:read"
    QUARANTINE_EDIT = "quarantine:edit"
    QUARANTINE_READ = "quarantine:read"
    QUARANTINE_RELEASE = "quarantine:release"
    QUARANTINE_REVEAL = "quarantine:reveal"
    RECEIPTS_READ = "receipts:read"
    RULES_APPROVE = "rules:approve"
    RULES_READ = "rules:read"
    RULES_WRITE = "rules:write"
    SCREENING_APPROVE = "screening:approve"
    SCREENING_CHECK = "screening:check"
    SCREENING_JUDGE = "screening:judge"
    SCREENING_LISTS = "screening:lists"
    SCREENING_READ = "screening:read"
    SECURITY_ALERTS_READ = "security_alerts:read"
    SECURITY_ALERTS_RESOLVE = "security_alerts:resolve"
    SEGMENTS_MEMBERS = "segments:members"
    SEGMENTS_READ = "segments:read"
    SEGMENTS_WRITE = "segments:write"
    SESSION_OWN = "session:own"
    SOURCES_READ = "sources:read"
    SOURCES_WRITE = "sources:write"
    SQL_RUN = "sql:run"
    SSO_APPROVE = "sso:approve"
    SSO_READ = "sso:read"
    SSO_WRITE = "sso:write"
    TARGETS_WRITE = "targets:write"
    TEAMS_READ = "teams:read"
    TEAMS_WRITE = "teams:write"
    USERS_APPROVE = "users:approve"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"


class Scope(StrEnum):
    """Whose rows a permission covers."""

    OWN = "own"
    TEAM = "team"
    TENANT = "tenant"
    SELF = "self"


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """A firm."""

    id: uuid.UUID
    slug: str
    name: str
    base_currency: str
    timezone: str
    branding: dict[str, Any]
    created_at: datetime


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person who can sign in."""

    id: uuid.UUID
    tenant_id: uuid.UUID
    email: str
    name: str
    role: Role
    disabled_at: datetime | None = None


class Factor(StrEnum):
    """How somebody showed who they are; `sso_mfa` is a provider that the firm trusts to ask for two factors."""

    LINK = "link"
    PASSKEY = "passkey"
    PASSWORD = "password"  # noqa: S105 - the name of a factor
    RECOVERY = "recovery"
    SSO = "sso"
    SSO_MFA = "sso_mfa"
    TOTP = "totp"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in browser; `unfamiliar` when it came from a network or device that this person never used before."""

    id: uuid.UUID
    user_id: uuid.UUID
    created_at: datetime
    last_seen_at: datetime
    user_agent: str
    address: str
    factor: Factor
    unfamiliar: bool


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """What a proof gives: the token of a session, or of a sign-in that lacks a second factor, one of `missing`."""

    token: str
    missing: tuple[Factor, ...] = ()


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey (WebAuthn credential) of a person, without its key."""

    id: uuid.UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None


class Factors(msgspec.Struct, frozen=True, kw_only=True):
    """What a person can sign in with."""

    password: bool
    totp_since: datetime | None
    recovery_codes_left: int
    passkeys: list[Passkey]


class MachineKind(StrEnum):
    """How a machine shows who it is: by a key with every request, or by a token that it fetches as an OAuth client."""

    API_KEY = "api_key"
    OAUTH_CLIENT = "oauth_client"


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A machine's key, or an OAuth client, without its secret."""

    id: uuid.UUID
    kind: MachineKind
    prefix: str
    name: str
    scopes: list[Permission]
    networks: list[str]
    """From where it may be used, in CIDR form; empty is from everywhere."""
    created_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    previous_until: datetime | None = None
    """Until when the secret before the newest one still works."""
    approved_at: datetime | None = None
    """Since when it may be used; None while it waits for a second person."""


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """People of a firm who work from one queue."""

    id: uuid.UUID
    name: str
    members: list[uuid.UUID]


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who makes a request: a person with a session (`user`), a machine with a key (`key`) or a token (`client`)."""

    kind: str
    id: uuid.UUID
    tenant_id: uuid.UUID
    name: str
    role: Role
    permissions: frozenset[Permission]
    """What the role grants; for a key, what of that its scopes name."""
    teams: frozenset[uuid.UUID] = frozenset()
    credential: str
    """Where the principal came from: the hash of the session token, or the machine's prefix. Never the secret."""
    session_id: uuid.UUID | None = None
    networks: tuple[str, ...] = ()
    """From where the credential may be used; empty is from everywhere."""
    stepped_up: bool = False
    """Whether this person showed who they are a short while ago, by the strongest factor that they have."""
    proofs: tuple[Factor, ...] = ()
    second_factor_missing: bool = False
    """Whether the firm wants a second factor and this person came in without: then only the own account is open."""

    def may(self, permission: Permission) -> bool:
        """Whether the caller has a permission in any scope."""
        return permission in self.permissions

    def actor(self) -> Actor:
        """The same, as transactions and the audit trail know it."""
        teams = tuple(sorted(self.teams))
        return Actor(kind=self.kind, id=str(self.id), name=self.name, role=self.role.value, teams=teams)


class Found(msgspec.Struct, frozen=True):
    """What a look-up by a credential gives."""

    principal: Principal | None
    stale: bool = False
    """Whether the use of the credential should be noted now."""
    lasts: timedelta | None = None
    """How long the principal stays as it is if nobody changes anything; None when that is not known."""
