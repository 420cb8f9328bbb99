"""OpenID Connect, the pure part of a relying party: what to ask, and whether the answer holds.

OpenID Connect Core 1.0 section 3.1, Discovery 1.0, OAuth 2.0 PKCE (RFC 7636) and issuer identification (RFC 9207).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from finer.identity.errors import NotAcceptable
from finer.identity.rules.provider import RoleMapping, SsoProvider, Vouched
from finer.identity.rules.tokens import TokenRefused, read_parts, verify_signature, whole_seconds
from finer.identity.types.access import Role
from finer.kit.moments import EPOCH

ALGORITHMS = ("RS256", "PS256", "ES256")
ROLE_MAP_MAX = 100
SKEW_S = 60
"""How far the provider's clock may be from ours."""
_ISSUED_BEFORE_S = 600
_FRESH_S = 300
_TOKEN_BYTES_MAX = 16_384
_TEXT_MAX = 255
_RSA_BITS_MIN = 2048
_KEYS_MAX = 50


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of itself, as far as it is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    authorization_response_iss_parameter_supported: bool = False
    token_endpoint_auth_methods_supported: Sequence[str] = ("client_secret_basic",)
    code_challenge_methods_supported: Sequence[str] | None = None
    response_types_supported: Sequence[str] = ("code",)
    id_token_signing_alg_values_supported: Sequence[str] = ("RS256",)

    @property
    def endpoints(self) -> list[str]:
        """Every address of the provider that Finer or a browser goes to."""
        found = [self.authorization_endpoint, self.token_endpoint, self.jwks_uri, self.userinfo_endpoint]
        return [url for url in found if url is not None]


class Refused(ValueError):
    """A sign-in by a provider that is not accepted; the text says why, for the audit trail."""


def check_issuer(issuer: str) -> str:
    """An issuer identifier: a URL without query and fragment, compared letter by letter ever after."""
    parts = urlsplit(issuer)
    if not issuer.isascii() or not parts.netloc or parts.query or parts.fragment or len(issuer) > _TEXT_MAX:
        raise NotAcceptable(f"{issuer[:80]!r} is no issuer. It is an https address without ? and #.")
    return issuer


def check_role_map(rows: Sequence[RoleMapping]) -> list[RoleMapping]:
    """The ordered table of claim value and role. A machine's role can be nobody's. Raises NotAcceptable."""
    if len(rows) > ROLE_MAP_MAX:
        raise NotAcceptable(f"At most {ROLE_MAP_MAX} rows; these are {len(rows)}.")
    for row in rows:
        if not row.value or len(row.value) > _TEXT_MAX or not row.value.isprintable():
            raise NotAcceptable(f"A claim value has 1 to {_TEXT_MAX} characters that can be shown.")
        if row.role is Role.SERVICE:
            raise NotAcceptable("The role service is for machines. Make an API client instead.")
    if len({row.value for row in rows}) != len(rows):
        raise NotAcceptable("A claim value stands in the table twice. The first row would always win.")
    return list(rows)


def read_metadata(body: bytes, issuer: str) -> Metadata:
    """The discovery document of an issuer (Discovery 1.0 section 4.3). Raises Refused."""
    try:
        found = msgspec.json.decode(body, type=Metadata)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(f"its discovery document cannot be used: {str(error)[:200]}") from error
    if found.issuer != issuer:
        raise Refused(f"its discovery document is that of {found.issuer[:120]!r}, which is another issuer")
    if "code" not in found.response_types_supported:
        raise Refused("it does not offer the authorization code flow")
    methods = found.code_challenge_methods_supported
    if methods is not None and "S256" not in methods:
        raise Refused("it does not offer PKCE with S256, so a stolen code could be used")
    return found


