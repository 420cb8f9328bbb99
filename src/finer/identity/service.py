"""The public interface of identity."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import replace
from datetime import timedelta
from typing import Any

from finer.identity.errors import (
    AlreadyExists,
    KeyNotFound,
    NotAcceptable,
    SessionNotFound,
    TenantNotFound,
    TooManyAttempts,
    UserNotFound,
)
from finer.identity.rules.checks import (
    check_currency,
    check_email,
    check_name,
    check_password,
    check_slug,
    check_zone,
    read_email,
    read_key,
)
from finer.identity.rules.grants import GRANTS, allowed, covers, key_permissions, owner_only, permissions_of, render
from finer.identity.rules.isolation import role_problems, table_problems
from finer.identity.rules.throttle import ACCOUNT, ADDRESS, account_key, address_key
from finer.identity.store.lookups import LookupStore
from finer.identity.store.rows import IdentityStore
from finer.identity.store.walls import WallStore
from finer.identity.types import ApiKey, AuditEntry, Permission, Principal, Role, Session, Tenant, User
from finer.kit.db import NO_TENANT
from finer.kit.ids import new_id, show_id
from finer.kit.passwords import hash_password, verify_password
from finer.kit.settings import Settings
from finer.kit.tx import Tx

KEY_MARK = "fk_"
KEY_LIFETIME_MAX = timedelta(days=3650)
LINK_LIFETIME = timedelta(hours=24)
TOUCH_EVERY = timedelta(minutes=1)
ORIGIN: ContextVar[str] = ContextVar("finer_origin", default="")
"""The network address of the request being served; the edge sets it, and the audit trail notes it."""

__all__ = ["Permission", "Role", "allowed", "covers", "owner_only", "permissions_of", "render"]


def secret_hash(secret: str) -> bytes:
    """What is stored of a token of 256 random bits: its SHA-256. Such a token needs no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def record_audit(
    tx: Tx, action: str, subject: str, detail: dict[str, Any] | None = None, outcome: str = "done"
) -> None:
    """Write down who did what, in the transaction of the act itself."""
    IdentityStore(tx).add_audit(_audit_entry(tx, action, subject, detail or {}, outcome))


def _audit_entry(tx: Tx, action: str, subject: str, detail: dict[str, Any], outcome: str) -> AuditEntry:
    return AuditEntry(
        id=new_id(),
        at=tx.now(),
        actor_kind=tx.actor.kind,
        actor_id=tx.actor.id,
        actor_name=tx.actor.name,
        actor_role=tx.actor.role,
        action=action,
        subject=subject,
        outcome=outcome,
        origin=ORIGIN.get(),
        detail=detail,
    )


def list_audit(tx: Tx, limit: int, before: uuid.UUID | None) -> list[AuditEntry]:
    """Lines of the audit trail, the newest first."""
    return IdentityStore(tx).audit(limit, before)


def get_tenant(tx: Tx) -> Tenant:
    """The firm of this transaction. Raises TenantNotFound."""
    found = IdentityStore(tx).tenant()
    if found is None:
        raise TenantNotFound(f"There is no firm {show_id('ten', tx.tenant)}.")
    return found


def list_tenants(tx: Tx) -> list[Tenant]:
    """Every firm of the installation; for the command line and for jobs."""
    return LookupStore(tx.connection).tenants()


def tenant_by_slug(tx: Tx, slug: str) -> Tenant:
    """The firm with that short name. Raises TenantNotFound, naming those that exist."""
    found = {tenant.slug: tenant for tenant in list_tenants(tx)}
    if slug not in found:
        known = ", ".join(found) or "none yet; make one with finer tenant create"
        raise TenantNotFound(f"There is no firm {slug[:60]!r}. Firms: {known}.")
    return found[slug]


def create_tenant(tx: Tx, *, slug: str, name: str, base_currency: str, timezone: str) -> Tenant:
    """Add a firm; the transaction is that of the firm's own new id. Raises AlreadyExists, NotAcceptable."""
    tenant = Tenant(
        id=tx.tenant,
        slug=check_slug(slug),
        name=check_name(name),
        base_currency=check_currency(base_currency),
        timezone=check_zone(timezone),
        branding={"logo_text": check_name(name), "primary_color": None},
        created_at=tx.now(),
    )
    if not IdentityStore(tx).add_tenant(tenant):
        raise AlreadyExists(f"The short name {slug!r} is taken. Choose another one.")
    record_audit(tx, "tenants:create", show_id("ten", tenant.id), {"slug": slug})
    return tenant


def create_user(tx: Tx, settings: Settings, *, email: str, name: str, role: Role, password: str | None) -> User:
    """Add a person; without a password only sign-in links let them in. Raises AlreadyExists, NotAcceptable."""
    if role is Role.SERVICE:
        raise NotAcceptable("A machine is no user. Make an API key instead: finer key create.")
    user = User(id=new_id(), tenant_id=tx.tenant, email=check_email(email), name=check_name(name), role=role)
    stored = None if password is None else hash_password(check_password(password), settings)
    if not IdentityStore(tx).add_user(user, stored, tx.now()):
        raise AlreadyExists(f"Somebody signs in as {user.email} already.")
    record_audit(tx, "users:create", show_id("usr", user.id), {"role": str(role)})
    return user


