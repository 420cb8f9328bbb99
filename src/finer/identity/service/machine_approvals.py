"""What takes two people about machines: letting a new one in, and letting one in from more places or for longer.

A machine that is made has its secret at once and opens nothing until somebody else approves it. Taking power away
(revoking, fewer networks) waits for nobody, nor does a new secret for the power that a machine has already: a secret
that may have become known must not wait for a colleague.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from finer.identity.errors import KeyNotFound, NotAcceptable
from finer.identity.rules.addresses import are_wider, check_networks
from finer.identity.rules.canonical import canonical, payload_hash
from finer.identity.service import api_keys, proposals
from finer.identity.service.proposals import Kinds, Payload
from finer.identity.store.machines import MachineStore
from finer.identity.types.access import ApiKey, MachineKind, Permission
from finer.identity.types.proposals import Change
from finer.kit.ids import read_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx

ENABLE, WIDEN = "machines:enable", "machines:widen"
"""The kinds of proposals."""


def create(
    tx: Tx,
    settings: Settings,
    kinds: Kinds,
    *,
    kind: MachineKind,
    name: str,
    scopes: Iterable[Permission],
    lifetime: timedelta,
    networks: Sequence[str],
    reason: str,
) -> tuple[ApiKey, str]:
    """Make a machine, waiting for approval where that takes two; returns it with its secret. Raises NotAcceptable."""
    waits = proposals.needs_approval(settings, ENABLE)
    machine, secret = api_keys.create_machine(
        tx, kind=kind, name=name, scopes=scopes, lifetime=lifetime, networks=networks, waits=waits
    )
    if waits:
        proposals.propose(tx, kinds, ENABLE, _powers(machine), reason)
    return machine, secret


def change(
    tx: Tx,
    settings: Settings,
    kinds: Kinds,
    kind: MachineKind,
    *,
    prefix: str,
    name: str | None,
    networks: Sequence[str] | None,
    reason: str,
) -> ApiKey:
    """Rename a machine, or say from where it may be used; wider networks wait for approval where that takes two.

    Raises KeyNotFound, ClientNotFound, NotAcceptable.
    """
    machine = api_keys.working_machine(tx, kind, prefix)
    wanted = None if networks is None else check_networks(networks)
    if wanted is None or not are_wider(machine.networks, wanted):
        return api_keys.change_machine(tx, kind, prefix=prefix, name=name, networks=wanted)
    if name is not None and name != machine.name:
        machine = api_keys.change_machine(tx, kind, prefix=prefix, name=name)
    payload = {"machine": api_keys.shown_id(machine), "networks": wanted}
    proposals.act_or_propose(tx, settings, kinds, WIDEN, payload, reason)
    return api_keys.working_machine(tx, kind, prefix)


def rotate(
    tx: Tx,
    settings: Settings,
    kinds: Kinds,
    kind: MachineKind,
    *,
    prefix: str,
    overlap: timedelta,
    lifetime: timedelta | None,
    reason: str,
) -> tuple[ApiKey, str]:
    """Give a machine a new secret at once; a later end than it has waits for approval where that takes two.

    Raises KeyNotFound, ClientNotFound, NotAcceptable.
    """
    machine = api_keys.working_machine(tx, kind, prefix)
    expires = None if lifetime is None else tx.now() + api_keys.check_lifetime(lifetime)
    if expires is None or expires <= machine.expires_at:
        return api_keys.rotate_machine(tx, kind, prefix=prefix, overlap=overlap, lifetime=lifetime)
    _, secret = api_keys.rotate_machine(tx, kind, prefix=prefix, overlap=overlap)
    payload = {"machine": api_keys.shown_id(machine), "expires_at": expires.isoformat()}
    proposals.act_or_propose(tx, settings, kinds, WIDEN, payload, reason)
    return api_keys.working_machine(tx, kind, prefix), secret


def waiting(tx: Tx) -> dict[str, str]:
    """Which machines have something that waits for approval: the id of each, and that of its newest proposal."""
    return {
        str(proposals.payload_of(one)["machine"]): proposals.shown_id(one)
        for one in reversed(proposals.waiting(tx, (ENABLE, WIDEN)))
    }


def enable_version(tx: Tx, payload: Payload) -> str:
    """The state that letting a machine in starts from. Raises KeyNotFound, NotAcceptable when nothing waits."""
    machine = _machine(tx, payload, lock=True)
    if machine.approved_at is not None or machine.revoked_at is not None:
        raise NotAcceptable(f"{machine.name} does not wait for approval.")
    return _digest(_powers(machine))


def describe_enable(tx: Tx, payload: Payload) -> list[Change]:
    """What letting a machine in changes."""
    machine = _machine(tx, payload)
    return [
        Change(f"{machine.name} ({_word(machine)})", "opens nothing", f"may {', '.join(machine.scopes)}"),
        Change("From", "nowhere", _places(machine.networks)),
        Change("Until", "", f"{machine.expires_at:%Y-%m-%d}"),
    ]


def execute_enable(tx: Tx, payload: Payload) -> dict[str, Any]:
    """Let the machine in, with the powers that were proposed and no other. Raises NotAcceptable."""
    machine = _machine(tx, payload, lock=True)
    if canonical(_powers(machine)) != canonical(payload):
        raise NotAcceptable("This machine is not the one that was proposed. Reject the proposal.")
    api_keys.approve_machine(tx, machine)
    return {"scopes": [str(scope) for scope in machine.scopes]}


def drop_enable(tx: Tx, payload: Payload) -> None:
    """Nobody approved the machine, so it ends."""
    machine = _machine(tx, payload, lock=True)
    if machine.revoked_at is None and machine.approved_at is None:
        api_keys.revoke_machine(tx, machine.kind, prefix=machine.prefix)


def widen_version(tx: Tx, payload: Payload) -> str:
    """The state that a wider machine starts from. Raises KeyNotFound, NotAcceptable."""
    return _digest(_powers(_wide(tx, payload, lock=True)[0]))


def describe_widen(tx: Tx, payload: Payload) -> list[Change]:
    """What is wider about the machine."""
    before, after = _wide(tx, payload)
    found = []
    if before.networks != after.networks:
        found.append(Change(f"{before.name} may be used from", _places(before.networks), _places(after.networks)))
    if before.expires_at != after.expires_at:
        found.append(Change(f"{before.name} ends", f"{before.expires_at:%Y-%m-%d}", f"{after.expires_at:%Y-%m-%d}"))
    return found


def execute_widen(tx: Tx, payload: Payload) -> dict[str, Any]:
    """Widen the machine."""
    _, after = _wide(tx, payload, lock=True)
    api_keys.widen_machine(tx, after)
    return {"networks": after.networks, "expires_at": after.expires_at.isoformat()}


def _wide(tx: Tx, payload: Payload, *, lock: bool = False) -> tuple[ApiKey, ApiKey]:
    machine = _machine(tx, payload, lock=lock)
    if machine.revoked_at is not None or machine.approved_at is None:
        raise NotAcceptable(f"{machine.name} does not work, so it cannot be widened.")
    networks = check_networks(payload.get("networks", machine.networks))
    until = payload.get("expires_at")
    expires = machine.expires_at if until is None else datetime.fromisoformat(str(until))
    return machine, msgspec.structs.replace(machine, networks=networks, expires_at=expires)


def _machine(tx: Tx, payload: Payload, *, lock: bool = False) -> ApiKey:
    shown = str(payload.get("machine", ""))
    prefix = "ocl" if shown.startswith("ocl_") else "key"
    found = MachineStore(tx).by_id(read_id(prefix, shown), lock=lock)
    if found is None:
        raise KeyNotFound(f"There is no machine {shown[:40]!r}.")
    return found


def _powers(machine: ApiKey) -> dict[str, Any]:
    """What an approval of this machine is about."""
    return {
        "machine": api_keys.shown_id(machine),
        "name": machine.name,
        "scopes": [str(scope) for scope in machine.scopes],
        "networks": machine.networks,
        "expires_at": machine.expires_at.isoformat(),
    }


def _digest(powers: Payload) -> str:
    return payload_hash(canonical(powers)).hex()


def _places(networks: Sequence[str]) -> str:
    return ", ".join(networks) or "everywhere"


def _word(machine: ApiKey) -> str:
    return "OAuth client" if machine.kind is MachineKind.OAUTH_CLIENT else "API key"
