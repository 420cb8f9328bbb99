"""Access tokens of OAuth clients (RFC 6749 section 4.4, RFC 9068): who gets one, how it is signed, when it is good."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from joserfc.jwk import ECKey

from finer.identity.errors import TokenRequestRefused, TooManyAttempts
from finer.identity.rules import tokens
from finer.identity.rules.addresses import within
from finer.identity.rules.checks import read_client
from finer.identity.rules.grants import key_permissions
from finer.identity.rules.throttle import ADDRESS, machine_key
from finer.identity.service.api_keys import find_machine, principal_of, secret_fits, unseen
from finer.identity.service.audit import record_audit
from finer.identity.store.lookups import LookupStore
from finer.identity.store.machines import SigningKeyStore
from finer.identity.types.access import Found, MachineKind, Principal
from finer.kit.ids import new_id, read_id, show_id
from finer.kit.tx import Tx

LIFETIME_S = tokens.ACCESS_LIFETIME_S
_SIGN_FOR = timedelta(days=30)
# Longer than any token lives that such a key signed, and than other processes remember it.
_PUBLISH_FOR = timedelta(hours=1)
_UNKNOWN = "The client is not known, or its secret is not right."


@dataclass(frozen=True)
class Signer:
    """The private key that signs at present."""

    kid: str
    key: ECKey


@dataclass(frozen=True)
class Grant:
    """A client that showed who it is, and what its token may ask for."""

    principal: Principal
    scopes: list[str]


def check_client(
    tx: Tx, *, client_id: str, secret: str, scope: str | None, address: str
) -> Grant | TokenRequestRefused:
    """Whether a client gets a token; the refusal is returned, so that the caller commits what was counted and noted.

    The transaction is that of no tenant. Raises TooManyAttempts when too many came from this address.
    """
    store = LookupStore(tx.connection)
    origin = machine_key(address)
    if wait := store.count_attempt(origin, ADDRESS, tx.now()):
        raise TooManyAttempts(f"Too many token requests failed. Try again in {wait} s.", retry_after_s=wait)
    parts = read_client(client_id, secret)
    row = None if parts is None else find_machine(tx, MachineKind.OAUTH_CLIENT, parts[0])
    if parts is None or row is None:
        return TokenRequestRefused("invalid_client", _UNKNOWN)
    principal = principal_of(row, "client", parts[0], row.scopes)
    granted = sorted(principal.permissions)
    wanted = granted if not scope else scope.split(" ")
    if not secret_fits(tx, row, parts[1]):
        refusal = TokenRequestRefused("invalid_client", _UNKNOWN)
    elif not within(row.networks, address):
        refusal = TokenRequestRefused("invalid_client", "The client may not be used from this address.")
    elif beyond := sorted(set(wanted) - set(granted)):
        refusal = TokenRequestRefused("invalid_scope", f"The client does not have {' '.join(beyond)[:200]}.")
    else:
        store.give_back_attempt(origin)
        return Grant(principal, [str(one) for one in wanted])
    store.enter(row.tenant_id)
    act = replace(tx, tenant=row.tenant_id, actor=principal.actor())
    record_audit(act, "oauth_tokens:issue", show_id("ocl", row.id), {"reason": refusal.error}, outcome="refused")
    return refusal


def issue(tx: Tx, grant: Grant, signer: Signer, issuer: str) -> str:
    """A signed token for ten minutes; the transaction is that of the client's firm."""
    now = int(tx.now().timestamp())
    client = grant.principal.credential
    claims = {
        "iss": issuer,
        "aud": tokens.audience(issuer),
        "sub": client,
        "client_id": client,
        "tenant": show_id("ten", grant.principal.tenant_id),
        "scope": " ".join(grant.scopes),
        "iat": now,
        "exp": now + LIFETIME_S,
        "jti": secrets.token_urlsafe(12),
    }
    record_audit(tx, "oauth_tokens:issue", show_id("ocl", grant.principal.id), {"scopes": grant.scopes})
    return tokens.sign_access_token(signer.kid, signer.key, claims)


def is_token(credential: str) -> bool:
    """Whether a credential has the shape of a signed token; keys and session tokens have no dots."""
    return "." in credential


def named_key(token: str) -> str | None:
    """The id of the key that a token names, when the token could be one of ours at all."""
    try:
        kid = tokens.read_parts(token, tokens.ACCESS_BYTES_MAX)[0].get("kid")
    except tokens.TokenRefused:
        return None
    return kid if isinstance(kid, str) else None


def read_token(token: str, keys: Mapping[str, ECKey], issuer: str, now: datetime) -> tokens.AccessClaims | None:
    """What a good token says, or None: the one place where access tokens are checked."""
    try:
        return tokens.check_access_token(token, keys, issuer, now)
    except tokens.TokenRefused:
        return None


def find_principal_by_token(tx: Tx, claims: tokens.AccessClaims) -> Found | None:
    """The client of a good token, and whether its use should be noted; None when the client is not good any more.

    It has what the token says and the client still has. The transaction is that of no tenant.
    """
    row = find_machine(tx, MachineKind.OAUTH_CLIENT, claims.client)
    if row is None or row.tenant_id != read_id("ten", claims.tenant):
        return None
    scopes = key_permissions(row.scopes) & key_permissions(claims.scopes)
    return Found(principal_of(row, "client", claims.client, scopes), unseen(tx, row))


def signer(tx: Tx) -> Signer:
    """The key that signs now; made when there is none, or when the newest has signed for a month."""
    store = SigningKeyStore(tx)
    store.alone()
    found = store.published(tx.now())
    if not found or found[0][2] <= tx.now() - _SIGN_FOR:
        return rotate_signing_key(tx)
    return Signer(found[0][0].hex, ECKey.import_key(store.private(found[0][0])))


def rotate_signing_key(tx: Tx, *, forget: bool = False) -> Signer:
    """Sign with a new key from now on. `forget` also ends every token that the keys before it signed, at once."""
    store = SigningKeyStore(tx)
    store.alone()
    identifier, key = new_id(), ECKey.generate_key("P-256")
    store.add(identifier, key.as_dict(private=False), key.as_pem(private=True).decode(), tx.now())
    gone = store.remove(None if forget else tx.now() - _PUBLISH_FOR)
    record_audit(tx, "signing_keys:rotate", identifier.hex, {"forgotten": gone})
    return Signer(identifier.hex, key)


def published_keys(tx: Tx) -> dict[str, dict[str, Any]]:
    """The public keys by id: those that sign, or signed until lately."""
    return {key.hex: public for key, public, _ in SigningKeyStore(tx).published(tx.now() - _PUBLISH_FOR)}
