"""HTTP of single sign-on: the way in by a firm's provider, and setting the provider up."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, delete, get, post, put
from litestar.datastructures import Cookie

from finer.identity.errors import SignInRefused
from finer.identity.routes.cookies import session_cookies
from finer.identity.routes.edge import NOT_KEPT, PUBLIC, address_of, agent_of, credential_of
from finer.identity.routes.pool import SIGNING, SignInPool
from finer.identity.service import sso, sso_approvals
from finer.identity.service.proposals import Kinds
from finer.identity.service.sso import RoleMapping, SsoProvider, SsoSetup
from finer.identity.types.access import Permission, Role
from finer.kit.ids import show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx

_SMALL_BODY = 65_536
_COOKIE, _SECURE_COOKIE = "finer_sso", "__Host-finer_sso"
_ANSWER_MAX = 4096
_OUTSIDE = SignInPool(threads=4, waiting=60)
"""Where providers are talked to: a slow one keeps nobody but other sign-ins by providers waiting."""

Line = Annotated[str, msgspec.Meta(max_length=255)]
Slug = Annotated[str, msgspec.Meta(max_length=60)]


class OfferBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose sign-in is looked for: a firm's by its short name, or that of an address's domain."""

    firm: Slug | None = None
    email: Annotated[str, msgspec.Meta(max_length=254)] | None = None


class SsoOffer(msgspec.Struct, frozen=True):
    """A sign-in by a firm's provider; without a firm there is none."""

    firm: str | None = None
    name: str | None = None


class BeginBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which firm's provider, and the page to go to afterwards."""

    firm: Slug
    next: Annotated[str, msgspec.Meta(max_length=1000)] = "/"
    fresh: bool = False
    """Whether the provider has to ask again who it is, as before a sensitive act."""


class SsoBegun(msgspec.Struct, frozen=True):
    """Where the browser has to go."""

    location: str


class ProviderBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A firm's OpenID provider. The secret may be left out while issuer and client stay the same."""

    name: Annotated[str, msgspec.Meta(max_length=120)]
    issuer: Line
    client_id: Line
    client_secret: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    algorithms: Annotated[list[Line], msgspec.Meta(min_length=1, max_length=3)] = msgspec.field(
        default_factory=lambda: ["RS256"]
    )
    scopes: Annotated[list[Line], msgspec.Meta(max_length=20)] = msgspec.field(
        default_factory=lambda: ["openid", "profile", "email"]
    )
    role_claim: Line = "groups"
    role_map: Annotated[list[RoleMapping], msgspec.Meta(max_length=100)] = []
    acr_values: Annotated[list[Line], msgspec.Meta(max_length=20)] = []
    """Classes of sign-in (acr) that are accepted; the provider is asked for them. None asks nothing."""
    amr_values: Annotated[list[Line], msgspec.Meta(max_length=20)] = []
    """Ways to sign in (amr) of which the provider must say one, e.g. `mfa`. None asks nothing."""
    max_age_minutes: Annotated[int, msgspec.Meta(ge=5, le=43_200)] | None = None
    """For how long a sign-in at the provider is good (`max_age`); null is as long as other sessions."""
    enabled: bool = False
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    """Why, for whoever approves it."""

    def __repr__(self) -> str:
        return "ProviderBody(...)"


class SsoProviderView(msgspec.Struct, frozen=True, kw_only=True):
    """A firm's OpenID provider, without the client's secret."""

    id: str
    name: str
    issuer: str
    client_id: str
    algorithms: list[str]
    scopes: list[str]
    role_claim: str
    role_map: list[RoleMapping]
    acr_values: list[str]
    amr_values: list[str]
    max_age_minutes: int | None
    enabled: bool
    changed_at: datetime


class SsoSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Single sign-on of the firm: its provider if there is one, and what the provider has to know."""

    provider: SsoProviderView | None
    redirect_uri: str
    domains: list[str]
    """E-mail domains that an operator confirmed to be the firm's."""
    roles: list[Role]
    """Roles that the table may give."""
    proposal: str | None
    """What waits for approval about the provider."""


class DiscoveryBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The issuer to ask."""

    issuer: Line


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    keys: int
    algorithms: list[str]
    names_issuer: bool
    """Whether its answers name the issuer (RFC 9207), which keeps two providers apart."""


class SsoController(Controller):
    """Signing in by a firm's provider."""

    path = "/api/v1/sso"
    tags = ["Single sign-on"]
    response_headers = NOT_KEPT

    @post(
        "/offers", opt={"permission": PUBLIC}, status_code=200, request_max_body_size=_SMALL_BODY,
        summary="Is there single sign-on",
    )  # fmt: skip
    async def offer(self, data: OfferBody, single_sign_on: Any) -> SsoOffer:
        """Whether a firm, or the firm of an address's domain, has a provider. Says nothing about accounts."""
        found = await _OUTSIDE.run(single_sign_on.offer, data.firm, data.email)
        return SsoOffer() if found is None else SsoOffer(found[0].slug, found[1].name)

    @post(
        "/attempts", opt={"permission": PUBLIC}, status_code=200, request_max_body_size=_SMALL_BODY,
        summary="Begin single sign-on",
    )  # fmt: skip
    async def begin(
        self, request: Request[Any, Any, Any], data: BeginBody, single_sign_on: Any, settings: Settings
    ) -> Response[SsoBegun]:
        """Begin to sign in by the firm's provider; a cookie ties it to this browser for ten minutes."""
        location, browser = await _OUTSIDE.run(
            single_sign_on.begin, data.firm, _own_path(data.next), address_of(request), data.fresh
        )
        return Response(SsoBegun(location), status_code=200, cookies=[_cookie(request, settings, browser)])

    @get("/callback", opt={"permission": PUBLIC}, summary="The provider's answer")
    async def callback(
        self, request: Request[Any, Any, Any], single_sign_on: Any, doorway: Any, settings: Settings
    ) -> Response[None]:
        """Where a provider sends the browser back to; it goes on to the page that was wanted, or to the sign-in."""
        answer = _answer(request)
        browser = request.cookies.get(_cookie_name(request, settings), "")
        gone = _cookie(request, settings, "")
        try:
            admission, following = await _OUTSIDE.run(
                single_sign_on.finish, answer, browser[:200], address_of(request), agent_of(request)
            )
        except SignInRefused:
            return _go("/sign-in?sso=refused", [gone])
        if old := credential_of(request)[0]:
            await SIGNING.run(doorway.leave, old)
        return _go(following, [gone, *session_cookies(request, admission.token, settings)])


