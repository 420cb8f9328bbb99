"""The edge of every request: its credential, its principal, and the guard of every route."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Protocol

from litestar import Request
from litestar.concurrency import sync_to_thread
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, ResponseHeader
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from finer.identity.errors import (
    AddressNotAllowed,
    CrossSiteRequest,
    PermissionMissing,
    SecondFactorMissing,
    StepUpRequired,
)
from finer.identity.service import addresses, audit
from finer.identity.types.access import Permission, Principal
from finer.kit.errors import Unauthenticated

PUBLIC = "public"
_CREDENTIAL_MAX = 2048  # characters; what is longer is cut, and so becomes nobody's
COOKIE, SECURE_COOKIE = "finer_session", "__Host-finer_session"
SIGNED_OUT_COOKIE = "finer_signed_out"
UNATTENDED = "x-unattended"
"""The header of requests that a page makes by itself while nobody is there: they keep no session alive."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
NOT_KEPT = [ResponseHeader(name="Cache-Control", value="no-store")]


class Credentials(Protocol):
    """What the edge needs of authentication; the app provides it."""

    def remembered(self, credential: str) -> tuple[bool, Principal | None]:
        """A look-up of the last second."""
        ...

    def look_up(self, credential: str, *, touch: bool = True) -> Principal | None:
        """A look-up in the database; with `touch` the credential counts as used by somebody at work."""
        ...

    def forget(self, credential: str) -> None:
        """Believe it no longer."""
        ...


class Authentication(ASGIMiddleware):
    """Puts the principal of each request into its scope; whether that is enough, the guard decides."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Find the credential, then the principal: from memory, or from the database on a thread."""
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
        audit.ORIGIN.set(connection.client.host if connection.client is not None else "")
        scope["user"] = scope["auth"] = None
        credential, from_cookie = credential_of(connection)
        options = scope["route_handler"].opt
        # What is public needs no principal, so a wave of stale cookies on the web app's files costs no look-ups.
        if credential and options.get("permission") != PUBLIC:
            known, principal = self._credentials.remembered(credential)
            # Another process may have seen a fresh proof of who this is in the second that this one remembers.
            if not known or (options.get("step_up") and principal is not None and not principal.stepped_up):
                attended = UNATTENDED not in connection.headers and not options.get("unattended")
                principal = await sync_to_thread(partial(self._credentials.look_up, credential, touch=attended))
            scope["user"] = principal
            scope["auth"] = "cookie" if from_cookie else "bearer"
        await next_app(scope, receive, send)


def credential_of(connection: ASGIConnection[Any, Any, Any, Any]) -> tuple[str, bool]:
    """The credential of a request, and whether a cookie carried it. A bearer key goes before a cookie."""
    token = bearer_of(connection.headers.get("authorization", ""))
    if token is not None:
        return token, False
    cookies = connection.cookies
    found = cookies.get(SECURE_COOKIE)
    if not found and connection.scope["scheme"] not in ("https", "wss"):
        # Over https only the __Host- name counts: the plain one could have been planted by a sibling host.
        found = cookies.get(COOKIE)
    return (found or "")[:_CREDENTIAL_MAX], True


def bearer_of(header: str) -> str | None:
    """The credential in an Authorization header; None when it holds none."""
    return header[7:].strip()[:_CREDENTIAL_MAX] if header[:7].lower() == "bearer " else None


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Every route declares a permission or that it is public; the caller must have it.

    A route with opt={"step_up": True} also wants a fresh proof of who the caller is, which no machine can give. One
    with opt={"without_second_factor": True} is open to whoever has yet to set up the second factor that the firm
    wants. Raises Unauthenticated, PermissionMissing, SecondFactorMissing, StepUpRequired, or CrossSiteRequest for a
    change that a browser sends from elsewhere.
    """
    if connection.scope.get("method") == "OPTIONS":
        return  # Litestar's own answer: which methods a path has, the same for everybody
    permission = handler.opt.get("permission")
    principal: Principal | None = connection.scope.get("user")
    if permission != PUBLIC and principal is None:
        raise Unauthenticated("Sign in, or send a valid API key or access token as 'Authorization: Bearer ...'.")
    if connection.scope.get("method", "GET") not in SAFE and connection.scope.get("auth") != "bearer":
        _same_site(connection)
    if permission == PUBLIC:
        return
    if principal is None or permission is None:
        raise PermissionMissing("This route declares no permission, so nobody may call it.")
    may_call(principal, handler, str(permission))


def may_call(principal: Principal, handler: BaseRouteHandler, permission: str) -> None:
    """Whether somebody who is known may call this route now. Raises as the guard."""
    if principal.networks and not addresses.within(principal.networks, audit.ORIGIN.get()):
        raise AddressNotAllowed(f"{principal.name} may be used from certain networks only, and this is none of them.")
    if principal.second_factor_missing and not handler.opt.get("without_second_factor"):
        raise SecondFactorMissing(
            "Your firm asks everybody for a second factor. Set up an authenticator app or a passkey under Account; "
            "everything else opens then."
        )
    if permission not in principal.permissions:
        raise PermissionMissing(
            f"{principal.name} ({principal.role.value.replace('_', ' ')}) does not have the permission {permission}.",
            permission=permission,
        )
    if handler.opt.get("step_up") and not principal.stepped_up:
        raise StepUpRequired(
            "This act asks again who you are. Confirm it, then do the same once more.",
            methods=[str(factor) for factor in principal.proofs],
        )


def _same_site(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        if site == "same-origin":
            return
        raise CrossSiteRequest("A change must come from Finer's own pages. Nothing was changed.")
    origin = connection.headers.get("origin")
    if origin is not None:
        if origin.partition("://")[2] == connection.headers.get("host"):
            return
        raise CrossSiteRequest("A change must come from Finer's own pages. Nothing was changed.")
    # Neither header: no browser of the last years. A custom header cannot be sent across sites without asking first.
    # Without a cookie (signing in) there is nothing yet that another site could abuse.
    if connection.scope.get("auth") == "cookie" and connection.headers.get("x-requested-with") != "finer":
        raise CrossSiteRequest("Send the header X-Requested-With: finer with changes that are made with a cookie.")


def undeclared_routes(handlers: Iterable[Any]) -> list[str]:
    """Handlers that declare no permission that exists; the app does not start with any."""
    known = {PUBLIC, *Permission}
    return [str(handler) for handler in handlers if handler.opt.get("permission") not in known]


def address_of(request: Request[Any, Any, Any]) -> str:
    """The network address that a request came from."""
    return request.client.host if request.client is not None else ""


def agent_of(request: Request[Any, Any, Any]) -> str:
    """What the client says it is."""
    return request.headers.get("user-agent", "")


def signed_out_hint() -> Cookie:
    """Tells the web app that nobody is signed in, so that it need not ask and be refused."""
    return Cookie(key=SIGNED_OUT_COOKIE, value="1", samesite="lax")
