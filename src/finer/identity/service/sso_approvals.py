"""What takes two people about single sign-on: whom a firm's provider lets in, and as what.

Whoever controls the provider, or the table of roles, can be anybody at the firm. A provider that is switched off lets
nobody in, so it is set up, changed and tried by one person; switching it on, or changing who comes in by one that is
on, waits for a second. The client's secret is in no proposal: it only opens the provider's door to Finer.
"""

from __future__ import annotations

from typing import Any

import msgspec

from finer.identity.errors import NotAcceptable
from finer.identity.rules.canonical import canonical, payload_hash
from finer.identity.rules.provider import SsoProvider, SsoSetup
from finer.identity.service import proposals, sso
from finer.identity.service.proposals import Kinds, Payload
from finer.identity.types.proposals import Change, Proposal
from finer.kit.settings import Settings
from finer.kit.tx import Tx

CHANGE = "sso:change"
"""The kind of proposals."""
_HARMLESS = frozenset({"name"})


def set_up(
    tx: Tx, settings: Settings, kinds: Kinds, wanted: SsoSetup, client_secret: str | None, reason: str
) -> Proposal | None:
    """Set the firm's provider up, or change it; what gives power is proposed where that takes two.

    Raises NotAcceptable, also for another issuer or client while people come in by the present one.
    """
    before = sso.find_provider(tx, enabled_only=False)
    if not wanted.enabled or not proposals.needs_approval(settings, CHANGE):
        sso.set_provider(tx, wanted, client_secret)
        return None
    if before is None or not before.enabled:
        sso.set_provider(tx, msgspec.structs.replace(wanted, enabled=False), client_secret)
        return proposals.propose(tx, kinds, CHANGE, _payload(wanted), reason)
    if (before.issuer, before.client_id) != (wanted.issuer, wanted.client_id):
        raise NotAcceptable(
            "People come in by this provider. Switch single sign-on off first, then set the other provider up and try "
            "it, and have it switched on."
        )
    now = _setup(before)
    changed = {name for name in SsoSetup.__struct_fields__ if getattr(now, name) != getattr(wanted, name)}
    if changed <= _HARMLESS:
        sso.set_provider(tx, wanted, client_secret)
        return None
    if client_secret is not None:
        sso.set_provider(tx, now, client_secret)
    return proposals.propose(tx, kinds, CHANGE, _payload(wanted), reason)


def waiting(tx: Tx) -> str | None:
    """The newest proposal about the provider that can still be approved."""
    found = proposals.waiting(tx, (CHANGE,))
    return proposals.shown_id(found[0]) if found else None


def change_version(tx: Tx, payload: Payload) -> str:
    """The setup that a change starts from. Raises NotAcceptable."""
    before, wanted = _both(tx, payload)
    sso.check_setup(wanted)
    if before == wanted:
        raise NotAcceptable("Single sign-on is set up like this already.")
    return payload_hash(canonical(_payload(before))).hex()


def describe_change(tx: Tx, payload: Payload) -> list[Change]:
    """What changes of the setup."""
    before, wanted = _both(tx, payload)
    return [
        Change(_WORDS[name], _shown(getattr(before, name)), _shown(getattr(wanted, name)))
        for name in SsoSetup.__struct_fields__
        if getattr(before, name) != getattr(wanted, name)
    ]


def execute_change(tx: Tx, payload: Payload) -> dict[str, Any]:
    """Change the setup; the client's secret stays."""
    provider = sso.set_provider(tx, _both(tx, payload)[1], None)
    return {"issuer": provider.issuer, "enabled": provider.enabled}


_WORDS = {
    "name": "Name",
    "issuer": "Issuer",
    "client_id": "Client",
    "algorithms": "Signatures",
    "scopes": "Scopes",
    "role_claim": "Claim that gives the role",
    "role_map": "Who comes in as what",
    "acr_values": "Sign-in classes (acr) that are accepted",
    "amr_values": "Ways to sign in (amr) that are accepted",
    "max_age_minutes": "Minutes that a sign-in at the provider is good for",
    "enabled": "Single sign-on",
}


def _both(tx: Tx, payload: Payload) -> tuple[SsoSetup, SsoSetup]:
    before = sso.find_provider(tx, enabled_only=False)
    if before is None:
        raise NotAcceptable("There is no provider to change. Set one up first.")
    try:
        return _setup(before), msgspec.convert(dict(payload), SsoSetup)
    except msgspec.ValidationError as error:
        raise NotAcceptable(f"This is no setup of single sign-on: {error}.") from error


def _setup(provider: SsoProvider) -> SsoSetup:
    return SsoSetup(**{name: getattr(provider, name) for name in SsoSetup.__struct_fields__})


def _payload(setup: SsoSetup) -> dict[str, Any]:
    return {name: msgspec.to_builtins(getattr(setup, name)) for name in SsoSetup.__struct_fields__}


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(
            f"{one.value} as {one.role.replace('_', ' ')}" if hasattr(one, "role") else one for one in value
        )
    return str(value)
