"""The response of a live stream, of which an API process may hold ten thousand: less to hold for each.

Litestar's own has a task group around every stream, which is several kilobytes and two dozen objects for the garbage
collector to walk. Here one task waits for the connection to close, and cancels the one that sends.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from litestar.response import Stream
from litestar.response.base import ASGIResponse
from litestar.response.streaming import ASGIStreamingResponse
from litestar.types import Receive, Send


class LiveResponse(ASGIStreamingResponse):
    """Sends what its iterator gives until that ends or the viewer goes away."""

    __slots__ = ()

    async def send_body(self, send: Send, receive: Receive) -> None:
        """Send the body; the iterator is closed in any case, so that nobody tells a viewer who is gone."""
        sending = cast("asyncio.Task[None]", asyncio.current_task())
        gone = asyncio.ensure_future(_disconnected(receive))

        over = False

        def end(_: asyncio.Future[None]) -> None:
            if not over:  # it may have been on its way already when the stream ended by itself
                sending.cancel()

        gone.add_done_callback(end)
        try:
            await self._stream(send)
        except asyncio.CancelledError:
            if not gone.done():
                raise  # the process stops
            sending.uncancel()
        finally:
            over = True
            gone.remove_done_callback(end)
            gone.cancel()
            await self.iterator.aclose()  # type: ignore[union-attr]  # live streams are generators


class LiveStream(Stream):
    """A stream of server-sent events."""

    def __init__(self, content: Any, headers: dict[str, str]) -> None:
        super().__init__(content, media_type="text/event-stream", headers=headers)

    def to_asgi_response(self, *arguments: Any, **named: Any) -> ASGIResponse:
        """Litestar's response with another way to send it."""
        made = super().to_asgi_response(*arguments, **named)
        made.__class__ = LiveResponse  # it makes its own kind by name, and leaves no other way in
        return made


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
