"""The cookies of signing in and out."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response
from litestar.datastructures import Cookie

from finer.identity.routes.edge import COOKIE, SECURE_COOKIE, SIGNED_OUT_COOKIE, signed_out_hint
from finer.kit.settings import Settings


def session_cookies(request: Request[Any, Any, Any], token: str, settings: Settings) -> list[Cookie]:
    """The cookie of a session, and the end of the mark that nobody is signed in."""
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
    return [cookie, Cookie(key=SIGNED_OUT_COOKIE, value="", max_age=0)]


def signed_out() -> Response[None]:
    """The answer that takes the session cookie away."""
    # Browsers overlook a __Host- cookie that is not marked secure, even one that only takes it away.
    gone = [Cookie(key=name, value="", max_age=0, secure=name == SECURE_COOKIE) for name in (COOKIE, SECURE_COOKIE)]
    return Response(None, status_code=204, cookies=[*gone, signed_out_hint()])