def authorization_url(
    metadata: Metadata, provider: SsoProvider, redirect_uri: str, *, state: str, nonce: str, verifier: str, fresh: bool
) -> str:
    """Where the browser goes to sign in at the provider; `fresh` has the person sign in anew, whatever it knows."""
    parameters = [
        ("response_type", "code"),
        ("client_id", provider.client_id),
        ("redirect_uri", redirect_uri),
        ("scope", " ".join(provider.scopes)),
        ("state", state),
        ("nonce", nonce),
        ("code_challenge", create_s256_code_challenge(verifier)),
        ("code_challenge_method", "S256"),
    ]
    if provider.acr_values:
        parameters.append(("acr_values", " ".join(provider.acr_values)))
    if fresh:
        parameters += [("prompt", "login"), ("max_age", "0")]
    elif provider.max_age_minutes is not None:
        parameters.append(("max_age", str(provider.max_age_minutes * 60)))
    return str(add_params_to_uri(metadata.authorization_endpoint, parameters))


def check_response_issuer(metadata: Metadata, given: str | None) -> None:
    """Whether the answer came from the provider that was asked (RFC 9207). Raises Refused."""
    if given is None:
        if metadata.authorization_response_iss_parameter_supported:
            raise Refused("its answer does not say which issuer it is from, though the provider always says so")
    elif given != metadata.issuer:
        raise Refused("its answer is from another issuer")


def read_keys(body: bytes) -> list[dict[str, Any]]:
    """The keys of a JWK set that can check signatures. Raises Refused."""
    try:
        found = msgspec.json.decode(body, type=dict[str, Any]).get("keys")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused("its keys cannot be read") from error
    if not isinstance(found, list) or len(found) > _KEYS_MAX:
        raise Refused("its keys are no list, or too many")
    return [key for key in found if isinstance(key, dict) and key.get("kty") in ("RSA", "EC")]


def named_key(id_token: str) -> str | None:
    """The id of the key that an ID token names; None when it names none. Raises TokenRefused."""
    kid = read_parts(id_token, _TOKEN_BYTES_MAX)[0].get("kid")
    if kid is not None and not isinstance(kid, str):
        raise TokenRefused("its key id is no text")
    return kid


def choose_key(keys: Iterable[Mapping[str, Any]], kid: str | None, algorithm: str) -> RSAKey | ECKey | None:
    """The one key of a provider that fits; None when there is none, or more than one. Raises Refused for a weak one."""
    kind = "EC" if algorithm.startswith("ES") else "RSA"
    wanted = {"kty": kind, "use": "sig", "alg": algorithm} | ({} if kid is None else {"kid": kid})
    usual = {"use": "sig", "alg": algorithm}  # what a key means that does not say so
    fits = [key for key in keys if wanted.items() <= (usual | dict(key)).items()]
    if len(fits) != 1:
        return None
    public = {name: value for name, value in fits[0].items() if name in {"kty", "crv", "x", "y", "n", "e"}}
    if kind == "EC" and public.get("crv") != "P-256":
        return None
    if kind == "RSA" and len(str(public.get("n", ""))) * 6 < _RSA_BITS_MIN:
        raise Refused(f"its key has fewer than {_RSA_BITS_MIN} bits")
    try:
        if kind == "EC":
            return ECKey.import_key(public)
        return RSAKey.import_key(public)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Refused("its key cannot be used") from error


