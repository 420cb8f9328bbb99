"""`finer api`: one API process."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import click
from granian.constants import Interfaces, Loops
from granian.http import HTTP1Settings, HTTP2Settings
from granian.server.mp import MPServer

from finer.app.commands.common import data_dir_option, settings_of, tls_options
from finer.app.process import prepare_process
from finer.app.tls import tls_files

_HEADER_BYTES_MAX = 64 * 1024
_HEADER_READ_MS = 10_000
DRAIN_S = 0.5
"""How long the process goes on serving after it was told to stop, and has said so at /health/ready."""


class _Draining(MPServer):
    """Has the worker end its live streams before it is told to stop, since it waits for open connections."""

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """SIGTERM or SIGINT: drain, then stop."""
        for worker in self.wrks:
            if worker.inner.pid is not None and worker.inner.is_alive():
                os.kill(worker.inner.pid, signal.SIGUSR1)
        stop = threading.Timer(DRAIN_S, super().signal_handler_interrupt, args, kwargs)
        stop.daemon = True
        stop.start()


@click.command()
@data_dir_option
@tls_options
def api(data_dir: str | None, tls_cert: str | None, tls_key: str | None) -> None:
    """Run one API process.

    Example: FINER_DATABASE_URL=postgresql://... finer api
    """
    settings = settings_of(data_dir, tls_cert=tls_cert, tls_key=tls_key)
    prepare_process(settings, "api")
    os.environ.update(settings.environment())  # the worker process makes the app from its environment
    certificate, key = tls_files(settings) or (None, None)
    _Draining(
        "finer.app.api:create_app",
        factory=True,
        interface=Interfaces.ASGI,
        address=settings.host,
        port=settings.port,
        ssl_cert=certificate,
        ssl_key=key,
        workers=1,
        loop=Loops.uvloop,
        log_enabled=False,
        # With the default, as many open streams as the backlog has places would freeze the whole API.
        backlog=4096,
        backpressure=20_000,
        # Headers that trickle in, or never end, hold a connection; honest ones are here at once and small.
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_READ_MS, max_buffer_size=_HEADER_BYTES_MAX),
        http2_settings=HTTP2Settings(max_headers_size=_HEADER_BYTES_MAX),
        workers_kill_timeout=5,
        respawn_failed_workers=False,
        websockets=False,
    ).serve()
