"""HTTP of identity: signing in and out, who am I, sessions, API keys, and the guard of every route."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import timedelta
from typing import Annotated, Any, Protocol, TypeVar

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.concurrency import sync_to_thread
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, ResponseHeader
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.params import Parameter
from litestar.types import ASGIApp, Receive, Scope, Send

from finer.identity import service
from finer.identity.errors import CrossSiteRequest, NotAcceptable, PermissionMissing, SignInBusy
from finer.identity.types import ApiKey, Permission, Principal
from finer.kit.errors import Unauthenticated
from finer.kit.ids import read_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx

PUBLIC = "public"
_CREDENTIAL_MAX = 200  # characters; tokens and keys are shorter, and a longer text is remembered only in part
COOKIE, SECURE_COOKIE = "finer_session", "__Host-finer_session"
SIGNED_OUT_COOKIE = "finer_signed_out"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_NOT_KEPT = [ResponseHeader(name="Cache-Control", value="no-store")]
_SMALL_BODY = 16_384
_T = TypeVar("_T")


class SignInPool:
    """Threads for sign-ins alone, and few: hashing passwords must not take the others' turn.

    Who finds all places taken, the waiting ones included, is told so at once instead of piling up.
    """

    def __init__(self, threads: int = 2, waiting: int = 30) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="sign-in")
        self._places = threading.Semaphore(threads + waiting)

    async def run(self, function: Callable[..., _T], *arguments: Any) -> _T:
        """The answer of a function that ran on the pool. Raises SignInBusy."""
        if not self._places.acquire(blocking=False):
            raise SignInBusy("Many people are signing in at this moment. Try again in a few seconds.", retry_after_s=3)
        running = self._executor.submit(copy_context().run, function, *arguments)
        running.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(running)


_POOL = SignInPool()


class Credentials(Protocol):
    """What the edge needs of authentication; the app provides it."""

    def remembered(self, credential: str) -> tuple[bool, Principal | None]:
        """A look-up of the last second."""
        ...

    def look_up(self, credential: str) -> Principal | None:
        """A look-up in the database."""
        ...

    def forget(self, credential: str) -> None:
        """Believe it no longer."""
        ...

    def sign_in(self, email: str, password: str, address: str, user_agent: str) -> tuple[Principal, str]:
        """By password."""
        ...

    def sign_in_by_link(self, token: str, user_agent: str) -> tuple[Principal, str]:
        """By link."""
        ...


class PasswordBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """E-mail address and password."""

    email: Annotated[str, msgspec.Meta(max_length=254)]
    password: Annotated[str, msgspec.Meta(max_length=256)]

    def __repr__(self) -> str:
        return "PasswordBody(...)"


class LinkBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The token of a sign-in link."""

    token: Annotated[str, msgspec.Meta(max_length=100)]

    def __repr__(self) -> str:
        return "LinkBody(...)"


class KeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new API key."""

    name: Annotated[str, msgspec.Meta(max_length=120)]
    scopes: Annotated[list[Annotated[str, msgspec.Meta(max_length=64)]], msgspec.Meta(max_length=50)]
    days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 365


class Authentication(ASGIMiddleware):
    """Puts the principal of each request into its scope; whether that is enough, the guard decides."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Find the credential, then the principal: from memory, or from the database on a thread."""
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
        service.ORIGIN.set(connection.client.host if connection.client is not None else "")
        scope["user"] = scope["auth"] = None
        credential, from_cookie = credential_of(connection)
        # What is public needs no principal, so a wave of stale cookies on the web app's files costs no look-ups.
        if credential and scope["route_handler"].opt.get("permission") != PUBLIC:
            known, principal = self._credentials.remembered(credential)
            if not known:
                principal = await sync_to_thread(self._credentials.look_up, credential)
            scope["user"] = principal
            scope["auth"] = "cookie" if from_cookie else "bearer"
        await next_app(scope, receive, send)


def credential_of(connection: ASGIConnection[Any, Any, Any, Any]) -> tuple[str, bool]:
    """The credential of a request, and whether a cookie carried it. A bearer key goes before a cookie."""
    header = connection.headers.get("authorization", "")
    if header[:7].lower() == "bearer ":
        return header[7:].strip()[:_CREDENTIAL_MAX], False
    cookies = connection.cookies
    found = cookies.get(SECURE_COOKIE)
    if not found and connection.scope["scheme"] not in ("https", "wss"):
        # Over https only the __Host- name counts: the plain one could have been planted by a sibling host.
        found = cookies.get(COOKIE)
    return (found or "")[:_CREDENTIAL_MAX], True


