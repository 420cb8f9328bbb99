"""Machines of a firm: API keys, sent with every request, and OAuth clients, which fetch short-lived tokens."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Literal

import msgspec

from finer.identity.errors import ClientNotFound, KeyNotFound, NotAcceptable
from finer.identity.rules.addresses import check_networks
from finer.identity.rules.checks import check_name, read_key
from finer.identity.rules.grants import GRANTS, key_permissions
from finer.identity.service.audit import record_audit
from finer.identity.service.sessions import TOUCH_EVERY, secret_hash
from finer.identity.store.lookups import LookupStore
from finer.identity.store.machines import MachineStore
from finer.identity.types.access import ApiKey, Found, MachineKind, Permission, Principal, Role
from finer.kit.ids import new_id, show_id
from finer.kit.tx import Tx

KEY_MARK = "fk_"
CLIENT_MARK, CLIENT_SECRET_MARK = "fc_", "fs_"
KEY_LIFETIME_MAX = timedelta(days=3650)
OVERLAP_MAX = timedelta(days=30)

MACHINE_PERMISSIONS = frozenset(GRANTS[Role.SERVICE])
"""What a machine may have."""
MachineAct = Literal["create", "change", "rotate", "revoke", "approve", "widen"]
_PREFIXES = {MachineKind.API_KEY: "key", MachineKind.OAUTH_CLIENT: "ocl"}


def create_machine(
    tx: Tx,
    *,
    kind: MachineKind,
    name: str,
    scopes: Iterable[Permission],
    lifetime: timedelta,
    networks: Sequence[str] = (),
    waits: bool = False,
) -> tuple[ApiKey, str]:
    """Make an API key or an OAuth client; returns it with the secret, which is not kept. Raises NotAcceptable.

    Whoever makes one gives a machine what machines may have (the grants of `service`), and never more. One that `waits`
    opens nothing until `approve_machine`.
    """
    wanted = sorted(set(scopes))
    never = [scope for scope in wanted if scope not in MACHINE_PERMISSIONS]
    if never or not wanted:
        allowed = ", ".join(sorted(MACHINE_PERMISSIONS))
        raise NotAcceptable(f"A machine may have {allowed}; not {', '.join(never) or 'nothing at all'}.")
    secret = secrets.token_urlsafe(32)
    machine = ApiKey(
        id=new_id(),
        kind=kind,
        prefix=secrets.token_hex(4),
        name=check_name(name),
        scopes=wanted,
        networks=check_networks(networks),
        created_by=tx.actor.name,
        created_at=tx.now(),
        expires_at=tx.now() + check_lifetime(lifetime),
        approved_at=None if waits else tx.now(),
    )
    MachineStore(tx).add(machine, secret_hash(secret))
    _record(tx, "create", machine, scopes=[str(scope) for scope in wanted], networks=machine.networks)
    return machine, _spoken(machine, secret)


def list_machines(tx: Tx, kind: MachineKind) -> list[ApiKey]:
    """The firm's API keys or OAuth clients, without their secrets."""
    return MachineStore(tx).all(kind)


def change_machine(
    tx: Tx, kind: MachineKind, *, prefix: str, name: str | None = None, networks: Sequence[str] | None = None
) -> ApiKey:
    """Rename one, or say from where it may be used. Raises KeyNotFound, ClientNotFound, NotAcceptable."""
    machine = working_machine(tx, kind, prefix)
    changed = msgspec.structs.replace(
        machine,
        name=machine.name if name is None else check_name(name),
        networks=machine.networks if networks is None else check_networks(networks),
    )
    MachineStore(tx).change(changed)
    _record(tx, "change", changed, name=changed.name, networks=changed.networks)
    return changed


def rotate_machine(
    tx: Tx, kind: MachineKind, *, prefix: str, overlap: timedelta, lifetime: timedelta | None = None
) -> tuple[ApiKey, str]:
    """Give one a new secret; returns it. The secret before it works on for `overlap`, at most 30 days.

    Raises KeyNotFound, ClientNotFound, NotAcceptable.
    """
    if not timedelta(0) <= overlap <= OVERLAP_MAX:
        raise NotAcceptable(f"Both secrets work side by side for at most {OVERLAP_MAX.days} days.")
    machine = working_machine(tx, kind, prefix)
    expires = machine.expires_at if lifetime is None else tx.now() + check_lifetime(lifetime)
    changed = msgspec.structs.replace(machine, previous_until=tx.now() + overlap, expires_at=expires)
    secret = secrets.token_urlsafe(32)
    MachineStore(tx).change(changed)
    # Roles do not read stored hashes; the look-up by prefix is what hands one out.
    previous = bytes(LookupStore(tx.connection).key(prefix).secret_hash)
    MachineStore(tx).replace_secret(machine.id, secret_hash(secret), previous, tx.now() + overlap)
    _record(tx, "rotate", changed, previous_until=changed.previous_until)
    return changed, _spoken(changed, secret)


def revoke_machine(tx: Tx, kind: MachineKind, *, prefix: str) -> None:
    """End one; it stops working within a second, and its tokens with it. Raises KeyNotFound, ClientNotFound."""
    machine = _alive(tx, kind, prefix)
    MachineStore(tx).revoke(kind, prefix, tx.now())
    _record(tx, "revoke", machine)