def check_id_token(
    id_token: str,
    key: RSAKey | ECKey,
    provider: SsoProvider,
    *,
    nonce: str,
    access_token: str,
    now: datetime,
    fresh: bool = False,
) -> dict[str, Any]:
    """The claims of an ID token that holds in every respect (Core section 3.1.3.7). Raises TokenRefused."""
    header, claims = read_parts(id_token, _TOKEN_BYTES_MAX)
    if header.get("alg") not in provider.algorithms:
        raise TokenRefused("it is signed in a way that the provider is not set to")
    if str(header.get("typ", "JWT")).upper() != "JWT":
        raise TokenRefused("it is no ID token but a token of another kind")
    verify_signature(id_token, key, list(provider.algorithms))
    moment = int(now.timestamp())
    options = {"iss": {"essential": True, "value": provider.issuer}, "aud": {"essential": True}}
    params = {"nonce": nonce, "client_id": provider.client_id, "access_token": access_token}
    try:
        CodeIDToken(claims, header, options, params).validate(moment, SKEW_S)
    except JoseError as error:
        raise TokenRefused(f"its claims do not hold: {str(error)[:120]}") from error
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if provider.client_id not in audience or any(not isinstance(one, str) for one in audience):
        raise TokenRefused("it is for somebody else")
    if not moment - _ISSUED_BEFORE_S <= whole_seconds(claims, "iat") <= moment + SKEW_S:
        raise TokenRefused("it was not issued just now")
    if whole_seconds(claims, "exp") <= moment - SKEW_S:
        raise TokenRefused("it is expired")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _TEXT_MAX or not subject.isascii():
        raise TokenRefused("it does not say who it is about")
    if not isinstance(claims.get("nonce"), str) or not hmac.compare_digest(claims["nonce"], nonce):
        raise TokenRefused("it answers another sign-in")
    check_strength(provider, claims)
    check_age(provider, claims, now, fresh=fresh)
    return claims


def check_age(provider: SsoProvider, claims: Mapping[str, Any], now: datetime, *, fresh: bool) -> None:
    """Whether the person signed in at the provider as lately as was asked (Core 3.1.2.1). Raises TokenRefused."""
    limits = [_FRESH_S] * fresh + ([] if provider.max_age_minutes is None else [provider.max_age_minutes * 60])
    if not limits and "auth_time" not in claims:
        return
    age = int(now.timestamp()) - whole_seconds(claims, "auth_time")
    if age < -SKEW_S:
        raise TokenRefused("it says that the person will sign in later (auth_time)")
    if any(age > limit + SKEW_S for limit in limits):
        raise TokenRefused("the person signed in at the provider too long ago (auth_time)")


def vouched(provider: SsoProvider, claims: Mapping[str, Any], now: datetime) -> Vouched:
    """When the person of checked claims signed in, and until when that is good.

    A provider that does not say when leaves it open: such a sign-in is a fresh proof of nothing.
    """
    at = min(now, EPOCH + timedelta(seconds=claims.get("auth_time", 0)))
    age = provider.max_age_minutes
    return Vouched(at, None if age is None else at + timedelta(minutes=age))


def check_strength(provider: SsoProvider, claims: Mapping[str, Any]) -> None:
    """Whether the sign-in was as strong as the firm asks: the provider's own word (acr, amr). Raises TokenRefused."""
    said = claims.get("amr")
    ways = {one for one in said if isinstance(one, str)} if isinstance(said, list) else set()
    if provider.acr_values and claims.get("acr") not in provider.acr_values:
        raise TokenRefused(f"its class of sign-in (acr {str(claims.get('acr'))[:60]!r}) is none that the firm accepts")
    if provider.amr_values and not ways.intersection(provider.amr_values):
        raise TokenRefused("it does not say that the person signed in by one of the ways (amr) that the firm accepts")


def role_of(provider: SsoProvider, claims: Mapping[str, Any]) -> Role | None:
    """The role of the first row of the table whose value the claim holds; None is no role, and no way in."""
    value: Any = claims
    for name in provider.role_claim.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    held = {one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)}
    return next((row.role for row in provider.role_map if row.value in held), None)


def shown_name(claims: Mapping[str, Any]) -> str:
    """A person's name from the claims, for people to read; never who the person is."""
    parts = [claims.get("name"), claims.get("preferred_username"), claims.get("email"), "Somebody"]
    for text in parts:
        if isinstance(text, str):
            clean = " ".join("".join(letter for letter in text if letter.isprintable()).split())[:120].strip()
            if clean:
                return clean
    return "Somebody"


def vouched_address(claims: Mapping[str, Any], domains: Iterable[str]) -> str | None:
    """The e-mail address that the provider vouches for, when its domain is one that the firm was confirmed to own."""
    email = claims.get("email")
    if not isinstance(email, str) or claims.get("email_verified") is False:
        return None
    folded = email.strip().lower()
    return folded if folded.rpartition("@")[2] in set(domains) else None
