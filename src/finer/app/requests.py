"""What is asked of every JSON body before a route reads it, and whose fault it is that one cannot be read."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import HTTPException, InternalServerException, ValidationException

from finer.identity.routes.edge import PUBLIC
from finer.kit.errors import InvalidInput

_NUL = rb"\u0000"


class CheckedRequest(Request[Any, Any, Any]):
    """A request whose JSON holds no U+0000.

    PostgreSQL keeps no such text, but a sealed column does, and a name from there would stop whatever puts it into a
    text later, such as the job that tells of alerts. Records keep their own rule, since routes that take them read the
    bytes; and who signs in is told the same whatever is wrong.
    """

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The parts of the body. Raises InvalidInput when it breaks off, by itself or by what is no chunk."""
        try:
            async for part in super().stream():
                yield part
        except InternalServerException as error:
            if "disconnected" not in error.detail:
                raise
            raise InvalidInput("The body breaks off before its end. Nothing was taken; send it again.") from error

    async def json(self) -> Any:
        """The body. Raises InvalidInput, and what the framework raises for what is no JSON."""
        if self.route_handler.opt.get("permission") != PUBLIC and _holds_nul(await self.body()):
            raise InvalidInput(r"A text holds the character U+0000 (\u0000), which cannot be stored. Take it out.")
        return await super().json()


def _holds_nul(body: bytes) -> bool:
    """Whether a text of the JSON holds U+0000; behind a backslash that is escaped itself, those are six letters."""
    return _NUL in body and _NUL in body.replace(rb"\\", b"__")


def callers_own(error: HTTPException) -> HTTPException:
    """The same error, as 400 where the fault is in the body.

    The framework takes a member of a body for one of our dependencies when the two have one name, and its fault for
    ours. What read the body says itself where the fault is.
    """
    said = str(error.__cause__)
    if error.status_code == 500 and isinstance(error.__cause__, msgspec.ValidationError) and "`$.data." in said:
        what, _, where = said.partition(" - at `$.data.")
        return ValidationException(
            "Validation failed", extra=[{"key": where.rstrip("`"), "message": what, "source": "body"}]
        )
    return error