def approve_machine(tx: Tx, machine: ApiKey) -> None:
    """Let in a machine that waited."""
    MachineStore(tx).approve(machine.id, tx.now())
    _record(tx, "approve", machine, scopes=[str(scope) for scope in machine.scopes], networks=machine.networks)


def widen_machine(tx: Tx, wider: ApiKey) -> None:
    """Let a machine in from the networks, and until the end, that `wider` has. Raises NotAcceptable."""
    check_lifetime(wider.expires_at - tx.now())
    MachineStore(tx).change(wider)
    _record(tx, "widen", wider, networks=wider.networks, expires_at=wider.expires_at)


def create_api_key(tx: Tx, *, name: str, scopes: Iterable[Permission], lifetime: timedelta) -> tuple[ApiKey, str]:
    """Make an API key that works from everywhere; see `create_machine`."""
    return create_machine(tx, kind=MachineKind.API_KEY, name=name, scopes=scopes, lifetime=lifetime)


def list_api_keys(tx: Tx) -> list[ApiKey]:
    """The firm's API keys, without their secrets."""
    return list_machines(tx, MachineKind.API_KEY)


def revoke_api_key(tx: Tx, *, prefix: str) -> None:
    """End an API key; it stops working within a second. Raises KeyNotFound."""
    revoke_machine(tx, MachineKind.API_KEY, prefix=prefix)


def touch_key(tx: Tx, key: Any) -> None:
    """A key or a client was used; callers ask for this at most once a minute."""
    MachineStore(tx).touch(key, tx.now())


def find_principal_by_key(tx: Tx, key: str) -> Found | None:
    """Which machine holds this API key, and whether its use should be noted; None when it is not good (any more)."""
    parts = read_key(key)
    if parts is None:
        return None
    row = find_machine(tx, MachineKind.API_KEY, parts[0])
    if row is None or not secret_fits(tx, row, parts[1]):
        return None
    return Found(principal_of(row, "key", parts[0], row.scopes), unseen(tx, row))


def find_machine(tx: Tx, kind: MachineKind, prefix: str) -> Any:
    """What `identity_find_key` says of a machine of this kind that works now, or None; needs no tenant."""
    row = LookupStore(tx.connection).key(prefix)
    return None if row is None or row.kind != kind.value or row.expires_at <= tx.now() else row


def secret_fits(tx: Tx, row: Any, secret: str) -> bool:
    """Whether it is the machine's secret, or the one before it while both work."""
    given = secret_hash(secret)
    fits = hmac.compare_digest(bytes(row.secret_hash), given)
    if row.previous_secret_hash is not None and row.previous_until > tx.now():
        fits |= hmac.compare_digest(bytes(row.previous_secret_hash), given)
    return fits


def principal_of(row: Any, kind: str, prefix: str, scopes: Iterable[str]) -> Principal:
    """The machine of a row, as the one who makes a request."""
    return Principal(
        kind=kind,
        id=row.id,
        tenant_id=row.tenant_id,
        name=row.name,
        role=Role.SERVICE,
        permissions=key_permissions(scopes),
        credential=prefix,
        networks=tuple(row.networks),
    )


def unseen(tx: Tx, row: Any) -> bool:
    """Whether a machine's last use was noted too long ago."""
    return row.last_used_at is None or tx.now() - row.last_used_at > TOUCH_EVERY


def working_machine(tx: Tx, kind: MachineKind, prefix: str) -> ApiKey:
    """A machine that may be used; its row stays locked. Raises KeyNotFound, ClientNotFound, NotAcceptable."""
    found = _alive(tx, kind, prefix)
    if found.approved_at is None:
        raise NotAcceptable(f"{found.name} waits for approval. Until then it can be revoked and nothing else.")
    return found


def check_lifetime(wanted: timedelta) -> timedelta:
    """How long a secret may work. Raises NotAcceptable."""
    if not timedelta(0) < wanted <= KEY_LIFETIME_MAX:
        raise NotAcceptable(f"A key lives at most {KEY_LIFETIME_MAX.days} days; then make a new one.")
    return wanted


def shown_id(machine: ApiKey) -> str:
    """`key_...` or `ocl_...`."""
    return show_id(_PREFIXES[machine.kind], machine.id)


def _alive(tx: Tx, kind: MachineKind, prefix: str) -> ApiKey:
    found = MachineStore(tx).working(kind, prefix)
    if found is None:
        if kind is MachineKind.OAUTH_CLIENT:
            raise ClientNotFound(f"There is no working OAuth client {CLIENT_MARK}{prefix[:20]}.")
        raise KeyNotFound(f"There is no working API key with the prefix {prefix[:20]!r}.")
    return found


def _spoken(machine: ApiKey, secret: str) -> str:
    if machine.kind is MachineKind.OAUTH_CLIENT:
        return f"{CLIENT_SECRET_MARK}{secret}"
    return f"{KEY_MARK}{machine.prefix}_{secret}"


def _record(tx: Tx, act: MachineAct, machine: ApiKey, **detail: Any) -> None:
    area = "oauth_clients" if machine.kind is MachineKind.OAUTH_CLIENT else "api_keys"
    shown = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in detail.items()}
    record_audit(tx, f"{area}:{act}", shown_id(machine), {"prefix": machine.prefix, **shown})
