"""Passkeys (WebAuthn Level 3): registered by a signed-in person, then enough on their own to sign in.

A passkey is asked to verify its user (PIN, finger, face), so it stands for two factors. Each challenge works once, for
five minutes, for what and for whom it was made.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

import structlog
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, options_to_json_dict, parse_client_data_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from finer.identity.errors import AlreadyExists, FactorNotFound, NotAcceptable, PasskeysUnavailable, ProofRefused
from finer.identity.rules.checks import check_name
from finer.identity.rules.relying_party import RelyingParty, relying_party
from finer.identity.service.audit import record_audit
from finer.identity.service.factors import after_adding, after_removing
from finer.identity.service.people import get_user
from finer.identity.service.sessions import secret_hash
from finer.identity.service.tenants import get_tenant
from finer.identity.store.challenges import ChallengeStore
from finer.identity.store.factors import FactorStore
from finer.identity.store.lookups import LookupStore
from finer.identity.types.access import Passkey
from finer.kit.ids import new_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx

CHALLENGE_LIFETIME = timedelta(minutes=5)
PASSKEYS_MAX = 20
_CHALLENGE_BYTES = 32
_T = TypeVar("_T")
_log = structlog.get_logger(__name__)


class Purpose(StrEnum):
    """What a challenge was made for."""

    REGISTER = "register"
    SIGN_IN = "sign_in"
    STEP_UP = "step_up"


def registration_options(tx: Tx, settings: Settings, user: uuid.UUID) -> dict[str, Any]:
    """PublicKeyCredentialCreationOptions (JSON) for a new passkey. Raises PasskeysUnavailable, NotAcceptable."""
    site, person = _site(settings), get_user(tx, user)
    known = FactorStore(tx).credentials(user)
    if len(known) >= PASSKEYS_MAX:
        raise NotAcceptable(f"Nobody can have more than {PASSKEYS_MAX} passkeys. Remove one that is not used any more.")
    options = generate_registration_options(
        rp_id=site.id,
        rp_name=f"Finer {get_tenant(tx).name}",
        user_id=user.bytes,
        user_name=person.email,
        user_display_name=person.name,
        challenge=_challenge(tx, Purpose.REGISTER, user),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[_descriptor(*one) for one in known],
    )
    return options_to_json_dict(options)


def take_challenge(tx: Tx, credential: dict[str, Any], purpose: Purpose, user: uuid.UUID | None) -> bytes | None:
    """The challenge that this answer of a browser signs, used up now; None when it is not ours to take.

    Not ours is one that was taken before, is too old, or was made for something or somebody else. The caller commits
    before it looks at the answer any further, so that no challenge is tried twice.
    """
    client = _guarded(lambda: parse_client_data_json(base64url_to_bytes(credential["response"]["clientDataJSON"])))
    if client is None:
        return None
    taken = ChallengeStore(tx.connection).take(secret_hash(client.challenge.hex()), purpose, user, tx.now())
    # A page that frames ours asks on somebody else's behalf (WebAuthn, section 7.2).
    return client.challenge if taken and not client.cross_origin else None


def register_passkey(
    tx: Tx, settings: Settings, user: uuid.UUID, name: str, credential: dict[str, Any], challenge: bytes | None
) -> tuple[Passkey, list[str]]:
    """Keep a new passkey; returns it, and recovery codes if there were none.

    Raises ProofRefused when the browser's answer does not fit, AlreadyExists when the passkey is known.
    """
    site, wanted = _site(settings), check_name(name)
    if challenge is None:
        raise ProofRefused("This answer of the browser is too old or was used before. Begin again.")
    found = _guarded(
        lambda: verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    )
    if found is None:
        raise ProofRefused(f"The browser's answer does not fit a passkey for {site.origin}. Begin again there.")
    passkey = Passkey(id=new_id(), name=wanted, created_at=tx.now(), last_used_at=None)
    added = FactorStore(tx).add_passkey(
        user, passkey, found.credential_id, found.credential_public_key, found.sign_count, _transports(credential)
    )
    if not added:
        raise AlreadyExists("This passkey is registered already.")
    record_audit(tx, "passkeys:add", show_id("pky", passkey.id))
    return passkey, after_adding(tx, settings, user)


def sign_in_options(tx: Tx, settings: Settings) -> dict[str, Any]:
    """PublicKeyCredentialRequestOptions (JSON) for signing in: the same for everybody, so they name no account."""
    return _request_options(tx, settings, Purpose.SIGN_IN, None, [])


def step_up_options(tx: Tx, settings: Settings, user: uuid.UUID) -> dict[str, Any]:
    """PublicKeyCredentialRequestOptions (JSON) for a signed-in person. Raises FactorNotFound without a passkey."""
    known = FactorStore(tx).credentials(user)
    if not known:
        raise FactorNotFound("You have no passkey yet.")
    return _request_options(tx, settings, Purpose.STEP_UP, user, known)


def check_passkey(
    tx: Tx, settings: Settings, credential: dict[str, Any], challenge: bytes | None, user: uuid.UUID | None
) -> tuple[uuid.UUID, uuid.UUID] | None:
    """(tenant, user) whose passkey signed this challenge; None when none did, or not that of `user`.

    A refusal is audited, so the caller commits in either case; the transaction may be that of no tenant.
    """
    site = _site(settings)
    identifier = _guarded(lambda: base64url_to_bytes(credential["rawId"]))
    row = None if identifier is None else LookupStore(tx.connection).passkey(identifier)
    if challenge is None or row is None or (user is not None and row.user_id != user):
        return None
    LookupStore(tx.connection).enter(row.tenant_id)
    mine = replace(tx, tenant=row.tenant_id)
    found = _guarded(
        lambda: verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            credential_public_key=bytes(row.public_key),
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    )
    fits = found is not None and _handle_fits(credential, row.user_id)
    if found is None or not fits or not FactorStore(mine).count_signature(row.id, found.new_sign_count, tx.now()):
        record_audit(mine, "passkeys:use", show_id("pky", row.id), outcome="refused")
        return None
    return row.tenant_id, row.user_id


def rename_passkey(tx: Tx, user: uuid.UUID, passkey: uuid.UUID, name: str) -> None:
    """Give a passkey another name. Raises FactorNotFound, NotAcceptable."""
    if not FactorStore(tx).rename_passkey(user, passkey, check_name(name)):
        raise FactorNotFound(f"You have no passkey {show_id('pky', passkey)}.")


def remove_passkey(tx: Tx, user: uuid.UUID, passkey: uuid.UUID) -> None:
    """Take a passkey away. Raises FactorNotFound."""
    if not FactorStore(tx).remove_passkey(user, passkey):
        raise FactorNotFound(f"You have no passkey {show_id('pky', passkey)}.")
    record_audit(tx, "passkeys:remove", show_id("pky", passkey))
    after_removing(tx, user)


def passkey_origin(settings: Settings) -> str | None:
    """The address from which passkeys work; None when they do not."""
    site = relying_party(settings.web_url)
    return None if site is None else site.origin


def _site(settings: Settings) -> RelyingParty:
    site = relying_party(settings.web_url)
    if site is None:
        raise PasskeysUnavailable(
            f"Finer is opened as {settings.web_url}, and passkeys need a host name with https. The operator sets it "
            "as FINER_PUBLIC_URL."
        )
    return site


def _request_options(
    tx: Tx, settings: Settings, purpose: Purpose, user: uuid.UUID | None, known: list[tuple[bytes, list[str]]]
) -> dict[str, Any]:
    options = generate_authentication_options(
        rp_id=_site(settings).id,
        challenge=_challenge(tx, purpose, user),
        allow_credentials=[_descriptor(*one) for one in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def _challenge(tx: Tx, purpose: Purpose, user: uuid.UUID | None) -> bytes:
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    ChallengeStore(tx.connection).add(secret_hash(challenge.hex()), purpose, user, tx.now() + CHALLENGE_LIFETIME)
    return challenge


def _handle_fits(credential: dict[str, Any], user: uuid.UUID) -> bool:
    """Whether the passkey says that it belongs to this person; one that says nothing is fine (U2F keys)."""
    handle = credential["response"].get("userHandle")
    return handle is None or _guarded(lambda: base64url_to_bytes(handle)) == user.bytes


def _guarded(read: Callable[[], _T]) -> _T | None:
    """What the library makes of a browser's answer; None when it refuses it, or chokes on it."""
    try:
        return read()
    except Exception as error:  # noqa: BLE001 - what a hostile answer makes a parser raise is no closed list
        _log.info("an answer of a passkey was refused", reason=f"{type(error).__name__}: {error}"[:200])
        return None


def _transports(credential: dict[str, Any]) -> list[str]:
    known = {one.value for one in AuthenticatorTransport}
    told = credential["response"].get("transports")
    return sorted(known.intersection(one for one in told if isinstance(one, str))) if isinstance(told, list) else []


def _descriptor(credential: bytes, transports: list[str]) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(
        id=credential, transports=[AuthenticatorTransport(one) for one in transports] or None
    )