def list_users(tx: Tx) -> list[User]:
    """The people of the firm, by address."""
    return IdentityStore(tx).users()


def get_user(tx: Tx, identifier: uuid.UUID) -> User:
    """One person of the firm. Raises UserNotFound."""
    found = IdentityStore(tx).users(identifier=identifier)
    if not found:
        raise UserNotFound(f"There is no user {show_id('usr', identifier)}.")
    return found[0]


def _user_by_email(tx: Tx, email: str) -> User:
    found = IdentityStore(tx).users(email=check_email(email))
    if not found:
        raise UserNotFound(f"Nobody of this firm signs in as {email[:80]!r}.")
    return found[0]


def disable_user(tx: Tx, *, email: str) -> None:
    """Let a person in no more; their sessions end within a second. Raises UserNotFound."""
    user = _user_by_email(tx, email)
    IdentityStore(tx).set_disabled(user.id, tx.now())
    record_audit(tx, "users:disable", show_id("usr", user.id))


def create_sign_in_link(tx: Tx, *, email: str) -> str:
    """The token of a link that signs a person in, any number of times within 24 hours. Raises UserNotFound."""
    user = _user_by_email(tx, email)
    token = secrets.token_urlsafe(32)
    IdentityStore(tx).add_link(user.id, new_id(), secret_hash(token), tx.now() + LINK_LIFETIME)
    record_audit(tx, "sign_in_links:create", show_id("usr", user.id))
    return token


def revoke_sign_in_links(tx: Tx, *, email: str) -> None:
    """Take back every sign-in link of a person. Raises UserNotFound."""
    user = _user_by_email(tx, email)
    taken = IdentityStore(tx).remove_links(user.id)
    record_audit(tx, "sign_in_links:revoke", show_id("usr", user.id), {"links": taken})


def begin_session(tx: Tx, user: uuid.UUID, user_agent: str) -> str:
    """Sign a person in; returns the token for the cookie. The caller has checked who it is."""
    token = secrets.token_urlsafe(32)
    identifier = new_id()
    IdentityStore(tx).add_session(user, secret_hash(token), user_agent[:300], identifier, tx.now())
    record_audit(tx, "session:begin", show_id("ses", identifier))
    return token


def list_sessions(tx: Tx, settings: Settings, user: uuid.UUID) -> list[Session]:
    """Live sessions of a person."""
    now = tx.now()
    return IdentityStore(tx).sessions(
        user,
        now - timedelta(minutes=settings.session_idle_minutes),
        now - timedelta(hours=settings.session_absolute_hours),
    )


def end_session(tx: Tx, user: uuid.UUID, session: uuid.UUID) -> None:
    """End a session of that person. Raises SessionNotFound."""
    if not IdentityStore(tx).revoke_session(user, session, tx.now()):
        raise SessionNotFound(f"There is no open session {show_id('ses', session)} of yours.")
    record_audit(tx, "session:end", show_id("ses", session))


def create_api_key(tx: Tx, *, name: str, scopes: Iterable[Permission], lifetime: timedelta) -> tuple[ApiKey, str]:
    """Make an API key; returns it with the secret, which is not kept. Raises NotAcceptable.

    Whoever makes a key gives a machine what machines may have (the grants of `service`), and never more.
    """
    wanted = sorted(set(scopes))
    never = [scope for scope in wanted if scope not in GRANTS[Role.SERVICE]]
    if never or not wanted:
        allowed = ", ".join(sorted(GRANTS[Role.SERVICE]))
        raise NotAcceptable(f"A machine may have {allowed}; not {', '.join(never) or 'nothing at all'}.")
    if not timedelta(0) < lifetime <= KEY_LIFETIME_MAX:
        raise NotAcceptable(f"An API key lives at most {KEY_LIFETIME_MAX.days} days; then make a new one.")
    prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    key = ApiKey(
        id=new_id(),
        prefix=prefix,
        name=check_name(name),
        scopes=wanted,
        created_at=tx.now(),
        expires_at=tx.now() + lifetime,
        last_used_at=None,
        revoked_at=None,
    )
    IdentityStore(tx).add_key(key, secret_hash(secret), tx.actor.name)
    record_audit(tx, "api_keys:create", show_id("key", key.id), {"prefix": prefix, "scopes": [str(s) for s in wanted]})
    return key, f"{KEY_MARK}{prefix}_{secret}"


def list_api_keys(tx: Tx) -> list[ApiKey]:
    """The firm's API keys, without their secrets."""
    return IdentityStore(tx).keys()


def revoke_api_key(tx: Tx, *, prefix: str) -> None:
    """End an API key; it stops working within a second. Raises KeyNotFound."""
    if not IdentityStore(tx).revoke_key(prefix, tx.now()):
        raise KeyNotFound(f"There is no working API key with the prefix {prefix[:20]!r}.")
    record_audit(tx, "api_keys:revoke", prefix)


