"""A relying party's talk with OpenID providers: discovery, keys, the exchange of a code, claims. No database.

What providers say is remembered for ten minutes; a key that is not known is asked for once more, at most every half
minute for each provider, so that made-up key ids cost the provider nothing.
"""

from __future__ import annotations

import base64
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec

from finer.identity.rules import oidc
from finer.identity.rules.oidc import Metadata, Refused
from finer.identity.rules.provider import SsoProvider
from finer.identity.rules.tokens import TokenRefused
from finer.kit.outbound import Outbound, OutboundRefused

__all__ = ["Metadata", "Refused", "RelyingParty"]

_T = TypeVar("_T")
_REMEMBER_S = 600.0
_ASK_AGAIN_S = 30.0
_REMEMBERED_MAX = 1000


class _Tokens(msgspec.Struct, frozen=True):
    """What the token endpoint answers."""

    id_token: str
    access_token: str
    token_type: str


class RelyingParty:
    """Finer, as providers see it. One per process; safe from many threads."""

    def __init__(self, outbound: Outbound, redirect_uri: str) -> None:
        self.redirect_uri = redirect_uri
        self._outbound = outbound
        self._metadata: _Memory[Metadata] = _Memory()
        self._keys: _Memory[list[dict[str, Any]]] = _Memory()

    def discover(self, issuer: str, *, anew: bool = False) -> Metadata:
        """What the provider says of itself. Raises Refused."""
        return self._metadata.get(issuer, lambda: self._read_metadata(issuer), 0.0 if anew else _REMEMBER_S)

    def count_keys(self, metadata: Metadata) -> int:
        """How many keys the provider signs with at present. Raises Refused."""
        return len(self._read_keys(metadata))

    def location(self, provider: SsoProvider, *, state: str, nonce: str, verifier: str, fresh: bool) -> str:
        """Where the browser goes; `fresh` has the person sign in anew. Raises Refused."""
        metadata = self.discover(provider.issuer)
        return oidc.authorization_url(
            metadata, provider, self.redirect_uri, state=state, nonce=nonce, verifier=verifier, fresh=fresh
        )

    def claims(
        self, provider: SsoProvider, secret: str, answer: Mapping[str, str], *, nonce: str, verifier: str,
        now: datetime, fresh: bool,
    ) -> dict[str, Any]:  # fmt: skip
        """The checked claims of the person whom the provider's answer (`code`, `iss`) is about. Raises Refused."""
        metadata = self.discover(provider.issuer)
        oidc.check_response_issuer(metadata, answer.get("iss"))
        if "error" in answer or not answer.get("code"):
            raise Refused(f"the provider says {answer.get('error', 'nothing')[:100]!r}")
        tokens = self._exchange(provider, metadata, secret, answer["code"], verifier)
        try:
            key = self._key(metadata, tokens.id_token, provider)
            found = oidc.check_id_token(
                tokens.id_token, key, provider, nonce=nonce, access_token=tokens.access_token, now=now, fresh=fresh
            )
        except TokenRefused as error:
            raise Refused(f"its ID token is refused: {error}") from error
        return self._with_more(provider, metadata, tokens.access_token, found)

    def _exchange(self, provider: SsoProvider, metadata: Metadata, secret: str, code: str, verifier: str) -> _Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }
        headers = {}
        if "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            pair = f"{quote(provider.client_id, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": provider.client_id, "client_secret": secret}
        answer = _asked(lambda: self._outbound.post_form(metadata.token_endpoint, form, headers=headers))
        if answer.status != 200:
            raise Refused(f"its token endpoint answered {answer.status}")
        try:
            tokens = msgspec.json.decode(answer.body, type=_Tokens)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refused("its token endpoint answered something else than tokens") from error
        if tokens.token_type.lower() != "bearer":
            raise Refused("its access token is of a kind that is not known here")
        return tokens

    def _key(self, metadata: Metadata, id_token: str, provider: SsoProvider) -> Any:
        kid = oidc.named_key(id_token)

        def chosen(remember_s: float) -> Any:
            keys = self._keys.get(metadata.jwks_uri, lambda: self._read_keys(metadata), remember_s)
            found = (oidc.choose_key(keys, kid, algorithm) for algorithm in provider.algorithms)
            return next((key for key in found if key is not None), None)

        key = chosen(_REMEMBER_S) or chosen(_ASK_AGAIN_S)
        if key is None:
            raise TokenRefused("no key of the provider fits it")
        return key

    def _with_more(
        self, provider: SsoProvider, metadata: Metadata, access_token: str, claims: dict[str, Any]
    ) -> dict[str, Any]:
        """The claims with those of the UserInfo endpoint, where the ID token lacks the one that roles come from."""
        if provider.role_claim.partition(".")[0] in claims or metadata.userinfo_endpoint is None:
            return claims
        url, headers = metadata.userinfo_endpoint, {"Authorization": f"Bearer {access_token}"}
        answer = _asked(lambda: self._outbound.get(url, headers=headers))
        try:
            more = msgspec.json.decode(answer.body, type=dict[str, Any]) if answer.status == 200 else {}
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refused("its UserInfo endpoint answered something else than claims") from error
        # Core section 5.3.2: without the same subject, the answer may be about somebody else.
        if more and more.get("sub") != claims["sub"]:
            raise Refused("its UserInfo endpoint speaks of somebody else")
        # When somebody signed in, only the signed token says.
        more.pop("auth_time", None)
        return more | claims

    def _read_metadata(self, issuer: str) -> Metadata:
        answer = _asked(lambda: self._outbound.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration"))
        if answer.status != 200:
            raise Refused(f"its discovery document is not there: the answer is {answer.status}")
        found = oidc.read_metadata(answer.body, issuer)
        for url in found.endpoints:
            _asked(partial(self._outbound.check, url))
        return found

    def _read_keys(self, metadata: Metadata) -> list[dict[str, Any]]:
        answer = _asked(lambda: self._outbound.get(metadata.jwks_uri))
        if answer.status != 200:
            raise Refused(f"its keys are not there: the answer is {answer.status}")
        return oidc.read_keys(answer.body)


class _Memory(Generic[_T]):
    """Answers by name, the oldest leaving first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, _T]] = OrderedDict()

    def get(self, name: str, ask: Callable[[], _T], remember_s: float) -> _T:
        """The answer of the last `remember_s` seconds, or a new one. What fails is not remembered."""
        with self._lock:
            found = self._known.get(name)
        if found is not None and time.monotonic() - found[0] < remember_s:
            return found[1]
        answer = ask()
        with self._lock:
            self._known[name] = (time.monotonic(), answer)
            self._known.move_to_end(name)
            while len(self._known) > _REMEMBERED_MAX:
                self._known.popitem(last=False)
        return answer


def _asked(ask: Callable[[], _T]) -> _T:
    try:
        return ask()
    except OutboundRefused as error:
        raise Refused(error.detail) from error
