"""Firms and people for tests, and a small app that has nothing but identity's routes."""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
import psycopg
from litestar import Litestar, Request, Response, get, post
from litestar.di import Provide
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.testing import TestClient
from litestar.types import ASGIApp, Receive, Scope, Send

from finer.app.access_log import AccessLog
from finer.app.authentication import Authenticator
from finer.app.proposals import PROPOSAL_KINDS
from finer.app.requests import CheckedRequest
from finer.app.sign_in import Doorway
from finer.app.single_sign_on import SingleSignOn
from finer.identity.routes import edge, masking, watch
from finer.identity.routes.entrance import Entrance
from finer.identity.routes.listing import ROUTES
from finer.identity.service import api_keys, people, tenants
from finer.identity.types.access import Admission, Permission, Principal, Role, Tenant, User
from finer.kit.actors import SYSTEM, Actor
from finer.kit.db import Database
from finer.kit.errors import FinerError
from finer.kit.ids import new_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx

PASSWORD = "correct horse battery staple"
_numbers = itertools.count()


@dataclass(frozen=True)
class Firm:
    """One committed tenant."""

    database: Database
    settings: Settings
    tenant: Tenant

    @classmethod
    def made(cls, database: Database, settings: Settings, slug: str) -> Firm:
        """Make a firm."""
        with database.transaction(new_id(), SYSTEM) as tx:
            tenant = tenants.create_tenant(
                tx, slug=slug, name=slug, base_currency="PHP", timezone="Asia/Manila", second_factor_required=False
            )
        return cls(database, settings, tenant)

    def tx(self, actor: Actor = SYSTEM) -> AbstractContextManager[Tx]:
        """A transaction of this firm."""
        return self.database.transaction(self.tenant.id, actor)

    def user(self, role: Role = Role.RISK_ANALYST, password: str | None = PASSWORD) -> User:
        """A person of this firm."""
        email = f"{role.value}.{next(_numbers)}@{self.tenant.slug}.example"
        with self.tx() as tx:
            return people.create_user(tx, self.settings, email=email, name="A Person", role=role, password=password)

    def key(self, *scopes: Permission, **lifetime: Any) -> str:
        """An API key of this firm."""
        with self.tx() as tx:
            wanted = scopes or (Permission.EVENTS_WRITE,)
            return api_keys.create_api_key(
                tx, name="machine", scopes=wanted, lifetime=timedelta(**lifetime or {"days": 1})
            )[1]


class Door:
    """Signing in without HTTP."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.authenticator = Authenticator(database, settings)
        self.doorway = Doorway(database, settings, self.authenticator)
        self.look_up = self.authenticator.look_up

    def sign_in(self, email: str, password: str, address: str, agent: str) -> tuple[Principal, str]:
        """Sign in by password; returns who it is and the session token."""
        return self._entered(self.doorway.by_password(email, password, address, agent))

    def sign_in_by_link(self, token: str, agent: str, address: str = "192.0.2.1") -> tuple[Principal, str]:
        """Sign in by a link; returns who it is and the session token."""
        return self._entered(self.doorway.by_link(token, address, agent))

    def _entered(self, admission: Admission) -> tuple[Principal, str]:
        assert admission.missing == ()
        principal = self.look_up(admission.token)
        assert principal is not None
        return principal, admission.token


@contextmanager
def owner_connection(url: str) -> Iterator[psycopg.Connection[Any]]:
    """The database's own administrator, for planting faults; what it does is rolled back."""
    with psycopg.connect(url) as connection:
        yield connection
        connection.rollback()


@dataclass(frozen=True)
class _Wiring:
    """What an app of one test stands on."""

    database: Database
    settings: Settings
    authenticator: Authenticator
    doorway: Doorway
    single_sign_on: SingleSignOn
    entrance: Entrance
    authentication: edge.Authentication
    watch: watch.AccessWatch | None


_WIRING: ContextVar[_Wiring] = ContextVar("wiring")
"""That of the app which serves the request."""


class _Wired(ASGIMiddleware):
    """A middleware of the wiring."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, part: Callable[[_Wiring], ASGIMiddleware | None]) -> None:
        self._part = part

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Let the one that this request's app has do it."""
        part = self._part(_WIRING.get())
        if part is None:
            await next_app(scope, receive, send)
        else:
            await part.handle(scope, receive, send, next_app)


