"""`finer api`: one API process."""

from __future__ import annotations

import os
import resource
import signal
import threading
from contextlib import nullcontext
from typing import Any

import click
from granian.constants import Interfaces, Loops
from granian.http import HTTP1Settings, HTTP2Settings
from granian.server.mp import MPServer

from finer.app.commands.options import data_dir_option, settings_of, tls_options
from finer.app.ports import hold_port
from finer.app.process import prepare_process
from finer.app.tls import tls_files

_HEADER_BYTES_MAX = 64 * 1024
_HEADER_READ_MS = 10_000
_OPEN_FILES = 65_536
LAST_REQUESTS_S = 10
"""How long requests that are under way have until the process ends, once no new ones are taken."""


class _Draining(MPServer):
    """Has the worker end its live streams before it is told to stop, since it waits for open connections."""

    drain_s = 0.0

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """SIGTERM or SIGINT: drain, then stop."""
        for worker in self.wrks:
            if worker.inner.pid is not None and worker.inner.is_alive():
                os.kill(worker.inner.pid, signal.SIGUSR1)
        stop = threading.Timer(self.drain_s, super().signal_handler_interrupt, args, kwargs)
        stop.daemon = True
        stop.start()


def _allow_open_files() -> None:
    """Every open page holds a connection, and what a shell allows by default is often a thousand."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@click.command()
@data_dir_option
@tls_options
def api(data_dir: str | None, tls_cert: str | None, tls_key: str | None) -> None:
    """Run one API process.

    Example: FINER_DATABASE_URL=postgresql://... finer api
    """
    settings = settings_of(data_dir, tls_cert=tls_cert, tls_key=tls_key)
    prepare_process(settings, "api")
    # The worker process makes the app from its environment, and ends with this one.
    os.environ.update(settings.environment() | {"FINER_SUPERVISOR_PID": str(os.getpid())})
    certificate, key = tls_files(settings) or (None, None)
    held = hold_port(settings.host, settings.port)
    _allow_open_files()
    server = _Draining(
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
        workers_kill_timeout=LAST_REQUESTS_S,
        respawn_failed_workers=False,
        websockets=False,
    )
    server.drain_s = settings.drain_s
    with held or nullcontext():
        server.serve()
