"""How `finer jobs` hears of new jobs: by a listener that it shares with whatever else listens there.

PostgreSQL wakes every connection of a database that listens to anything at each notification, whatever its channel,
and a decision takes two of them. procrastinate listens by a connection of its own for each of its workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from functools import partial

import procrastinate
from procrastinate.connector import Notify
from procrastinate.manager import get_channel_for_queues

_AGAIN_S = 0.1
_LOOK = '{"type": "job_inserted", "job_id": 0}'
"""What a worker is told when there may be jobs that nobody told it of."""


class JobConnector(procrastinate.PsycopgConnector):
    """The connections of procrastinate's workers, without those that only listen."""

    def __init__(self, url: str, connections: int) -> None:
        super().__init__(conninfo=url, max_size=connections)
        self._hearers: dict[str, tuple[Notify, asyncio.AbstractEventLoop]] = {}

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Let `handlers` tell a worker what comes on these channels, until it is cancelled."""
        loop = asyncio.get_running_loop()
        self._hearers |= dict.fromkeys(channels, (on_notification, loop))
        await loop.create_future()

    def handlers(self, queues: Iterable[str]) -> Mapping[str, Callable[[str], None]]:
        """What a `Listener` has to call for the workers of these queues."""
        return {channel: partial(self._tell, channel) for channel in get_channel_for_queues(queues)}

    def _tell(self, channel: str, payload: str) -> None:
        # A worker that does not hear yet is about to look by itself.
        if channel in self._hearers:
            hearer, loop = self._hearers[channel]
            asyncio.run_coroutine_threadsafe(_told(hearer, channel, payload or _LOOK), loop)


async def _told(hearer: Notify, channel: str, payload: str) -> None:
    await hearer(channel=channel, payload=payload)
    # procrastinate forgets what it is told while it is looking for a job, and looks by itself every five seconds.
    await asyncio.sleep(_AGAIN_S)
    await hearer(channel=channel, payload=_LOOK)
