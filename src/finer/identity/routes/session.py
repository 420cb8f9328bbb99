"""Signing in and out, who am I, and where I am signed in."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, delete, get, post

from finer.identity.routes.cookies import session_cookies, signed_out
from finer.identity.routes.documents import (
    Me,
    MissingFactor,
    PasskeyOptions,
    Session,
    SignInAnswer,
    User,
    show_session,
    show_signed_in,
    show_tenant,
)
from finer.identity.routes.edge import NOT_KEPT, PUBLIC, address_of, agent_of, credential_of
from finer.identity.routes.pool import HASHING, SIGNING
from finer.identity.service import people, sessions, tenants
from finer.identity.types.access import Admission, Permission, Principal
from finer.kit.errors import Unauthenticated
from finer.kit.ids import read_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx

SMALL_BODY = 16_384

Token = Annotated[str, msgspec.Meta(max_length=100)]
Code = Annotated[str, msgspec.Meta(max_length=40)]


class PasswordBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """E-mail address and password."""

    email: Annotated[str, msgspec.Meta(max_length=254)]
    password: Annotated[str, msgspec.Meta(max_length=256)]

    def __repr__(self) -> str:
        return "PasswordBody(...)"


class LinkBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The token of a sign-in link."""

    token: Token

    def __repr__(self) -> str:
        return "LinkBody(...)"


class SecondFactorBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The token of a half-done sign-in, and a code of the authenticator app or a recovery code."""

    token: Token
    code: Code

    def __repr__(self) -> str:
        return "SecondFactorBody(...)"


class PasskeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the browser's navigator.credentials.get() answered, as PublicKeyCredential.toJSON() writes it."""

    credential: dict[str, Any]