def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Every route declares a permission or that it is public; the caller must have it.

    Raises Unauthenticated, PermissionMissing, or CrossSiteRequest for a change that a browser sends from elsewhere.
    """
    if connection.scope.get("method") == "OPTIONS":
        return  # Litestar's own answer: which methods a path has, the same for everybody
    permission = handler.opt.get("permission")
    principal: Principal | None = connection.scope.get("user")
    if permission != PUBLIC and principal is None:
        raise Unauthenticated("Sign in, or send a valid API key as 'Authorization: Bearer fk_...'.")
    if connection.scope.get("method", "GET") not in _SAFE and connection.scope.get("auth") != "bearer":
        _same_site(connection)
    if permission == PUBLIC:
        return
    if principal is None or permission is None:
        raise PermissionMissing("This route declares no permission, so nobody may call it.")
    if permission not in principal.permissions:
        raise PermissionMissing(
            f"{principal.name} ({principal.role.value.replace('_', ' ')}) does not have the permission {permission}.",
            permission=str(permission),
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


class SessionController(Controller):
    """Signing in and out."""

    path = "/api/v1"
    tags = ["Session"]
    response_headers = _NOT_KEPT

    @post(
        "/session",
        opt={"permission": PUBLIC},
        status_code=200,
        request_max_body_size=_SMALL_BODY,
        summary="Sign in",
    )
    async def sign_in(
        self, request: Request[Any, Any, Any], data: PasswordBody, credentials: Any, settings: Settings
    ) -> Response[dict[str, Any]]:
        """Sign in by e-mail address and password; the answer sets the session cookie."""
        principal, token = await _POOL.run(
            credentials.sign_in, data.email, data.password, _address(request), _agent(request)
        )
        return _signed_in(request, principal, token, settings)

    @post(
        "/session/link",
        opt={"permission": PUBLIC},
        status_code=200,
        request_max_body_size=_SMALL_BODY,
        summary="Sign in by link",
    )
    async def sign_in_by_link(
        self, request: Request[Any, Any, Any], data: LinkBody, credentials: Any, settings: Settings
    ) -> Response[dict[str, Any]]:
        """Sign in by the token of a link; the answer sets the session cookie."""
        principal, token = await _POOL.run(credentials.sign_in_by_link, data.token, _agent(request))
        return _signed_in(request, principal, token, settings)

    @delete("/session", opt={"permission": Permission.SESSION_OWN}, sync_to_thread=True, summary="Sign out")
    def sign_out(self, request: Request[Principal, Any, Any], tx: Tx, credentials: Any) -> Response[None]:
        """End this session."""
        if request.user.session_id is not None:
            service.end_session(tx, request.user.id, request.user.session_id)
        credentials.forget(credential_of(request)[0])
        # Browsers overlook a __Host- cookie that is not marked secure, even one that only takes it away.
        gone = [Cookie(key=name, value="", max_age=0, secure=name == SECURE_COOKIE) for name in (COOKIE, SECURE_COOKIE)]
        return Response(None, status_code=204, cookies=[*gone, signed_out_hint()])

    @get("/me", opt={"permission": Permission.SESSION_OWN}, sync_to_thread=True, summary="Who am I")
    def me(self, request: Request[Principal, Any, Any], tx: Tx) -> dict[str, Any]:
        """The signed-in person, the firm, and what the role allows."""
        user = service.get_user(tx, request.user.id)
        tenant = service.get_tenant(tx)
        return {
            "user": {"id": show_id("usr", user.id), "name": user.name, "email": user.email, "role": user.role},
            "tenant": {
                "id": show_id("ten", tenant.id),
                "slug": tenant.slug,
                "name": tenant.name,
                "base_currency": tenant.base_currency,
                "timezone": tenant.timezone,
                "branding": tenant.branding,
            },
            "permissions": sorted(request.user.permissions),
        }

    @get("/sessions", opt={"permission": Permission.SESSION_OWN}, sync_to_thread=True, summary="My sessions")
    def sessions(self, request: Request[Principal, Any, Any], tx: Tx, settings: Settings) -> list[dict[str, Any]]:
        """Browsers where I am signed in."""
        found = service.list_sessions(tx, settings, request.user.id)
        return [
            {
                "id": show_id("ses", one.id),
                "created_at": one.created_at,
                "last_seen_at": one.last_seen_at,
                "user_agent": one.user_agent,
                "current": one.id == request.user.session_id,
            }
            for one in found
        ]

    @delete(
        "/sessions/{session_id:str}", opt={"permission": Permission.SESSION_OWN}, sync_to_thread=True,
        summary="End one of my sessions",
    )  # fmt: skip
    def end(self, request: Request[Principal, Any, Any], tx: Tx, session_id: str) -> None:
        """Sign another browser out; it stops working within a second."""
        service.end_session(tx, request.user.id, read_id("ses", session_id))


class KeyController(Controller):
    """API keys of machines."""

    path = "/api/v1/api-keys"
    tags = ["API keys"]
    response_headers = _NOT_KEPT

    @get("/", opt={"permission": Permission.API_KEYS_READ}, sync_to_thread=True, summary="List API keys")
    def list(self, tx: Tx) -> list[dict[str, Any]]:
        """Every API key of the firm, without its secret."""
        return [_show_key(key) for key in service.list_api_keys(tx)]

    @post("/", opt={"permission": Permission.API_KEYS_WRITE}, sync_to_thread=True, summary="Make an API key")
    def create(self, tx: Tx, data: KeyBody) -> dict[str, Any]:
        """Make an API key; the answer is the only place where its secret is ever shown."""
        known = {permission.value for permission in Permission}
        if unknown := [scope for scope in data.scopes if scope not in known]:
            raise NotAcceptable(f"{', '.join(unknown)} is no permission. See docs/reference/permissions.md.")
        scopes = [Permission(scope) for scope in data.scopes]
        key, secret = service.create_api_key(tx, name=data.name, scopes=scopes, lifetime=timedelta(days=data.days))
        return _show_key(key) | {"key": secret}

    @delete(
        "/{prefix:str}", opt={"permission": Permission.API_KEYS_WRITE}, sync_to_thread=True, summary="Revoke an API key"
    )
    def revoke(self, tx: Tx, prefix: str) -> None:
        """Revoke an API key; it stops working within a second."""
        service.revoke_api_key(tx, prefix=prefix)


class AuditController(Controller):
    """What was done, by whom."""

    path = "/api/v1/audit"
    tags = ["Audit"]
    response_headers = _NOT_KEPT

    @get("/", opt={"permission": Permission.AUDIT_READ}, sync_to_thread=True, summary="The audit trail")
    def list(
        self, tx: Tx, limit: Annotated[int, Parameter(ge=1, le=500)] = 100, before: str | None = None
    ) -> dict[str, Any]:
        """Acts of people and machines, the newest first."""
        cursor: uuid.UUID | None = None if before is None else read_id("aud", before)
        found = service.list_audit(tx, limit, cursor)
        items = [msgspec.to_builtins(entry) | {"id": show_id("aud", entry.id)} for entry in found]
        return {"items": items, "next": items[-1]["id"] if len(items) == limit else None}


ROUTES: list[Any] = [SessionController, KeyController, AuditController]


def _show_key(key: ApiKey) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(key)
    return shown | {"id": show_id("key", key.id)}


def _address(request: Request[Any, Any, Any]) -> str:
    return request.client.host if request.client is not None else ""


def _agent(request: Request[Any, Any, Any]) -> str:
    return request.headers.get("user-agent", "")


def signed_out_hint() -> Cookie:
    """Tells the web app that nobody is signed in, so that it need not ask and be refused."""
    return Cookie(key=SIGNED_OUT_COOKIE, value="1", samesite="lax")


def _signed_in(
    request: Request[Any, Any, Any], principal: Principal, token: str, settings: Settings
) -> Response[dict[str, Any]]:
    # Behind a proxy that ends TLS, the public address says what the browser sees.
    secure = request.scope["scheme"] == "https" or settings.web_url.startswith("https://")
    cookie = Cookie(
        key=SECURE_COOKIE if secure else COOKIE,
        value=token,
        path="/",
        httponly=True,
        samesite="lax",
        secure=secure,
        max_age=settings.session_absolute_hours * 3600,
    )
    document = {
        "user": {"id": show_id("usr", principal.id), "name": principal.name, "role": principal.role},
        "permissions": sorted(principal.permissions),
    }
    return Response(document, status_code=200, cookies=[cookie, Cookie(key=SIGNED_OUT_COOKIE, value="", max_age=0)])
