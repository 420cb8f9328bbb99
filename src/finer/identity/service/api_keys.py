"""Keys of machines."""

from __future__ import annotations

import hmac
import secrets
import uuid
from collections.abc import Iterable
from datetime import timedelta

from finer.identity.errors import KeyNotFound, NotAcceptable
from finer.identity.rules.checks import check_name, read_key
from finer.identity.rules.grants import GRANTS, key_permissions
from finer.identity.service.audit import record_audit
from finer.identity.service.sessions import TOUCH_EVERY, secret_hash
from finer.identity.store.lookups import LookupStore
from finer.identity.store.rows import IdentityStore
from finer.identity.types import ApiKey, Permission, Principal, Role
from finer.kit.ids import new_id, show_id
from finer.kit.tx import Tx

KEY_MARK = "fk_"
KEY_LIFETIME_MAX = timedelta(days=3650)


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


def touch_key(tx: Tx, key: uuid.UUID) -> None:
    """An API key was used; callers ask for this at most once a minute."""
    IdentityStore(tx).touch_key(key, tx.now())


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
