"""Signing in and out, who am I, and where I am signed in."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.datastructures import Cookie

from finer.identity.routes.documents import Me, Person, Session, SignedIn, User, show_tenant
from finer.identity.routes.edge import (
    COOKIE,
    NOT_KEPT,
    PUBLIC,
    SECURE_COOKIE,
    SIGNED_OUT_COOKIE,
    address_of,
    agent_of,
    credential_of,
    signed_out_hint,
)
from finer.identity.routes.pool import SignInPool
from finer.identity.service import people, sessions, tenants
from finer.identity.types import Permission, Principal
from finer.kit.ids import read_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx

_SMALL_BODY = 16_384


_POOL = SignInPool()


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


class SessionController(Controller):
    """Signing in and out."""

    path = "/api/v1"
    tags = ["Session"]
    response_headers = NOT_KEPT

    @post(
        "/session",
        opt={"permission": PUBLIC},
        status_code=200,
        request_max_body_size=_SMALL_BODY,
        summary="Sign in",
    )
    async def sign_in(
        self, request: Request[Any, Any, Any], data: PasswordBody, credentials: Any, settings: Settings
    ) -> Response[SignedIn]:
        """Sign in by e-mail address and password; the answer sets the session cookie."""
        principal, token = await _POOL.run(
            credentials.sign_in, data.email, data.password, address_of(request), agent_of(request)
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
    ) -> Response[SignedIn]:
        """Sign in by the token of a link; the answer sets the session cookie."""
        principal, token = await _POOL.run(credentials.sign_in_by_link, data.token, agent_of(request))
        return _signed_in(request, principal, token, settings)

    @delete("/session", opt={"permission": Permission.SESSION_OWN}, sync_to_thread=True, summary="Sign out")
    def sign_out(self, request: Request[Principal, Any, Any], tx: Tx, credentials: Any) -> Response[None]:
        """End this session."""
        if request.user.session_id is not None:
            sessions.end_session(tx, request.user.id, request.user.session_id)
        credentials.forget(credential_of(request)[0])
        # Browsers overlook a __Host- cookie that is not marked secure, even one that only takes it away.
        gone = [Cookie(key=name, value="", max_age=0, secure=name == SECURE_COOKIE) for name in (COOKIE, SECURE_COOKIE)]
        return Response(None, status_code=204, cookies=[*gone, signed_out_hint()])

    @get("/me", opt={"permission": Permission.SESSION_OWN}, sync_to_thread=True, summary="Who am I")
    def me(self, request: Request[Principal, Any, Any], tx: Tx) -> Me:
        """The signed-in person, the firm, and what the role allows."""
        user = people.get_user(tx, request.user.id)
        return Me(
            user=User(id=show_id("usr", user.id), name=user.name, email=user.email, role=user.role),
            tenant=show_tenant(tenants.get_tenant(tx)),
            permissions=sorted(request.user.permissions),
        )

    @get("/sessions", opt={"permission": Permission.SESSION_OWN}, sync_to_thread=True, summary="My sessions")
    def sessions(self, request: Request[Principal, Any, Any], tx: Tx, settings: Settings) -> list[Session]:
        """Browsers where I am signed in."""
        return [
            Session(
                id=show_id("ses", one.id),
                created_at=one.created_at,
                last_seen_at=one.last_seen_at,
                user_agent=one.user_agent,
                current=one.id == request.user.session_id,
            )
            for one in sessions.list_sessions(tx, settings, request.user.id)
        ]

    @delete(
        "/sessions/{session_id:str}", opt={"permission": Permission.SESSION_OWN}, sync_to_thread=True,
        summary="End one of my sessions",
    )  # fmt: skip
    def end(self, request: Request[Principal, Any, Any], tx: Tx, session_id: str) -> None:
        """Sign another browser out; it stops working within a second."""
        sessions.end_session(tx, request.user.id, read_id("ses", session_id))


def _signed_in(
    request: Request[Any, Any, Any], principal: Principal, token: str, settings: Settings
) -> Response[SignedIn]:
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
    document = SignedIn(
        user=Person(id=show_id("usr", principal.id), name=principal.name, role=principal.role),
        permissions=sorted(principal.permissions),
    )
    return Response(document, status_code=200, cookies=[cookie, Cookie(key=SIGNED_OUT_COOKIE, value="", max_age=0)])