def small_app(
    database: Database,
    settings: Settings,
    *more: Any,
    routes: Iterable[Any] = ROUTES,
    watch_by: AccessLog | None = None,
) -> tuple[Litestar, Authenticator]:
    """An app of identity's routes and `more`, wired as the real one is; `watch_by` notes what is denied and read.

    Registering the routes took half of the time of the tests that make an app each: apps of the same routes are copies
    of one, and find what they stand on in the context of each request.
    """
    authenticator = Authenticator(database, settings)
    doorway = Doorway(database, settings, authenticator)
    wiring = _Wiring(
        database, settings, authenticator, doorway, SingleSignOn(database, settings, doorway), Entrance(settings),
        edge.Authentication(authenticator), None if watch_by is None else watch.AccessWatch(watch_by),
    )  # fmt: skip
    pattern = _pattern((*routes, *more))
    app, handler = copy.copy(pattern), pattern.asgi_handler

    async def wired(scope: Any, receive: Any, send: Any) -> None:
        _WIRING.set(wiring)
        await handler(scope, receive, send)

    app.asgi_handler = wired
    return app, authenticator


@functools.lru_cache(maxsize=16)
def _pattern(routes: tuple[Any, ...]) -> Litestar:
    def tx(request: Request[Any, Any, Any]) -> Iterator[Tx]:
        with _WIRING.get().database.transaction(request.user.tenant_id, request.user.actor()) as found:
            yield found
            watch.before_commit(found, request)

    async def finish(response: Response[Any]) -> Response[Any]:
        return await watch.note_response(await masking.mask_answer(response))

    def problem(request: Request[Any, Any, Any], error: FinerError) -> Response[bytes]:
        watch.note_problem(error.slug)
        headers = {"Retry-After": str(error.members["retry_after_s"])} if "retry_after_s" in error.members else {}
        return Response(msgspec.json.encode(error.problem(request.url.path)), status_code=error.status, headers=headers)

    return Litestar(
        route_handlers=routes,
        request_class=CheckedRequest,
        middleware=[
            _Wired(lambda wiring: wiring.entrance),
            _Wired(lambda wiring: wiring.authentication),
            _Wired(lambda wiring: wiring.watch),
        ],
        before_request=masking.note_viewer,
        after_request=finish,
        guards=[edge.guard],
        dependencies={
            "tx": Provide(tx),
            "credentials": Provide(lambda: _WIRING.get().authenticator, sync_to_thread=False),
            "machine_tokens": Provide(lambda: _WIRING.get().authenticator.machine_tokens, sync_to_thread=False),
            "doorway": Provide(lambda: _WIRING.get().doorway, sync_to_thread=False),
            "single_sign_on": Provide(lambda: _WIRING.get().single_sign_on, sync_to_thread=False),
            "settings": Provide(lambda: _WIRING.get().settings, sync_to_thread=False),
            "proposal_kinds": Provide(lambda: PROPOSAL_KINDS, sync_to_thread=False),
        },
        exception_handlers={FinerError: problem},
        openapi_config=None,
        logging_config=None,
        pdb_on_exception=False,
    )


def forget_attempts(database_url: str) -> None:
    """Begin without failed sign-ins: those of other tests came from the same address."""
    with owner_connection(database_url) as connection:
        connection.execute("delete from identity_sign_in_attempts")
        connection.commit()


def client_of(app: Litestar, **headers: str) -> TestClient[Litestar]:
    """A client that marks its changes as its own, as the web app does."""
    client = TestClient(app, base_url="http://finer.test", raise_server_exceptions=False)
    client.headers.update({"X-Requested-With": "finer"} | headers)
    return client


def client_from(app: Litestar, address: str) -> TestClient[Any]:
    """A client whose requests come from this network address."""

    async def moved(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope["client"] = (address, 50000)
        await app(scope, receive, send)

    client: TestClient[Any] = TestClient(moved, base_url="http://finer.test", raise_server_exceptions=False)
    client.headers["X-Requested-With"] = "finer"
    return client


def sign_in(client: TestClient[Any], user: User, password: str = PASSWORD) -> None:
    """Sign a person in on this client."""
    answer = client.post("/api/v1/session", json={"email": user.email, "password": password})
    assert answer.status_code == 200, answer.text


@get("/probe/read", opt={"permission": Permission.ALERTS_READ}, sync_to_thread=False)
def probe_read() -> str:
    """A route that asks for alerts:read."""
    return "read"


@post("/probe/write", opt={"permission": Permission.EVENTS_WRITE}, sync_to_thread=False, status_code=200)
def probe_write() -> str:
    """A route that asks for events:write."""
    return "written"


@get("/probe/undeclared", sync_to_thread=False)
def probe_undeclared() -> str:
    """A route whose author forgot the permission."""
    return "open to everybody"