class SessionController(Controller):
    """Signing in and out."""

    path = "/api/v1"
    tags = ["Session"]
    response_headers = NOT_KEPT

    @post("/session", opt={"permission": PUBLIC}, status_code=200, request_max_body_size=SMALL_BODY, summary="Sign in")
    async def sign_in(
        self, request: Request[Any, Any, Any], data: PasswordBody, doorway: Any, credentials: Any, settings: Settings
    ) -> Response[SignInAnswer]:
        """Sign in by e-mail address and password; the answer sets the session cookie, or asks for a second factor."""
        where = (address_of(request), agent_of(request))
        admission = await HASHING.run(doorway.by_password, data.email, data.password, *where)
        return await _admitted(request, admission, doorway, credentials, settings)

    @post(
        "/session/link", opt={"permission": PUBLIC}, status_code=200, request_max_body_size=SMALL_BODY,
        summary="Sign in by link",
    )  # fmt: skip
    async def sign_in_by_link(
        self, request: Request[Any, Any, Any], data: LinkBody, doorway: Any, credentials: Any, settings: Settings
    ) -> Response[SignInAnswer]:
        """Sign in by the token of a link; the answer sets the session cookie, or asks for a second factor."""
        admission = await SIGNING.run(doorway.by_link, data.token, address_of(request), agent_of(request))
        return await _admitted(request, admission, doorway, credentials, settings)

    @post(
        "/session/second-factor", opt={"permission": PUBLIC}, status_code=200, request_max_body_size=SMALL_BODY,
        summary="Enter the second factor",
    )  # fmt: skip
    async def second_factor(
        self, request: Request[Any, Any, Any], data: SecondFactorBody, doorway: Any, credentials: Any,
        settings: Settings,
    ) -> Response[SignInAnswer]:  # fmt: skip
        """End a half-done sign-in by a code of the authenticator app, or by a recovery code."""
        where = (address_of(request), agent_of(request))
        admission = await HASHING.run(doorway.by_second_factor, data.token, data.code, *where)
        return await _admitted(request, admission, doorway, credentials, settings)

    @post(
        "/session/passkey/options", opt={"permission": PUBLIC}, status_code=200, request_max_body_size=SMALL_BODY,
        summary="Begin to sign in by passkey",
    )  # fmt: skip
    async def passkey_options(self, request: Request[Any, Any, Any], doorway: Any) -> PasskeyOptions:
        """A challenge for a passkey; it works once, for five minutes."""
        return PasskeyOptions(options=await SIGNING.run(doorway.passkey_options, address_of(request)))

    @post(
        "/session/passkey", opt={"permission": PUBLIC}, status_code=200, request_max_body_size=SMALL_BODY,
        summary="Sign in by passkey",
    )  # fmt: skip
    async def sign_in_by_passkey(
        self, request: Request[Any, Any, Any], data: PasskeyBody, doorway: Any, credentials: Any, settings: Settings
    ) -> Response[SignInAnswer]:
        """Sign in by passkey, which needs no password and no second factor; the answer sets the session cookie."""
        admission = await SIGNING.run(doorway.by_passkey, data.credential, address_of(request), agent_of(request))
        return await _admitted(request, admission, doorway, credentials, settings)

    @delete(
        "/session",
        opt={"permission": Permission.SESSION_OWN, "without_second_factor": True},
        sync_to_thread=True,
        summary="Sign out",
    )
    def sign_out(self, request: Request[Principal, Any, Any], tx: Tx, credentials: Any) -> Response[None]:
        """End this session."""
        if request.user.session_id is not None:
            sessions.end_session(tx, request.user.id, request.user.session_id)
        credentials.forget(credential_of(request)[0])
        return signed_out()

    @get(
        "/me",
        opt={"permission": Permission.SESSION_OWN, "without_second_factor": True},
        sync_to_thread=True,
        summary="Who am I",
    )
    def me(self, request: Request[Principal, Any, Any], tx: Tx) -> Me:
        """The signed-in person, the firm, and what the role allows."""
        user = people.get_user(tx, request.user.id)
        return Me(
            user=User(id=show_id("usr", user.id), name=user.name, email=user.email, role=user.role),
            tenant=show_tenant(tenants.get_tenant(tx)),
            permissions=sorted(request.user.permissions),
            second_factor_missing=request.user.second_factor_missing,
        )

    @get("/sessions", opt={"permission": Permission.SESSION_OWN}, sync_to_thread=True, summary="My sessions")
    def sessions(self, request: Request[Principal, Any, Any], tx: Tx, settings: Settings) -> list[Session]:
        """Browsers where I am signed in."""
        found = sessions.list_sessions(tx, settings, request.user.id)
        return [show_session(one, current=one.id == request.user.session_id) for one in found]

    @delete(
        "/sessions", opt={"permission": Permission.SESSION_OWN}, sync_to_thread=True,
        summary="End all my other sessions",
    )  # fmt: skip
    def end_others(self, request: Request[Principal, Any, Any], tx: Tx) -> None:
        """Sign every other browser out; they stop working within a second."""
        sessions.end_other_sessions(tx, request.user.id, request.user.session_id)

    @delete(
        "/sessions/{session_id:str}", opt={"permission": Permission.SESSION_OWN}, sync_to_thread=True,
        summary="End one of my sessions",
    )  # fmt: skip
    def end(self, request: Request[Principal, Any, Any], tx: Tx, session_id: str) -> None:
        """Sign another browser out; it stops working within a second."""
        sessions.end_session(tx, request.user.id, read_id("ses", session_id))

    @post(
        "/sessions/{session_id:str}/recognise", opt={"permission": Permission.SESSION_OWN}, sync_to_thread=True,
        status_code=204, summary="Say that a sign-in was mine",
    )  # fmt: skip
    def recognise(self, request: Request[Principal, Any, Any], tx: Tx, session_id: str) -> None:
        """Take a sign-in from a new place off the list of notices. No session can do this for itself."""
        sessions.recognise_session(tx, request.user, read_id("ses", session_id))


async def _admitted(
    request: Request[Any, Any, Any], admission: Admission, doorway: Any, credentials: Any, settings: Settings
) -> Response[SignInAnswer]:
    if admission.missing:
        missing = MissingFactor(token=admission.token, methods=list(admission.missing))
        return Response(SignInAnswer(user=None, permissions=[], second_factor=missing), status_code=200)
    earlier, from_cookie = credential_of(request)
    if earlier and from_cookie:
        # Whoever signs in again in the same browser leaves no second session behind.
        await SIGNING.run(doorway.leave, earlier)
    principal = await SIGNING.run(credentials.look_up, admission.token)
    if principal is None:
        raise Unauthenticated("The account was disabled a moment ago.")
    cookies = session_cookies(request, admission.token, settings)
    return Response(show_signed_in(principal), status_code=200, cookies=cookies)
