"""The web app's files and the headers of every answer."""

from __future__ import annotations

import asyncio
import mimetypes
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException

from finer.identity.routes.edge import credential_of, signed_out_hint

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# Ant Design writes its styles at run time, hence 'unsafe-inline' for styles; scripts are only our own files.
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_NOT_BUILT = (
    "<!doctype html><title>Finer</title><p>The web app is not built. Run <code>make web</code>, then reload. "
    "The API answers under <a href='/api/v1/openapi.json'>/api/v1</a>."
)


def web_folder() -> Path:
    """Where the built web app is: inside the package in a wheel, in web/dist in a checkout."""
    inside = Path(__file__).resolve().parent.parent / "web"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[3] / "web" / "dist"


def web_app() -> list[Any]:
    """The handlers that serve the web app; every path that is no file is a page of the app."""
    folder = web_folder()

    @get(["/", "/{path:path}"], opt={"permission": "public"}, include_in_schema=False)
    async def page(request: Request[Any, Any, Any], path: Path | None = None) -> Response[Any]:
        answer = await asyncio.to_thread(_answer, folder, str(path or "").lstrip("/"))
        if answer.media_type == "text/html" and not credential_of(request)[0]:
            answer.set_cookie(signed_out_hint())
        return answer

    return [page]


def _answer(folder: Path, wanted: str) -> Response[Any]:
    """A file of the web app, or the app itself, which then shows the page that the path names."""
    if wanted.startswith("api/"):
        raise NotFoundException(f"There is no endpoint /{wanted}. /api/v1/openapi.json lists them.")
    file = (folder / wanted).resolve()
    if wanted and file.is_relative_to(folder.resolve()) and file.is_file():
        lasting = "public, max-age=31536000, immutable" if wanted.startswith("assets/") else "no-cache"
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return Response(file.read_bytes(), media_type=kind, headers={"Cache-Control": lasting})
    index = folder / "index.html"
    if not index.is_file():
        return Response(_NOT_BUILT, media_type="text/html")
    return Response(index.read_bytes(), media_type="text/html", headers={"Cache-Control": "no-cache"})


async def security_headers(response: Response[Any]) -> Response[Any]:
    """The headers that every answer carries."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response