def touch(tx: Tx, *, session: uuid.UUID | None = None, key: uuid.UUID | None = None) -> None:
    """A session or a key was used; callers ask for this at most once a minute."""
    if session is not None:
        IdentityStore(tx).touch_session(session, tx.now())
    if key is not None:
        IdentityStore(tx).touch_key(key, tx.now())


def find_principal_by_session(tx: Tx, settings: Settings, token: str) -> tuple[Principal, bool] | None:
    """Who holds this session token, and whether the session should be touched; None when it is not good (any more).

    Needs no tenant: the transaction may be that of no tenant.
    """
    row = LookupStore(tx.connection).session(secret_hash(token))
    if row is None:
        return None
    now = tx.now()
    idle = now - row.last_seen_at
    if idle >= timedelta(minutes=settings.session_idle_minutes):
        return None
    if now - row.created_at >= timedelta(hours=settings.session_absolute_hours):
        return None
    role = Role(row.role)
    principal = Principal(
        kind="user",
        id=row.user_id,
        tenant_id=row.tenant_id,
        name=row.name,
        role=role,
        permissions=permissions_of(role),
        credential=secret_hash(token).hex(),
        session_id=row.session_id,
    )
    return principal, idle > TOUCH_EVERY


def find_principal_by_key(tx: Tx, key: str) -> tuple[Principal, bool] | None:
    """Which machine holds this API key, and whether its use should be noted; None when it is not good (any more)."""
    parts = read_key(key)
    if parts is None:
        return None
    prefix, secret = parts
    row = LookupStore(tx.connection).key(prefix)
    if row is None or not hmac.compare_digest(bytes(row.secret_hash), secret_hash(secret)):
        return None
    if row.expires_at <= tx.now():
        return None
    principal = Principal(
        kind="key",
        id=row.id,
        tenant_id=row.tenant_id,
        name=row.name,
        role=Role.SERVICE,
        permissions=key_permissions(row.scopes),
        credential=prefix,
    )
    return principal, row.last_used_at is None or tx.now() - row.last_used_at > TOUCH_EVERY


def check_password_sign_in(
    tx: Tx, settings: Settings, *, email: str, password: str, address: str
) -> tuple[uuid.UUID, uuid.UUID] | None:
    """(tenant, user) when address and password fit; None otherwise, after the same work.

    An attempt is counted before the password is looked at, so that many at once do not slip through. Raises
    TooManyAttempts, before any hash is computed, when the account or the address tried too often. The caller commits
    in either case, so that attempts and the audit line stay; it runs only a few of these at once.
    """
    store = LookupStore(tx.connection)
    known = read_email(email)
    account, origin = account_key(known or ""), address_key(address)
    wait = store.count_attempt(origin, ADDRESS, tx.now()) or store.count_attempt(account, ACCOUNT, tx.now())
    if wait:
        raise TooManyAttempts(
            f"Too many sign-ins failed. Try again in {wait} s, or ask an administrator for a sign-in link.",
            retry_after_s=wait,
        )
    row = None if known is None else store.user(known)
    if not verify_password(None if row is None else row.password_hash, password, settings) or row is None:
        # Whose audit line it is shows in no answer, and writing it takes as long in either case.
        tenant, subject = (NO_TENANT, "nobody") if row is None else (row.tenant_id, show_id("usr", row.id))
        store.enter(tenant)
        record_audit(replace(tx, tenant=tenant), "session:begin", subject, outcome="refused")
        return None
    store.forget_attempts(account)
    store.give_back_attempt(origin)
    return row.tenant_id, row.id


def check_link_sign_in(tx: Tx, token: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """(tenant, user) of a sign-in link that is still good; None otherwise."""
    row = LookupStore(tx.connection).link(secret_hash(token))
    return None if row is None or row.expires_at <= tx.now() else (row.tenant_id, row.user_id)


def plant_canary(tx: Tx) -> None:
    """Leave one row in this tenant for the isolation check to look for; done again, it changes nothing."""
    if not IdentityStore(tx).audit(1, None):
        record_audit(tx, "isolation:plant", "canary")


def isolation_problems(tx: Tx, planted: uuid.UUID) -> list[str]:
    """Why tenants would not be kept apart, as sentences; empty when they are. `tx` is of another tenant than `planted`.

    Asks the system catalogue about the role and every table of tenants, then tries: a row of the planted tenant must
    not be seen from here, and none can be written.
    """
    store = WallStore(tx.connection)
    role = store.role()
    problems = role_problems(role) + table_problems(role.name, store.walls())
    problems += [f"The view {name} shows rows with its owner's rights." for name in store.views_around()]
    problems += [f"The function {name} has no fixed search_path." for name in store.loose_functions()]
    if foreign := store.foreign_rows(planted):
        problems.append(f"{foreign} rows of another tenant can be read. Run finer migrate, and do not serve.")
    if not store.foreign_write_refused(_audit_entry(tx, "isolation:try", "canary", {}, "done"), planted):
        problems.append("A row of another tenant can be written. Run finer migrate, and do not serve.")
    return problems