class SsoSettingsController(Controller):
    """Setting a firm's provider up."""

    path = "/api/v1/sso"
    tags = ["Single sign-on"]
    response_headers = NOT_KEPT

    @get("/provider", opt={"permission": Permission.SSO_READ}, sync_to_thread=True, summary="Single sign-on settings")
    def read(self, tx: Tx, single_sign_on: Any) -> SsoSettings:
        """The firm's provider, and what the provider has to know of Finer."""
        return _settings(tx, single_sign_on)

    @put(
        "/provider", opt={"permission": Permission.SSO_WRITE, "step_up": True}, sync_to_thread=True,
        request_max_body_size=_SMALL_BODY, summary="Set single sign-on up",
    )  # fmt: skip
    def change(
        self, tx: Tx, data: ProviderBody, single_sign_on: Any, settings: Settings, proposal_kinds: Kinds
    ) -> SsoSettings:
        """Set the firm's provider up, or change it. The table of roles is read from its first row on.

        Switching it on, and changing who comes in by one that is on, waits for a second administrator.
        """
        wanted = SsoSetup(**{name: getattr(data, name) for name in SsoSetup.__struct_fields__})
        sso_approvals.set_up(tx, settings, proposal_kinds, wanted, data.client_secret, data.reason)
        return _settings(tx, single_sign_on)

    @delete(
        "/provider", opt={"permission": Permission.SSO_WRITE, "step_up": True}, sync_to_thread=True,
        summary="End single sign-on",
    )  # fmt: skip
    def remove(self, tx: Tx) -> None:
        """Forget the provider. Sessions that are open stay until they end."""
        sso.remove_provider(tx)

    @post(
        "/discovery", opt={"permission": Permission.SSO_WRITE, "repeat": "It changes nothing."}, status_code=200,
        request_max_body_size=_SMALL_BODY,
        summary="Ask a provider",
    )  # fmt: skip
    async def discover(self, data: DiscoveryBody, single_sign_on: Any) -> Discovery:
        """Read what an issuer says of itself and its keys, without changing anything."""
        found, keys = await _OUTSIDE.run(single_sign_on.examine, data.issuer)
        return Discovery(
            issuer=found.issuer,
            authorization_endpoint=found.authorization_endpoint,
            token_endpoint=found.token_endpoint,
            jwks_uri=found.jwks_uri,
            keys=keys,
            algorithms=list(found.id_token_signing_alg_values_supported),
            names_issuer=found.authorization_response_iss_parameter_supported,
        )


def _answer(request: Request[Any, Any, Any]) -> dict[str, str]:
    """The parameters of the answer, each once; a parameter that stands twice makes it no answer at all."""
    if len(request.scope["query_string"]) > _ANSWER_MAX:
        return {}
    pairs = list(request.query_params.multi_items())
    return dict(pairs) if len(dict(pairs)) == len(pairs) else {}


def _own_path(wanted: str) -> str:
    """A page of Finer's own, and nothing that a browser could read as another site."""
    plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted and " " not in wanted
    return wanted if plain and wanted.startswith("/") and not wanted.startswith(("//", "/api/")) else "/"


def _is_secure(request: Request[Any, Any, Any], settings: Settings) -> bool:
    return request.scope["scheme"] == "https" or settings.web_url.startswith("https://")


def _cookie_name(request: Request[Any, Any, Any], settings: Settings) -> str:
    return _SECURE_COOKIE if _is_secure(request, settings) else _COOKIE


def _cookie(request: Request[Any, Any, Any], settings: Settings, browser: str) -> Cookie:
    # Lax: the provider sends the browser back by a link, and a stricter cookie would stay at home.
    return Cookie(
        key=_cookie_name(request, settings),
        value=browser,
        path="/",
        httponly=True,
        samesite="lax",
        secure=_is_secure(request, settings),
        max_age=int(sso.ATTEMPT_LIFETIME.total_seconds()) if browser else 0,
    )


def _go(where: str, cookies: list[Cookie]) -> Response[None]:
    return Response(None, status_code=303, headers={"Location": where}, cookies=cookies)


def _settings(tx: Tx, single_sign_on: Any) -> SsoSettings:
    provider = sso.find_provider(tx, enabled_only=False)
    return SsoSettings(
        provider=None if provider is None else _view(provider),
        redirect_uri=single_sign_on.redirect_uri,
        domains=sso.list_domains(tx),
        roles=[role for role in Role if role is not Role.SERVICE],
        proposal=sso_approvals.waiting(tx),
    )


def _view(provider: SsoProvider) -> SsoProviderView:
    shown = {name: getattr(provider, name) for name in SsoProviderView.__struct_fields__}
    return SsoProviderView(**shown | {"id": show_id("sso", provider.id)})
