"""The first thing of every request: whom it is for, and who sent it, before anybody relies on either."""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from finer.identity.errors import WrongHost
from finer.identity.service import addresses
from finer.kit.errors import InvalidInput
from finer.kit.settings import Settings


class Entrance(ASGIMiddleware):
    """Refuses a Host that is not ours, and puts the client's own address in the place of a trusted proxy's."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, settings: Settings) -> None:
        self._hosts = addresses.answers_to(settings.allowed_hosts, settings.public_url)
        self._proxies = addresses.read_networks(settings.trusted_proxies)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Check the Host; from here on `client` is who asks, for throttling, audit and allow-lists alike."""
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
        # Load balancers ask for the health of one machine, by its own address.
        hosts = connection.headers.getall("host", [""])
        if len(hosts) > 1:
            raise InvalidInput("The request names its host twice. Send one header Host.")
        if not scope["route_handler"].opt.get("any_host") and not self.knows(hosts[0]):
            raise WrongHost("Finer does not answer under this name. An operator may list it in FINER_ALLOWED_HOSTS.")
        scope["client"] = self.client_of(scope, ",".join(connection.headers.getall("x-forwarded-for", [])))
        await next_app(scope, receive, send)

    def knows(self, host: str) -> bool:
        """Whether Finer answers under the name in a Host header."""
        return addresses.host_fits(host, self._hosts)

    def client_of(self, scope: Scope, forwarded: str) -> tuple[str, int] | None:
        """Address and port of who asks, when the proxies that are trusted say that they `forwarded` it."""
        client = scope.get("client")
        if client is None or not self._proxies:
            return client
        return addresses.client_address(client[0], forwarded, self._proxies), client[1]
