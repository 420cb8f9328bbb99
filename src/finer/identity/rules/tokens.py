"""Signed tokens (RFC 7515, 7519): how one is taken apart, and the one way to check an access token of our own.

A token never says how it is to be checked. Which keys and which algorithm count is fixed before it is looked at, and
a header that offers a key, a place to find one, or an extension that changes the meaning is refused (RFC 8725).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

ACCESS_ALGORITHM = "ES256"
ACCESS_TYPE = "at+jwt"
ACCESS_LIFETIME_S = 600
ACCESS_BYTES_MAX = 2048
"""Our own access tokens have about 700 bytes."""
SKEW_S = 5
_KEY_OFFERS = frozenset({"jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc", "p2c", "p2s"})


class TokenRefused(ValueError):
    """A token that is not good; the text says why, for the audit trail and for nobody else."""


class AccessClaims(msgspec.Struct, frozen=True):
    """What a good access token says: the client by its prefix, its firm, and what it may ask for."""

    client: str
    tenant: str
    scopes: frozenset[str]


def read_parts(token: str, bytes_max: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """(header, claims) of a compact token, not checked yet. Raises TokenRefused for whatever is not plain and small.

    A name that stands twice is refused: two readers of it could see two different tokens.
    """
    if len(token) > bytes_max or not token.isascii():
        raise TokenRefused("it is too long, or has characters that a token cannot have")
    parts = token.split(".")
    if len(parts) != 3 or not all(parts):
        raise TokenRefused("it has not the three parts of a signed token")
    header, claims = _document(parts[0]), _document(parts[1])
    if offered := _KEY_OFFERS & header.keys():
        raise TokenRefused(f"its header carries {', '.join(sorted(offered))}")
    return header, claims


def whole_seconds(claims: Mapping[str, Any], name: str) -> int:
    """A time of the claims, in whole seconds since 1970. Raises TokenRefused when it is not there or is no number."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        raise TokenRefused(f"its {name} is missing or is no time")
    return int(value)


def check_access_token(token: str, keys: Mapping[str, ECKey], issuer: str, now: datetime) -> AccessClaims:
    """The claims of an access token that this installation signed (RFC 9068 section 4). Raises TokenRefused."""
    header, claims = read_parts(token, ACCESS_BYTES_MAX)
    if header.keys() != {"alg", "kid", "typ"} or (header["alg"], header["typ"]) != (ACCESS_ALGORITHM, ACCESS_TYPE):
        raise TokenRefused("its header is not that of an access token")
    key = keys.get(header["kid"]) if isinstance(header["kid"], str) else None
    if key is None:
        raise TokenRefused("it names a key that is not ours")
    verify_signature(token, key, [ACCESS_ALGORITHM])
    _check_times(claims, int(now.timestamp()))
    if claims.get("iss") != issuer or claims.get("aud") != audience(issuer):
        raise TokenRefused("it is not from us, or not for us")
    texts = [claims.get(name) for name in ("client_id", "tenant", "scope", "jti")]
    if not all(isinstance(text, str) and text for text in texts) or claims.get("sub") != claims["client_id"]:
        raise TokenRefused("it does not say whose it is")
    return AccessClaims(claims["client_id"], claims["tenant"], frozenset(claims["scope"].split(" ")))


def _check_times(claims: Mapping[str, Any], moment: int) -> None:
    issued, expires = whole_seconds(claims, "iat"), whole_seconds(claims, "exp")
    if not issued - SKEW_S <= moment < expires or expires - issued > ACCESS_LIFETIME_S:
        raise TokenRefused("it is expired, not valid yet, or valid for too long")
    if "nbf" in claims and whole_seconds(claims, "nbf") > moment + SKEW_S:
        raise TokenRefused("it is not valid yet")


def sign_access_token(kid: str, key: ECKey, claims: Mapping[str, Any]) -> str:
    """A signed access token."""
    header = {"alg": ACCESS_ALGORITHM, "typ": ACCESS_TYPE, "kid": kid}
    return jwt.encode(header, dict(claims), key, algorithms=[ACCESS_ALGORITHM])


def audience(issuer: str) -> str:
    """For whom our access tokens are: the API of this installation."""
    return f"{issuer}/api/v1"


def verify_signature(token: str, key: Any, algorithms: list[str]) -> None:
    """Whether one of these algorithms and this key made the signature. Raises TokenRefused."""
    try:
        jws.deserialize_compact(token, key, algorithms=algorithms)
    except (JoseError, ValueError, TypeError) as error:
        raise TokenRefused("its signature does not fit") from error


def _document(part: str) -> dict[str, Any]:
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        # One text has one encoding: what decodes to the same bytes and is written otherwise is no token.
        if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
            raise TokenRefused("a part of it is not written in the one way there is")
        found = json.loads(raw, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise TokenRefused("a part of it cannot be read") from error
    if not isinstance(found, dict):
        raise TokenRefused("a part of it is no object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise TokenRefused("a name stands in it twice")
    return found


def _no_constant(name: str) -> Any:
    raise TokenRefused(f"it holds {name}, which is no JSON")
