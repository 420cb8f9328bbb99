"""The web app's files and the headers of every answer."""

from __future__ import annotations

import asyncio
import mimetypes
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from litestar import HttpMethod, Request, Response, route
from litestar.exceptions import NotFoundException
from litestar.types import Message, Scope

from finer.app.web_folder import web_folder
from finer.identity.routes.edge import credential_of, signed_out_hint
from finer.kit.settings import Settings

NONCE_MARK = "FINER-PAGE-NONCE"
"""What web/vite.config.ts writes where the nonce of a page belongs."""
_NONCE_BYTES = 16
_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
# Scripts and styles carry the page's nonce. Whatever a script with the nonce loads is trusted with it, which is how
# the chunks of the app come; no attribute and no inline text is (CSP Level 3, "strict-dynamic").
_PAGE = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; object-src 'none'; "
    "require-trusted-types-for 'script'; trusted-types default"
)
_HEADERS = {
    "content-security-policy": _NOTHING,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}
# A browser that saw this once comes by TLS only, for a year (RFC 6797).
_BY_TLS_ONLY = {"strict-transport-security": "max-age=31536000; includeSubDomains"}
_NOT_BUILT = (
    "<!doctype html><title>Finer</title><p>The web app is not built. Run <code>make web</code>, then reload. "
    "The API answers under <a href='/api/v1/openapi.json'>/api/v1</a>."
)


def web_app() -> list[Any]:
    """The handlers that serve the web app; every path that is no file is a page of the app."""
    folder = web_folder()

    @route(
        ["/", "/{path:path}"], http_method=[HttpMethod.GET, HttpMethod.HEAD], opt={"permission": "public"},
        include_in_schema=False,
    )  # fmt: skip
    async def page(request: Request[Any, Any, Any], path: Path | None = None) -> Response[Any]:
        answer = await asyncio.to_thread(_answer, folder, str(path or "").lstrip("/"))
        if answer.media_type == "text/html" and not credential_of(request)[0]:
            answer.set_cookie(signed_out_hint())
        return answer

    return [page]


def _answer(folder: Path, wanted: str) -> Response[Any]:
    """A file of the web app, or the app itself, which then shows the page that the path names."""
    if wanted.startswith("api/"):
        raise NotFoundException
    if (file := _file(folder, wanted)) is not None:
        lasting = "public, max-age=31536000, immutable" if wanted.startswith("assets/") else "no-cache"
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return Response(file.read_bytes(), media_type=kind, headers={"Cache-Control": lasting})
    index = folder / "index.html"
    if not index.is_file():
        return Response(_NOT_BUILT, media_type="text/html")
    nonce = secrets.token_urlsafe(_NONCE_BYTES)
    # A page that a cache gave out again would give out its nonce again.
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": _PAGE.format(nonce=nonce)}
    return Response(index.read_text().replace(NONCE_MARK, nonce), media_type="text/html", headers=headers)


def _file(folder: Path, wanted: str) -> Path | None:
    """The file of that name in the folder of the web app, wherever dots and links would lead; None for any other."""
    try:
        file = (folder / wanted).resolve()
        return file if file.is_relative_to(folder.resolve()) and file.is_file() else None
    except (OSError, ValueError):
        return None  # a name that no file can have


def security_headers(settings: Settings) -> Callable[[Message, Scope], Awaitable[None]]:
    """What puts the security headers on every answer that does not set them itself: pages, files, problems, streams.

    With an https address also that browsers come by TLS only.
    """
    wanted = _HEADERS | (_BY_TLS_ONLY if settings.tls_cert or settings.web_url.startswith("https://") else {})
    headers = [(name.encode(), value.encode()) for name, value in wanted.items()]

    async def add(message: Message, _scope: Scope) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(one for one in headers if one[0] not in present)]

    return add


async def no_body_for_head(message: Message, scope: Scope) -> None:
    """An answer to HEAD has no body (RFC 9110 9.3.2): over HTTP/2 one is an error that ends the stream."""
    if message["type"] == "http.response.body" and scope.get("method") == "HEAD":
        message["body"] = b""
