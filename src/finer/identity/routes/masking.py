"""Masking at the edge: whatever a route answers is shown in the form that the caller's role may see.

No route does it itself, so none can forget it: a field says what it holds (`finer.kit.masking`), and this is the one
place that every answer passes. Streams write their own bytes and call `mask` for each viewer.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from litestar import Request, Response

from finer.identity.service.authorisation import masking_of
from finer.kit.masking import Masking, mask

_NOBODY = Masking({})
_VIEWER: ContextVar[Masking] = ContextVar("finer_viewer", default=_NOBODY)


async def note_viewer(request: Request[Any, Any, Any]) -> None:
    """Remember for whom the answer of this request is; before_request of the app."""
    principal = request.scope.get("user")
    _VIEWER.set(_NOBODY if principal is None else masking_of(principal.actor()))


async def mask_answer(response: Response[Any]) -> Response[Any]:
    """Mask the answer for its viewer; after_request of the app."""
    response.content = mask(response.content, _VIEWER.get())
    return response
