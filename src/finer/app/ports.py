"""The ports of this machine: who listens on one, and that two processes of Finer never share one by mistake."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys

import psutil

from finer.kit.errors import Conflict, InvalidInput


def hold_port(host: str, port: int) -> socket.socket | None:
    """Keep other processes of Finer off this port for as long as what is returned is open, or the process lives.

    The web server listens in a way in which several processes can share a port, and the system then spreads
    connections over all of them: two installations on one port would answer in turn. None where the system has no
    names to hold. Raises Conflict, which says who has the port, and InvalidInput for an address that is not of here.
    """
    refuse_taken_port(host, port)
    if not sys.platform.startswith("linux"):
        return None
    held = socket.socket(socket.AF_UNIX)
    try:
        # A name in the same network namespace as the port, that the kernel frees when its holder ends. It covers the
        # seconds between now and listening.
        held.bind(f"\0finer-port-{host}-{port}")
    except OSError as error:
        held.close()
        raise _conflict(host, port, "another process of Finer that is starting") from error
    return held


def refuse_taken_port(host: str, port: int) -> None:
    """Raises Conflict when somebody listens on the port already, and says who; InvalidInput when nobody can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # Without SO_REUSEPORT, so that a port which others would share counts as taken. Connections of an earlier
        # process that wait for their end do not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise _conflict(host, port, listener_of(port)) from error
            # A web server that cannot listen ends, and would be started again for ever.
            raise InvalidInput(
                f"Nobody can listen at {host}:{port}: {error.strerror}. Give an address of this machine with --host or "
                "FINER_HOST (0.0.0.0 for all), and a port that this user may open with --port or FINER_PORT."
            ) from error


def listener_of(port: int) -> str:
    """The process that listens on a port, in words."""
    with contextlib.suppress(psutil.Error, OSError):
        process = _listener(port)
        if process is not None:
            return f"process {process.pid} ({' '.join(process.cmdline())[:200] or process.name()})"
    return "a process of another user"


def served_by_finer(port: int) -> bool:
    """Whether the one who listens on a port is an API process of Finer."""
    with contextlib.suppress(psutil.Error, OSError):
        process = _listener(port)
        if process is not None:
            words: list[str] = process.cmdline()
            return words[-1] == "api" and any(word == "finer.app.cli" or word.endswith("/finer") for word in words)
    return False


def _listener(port: int) -> psutil.Process | None:
    for one in psutil.net_connections("tcp"):
        if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port and one.pid is not None:
            return psutil.Process(one.pid)
    return None


def _conflict(host: str, port: int, holder: str) -> Conflict:
    return Conflict(
        f"Port {port} of {host} is taken by {holder}. Stop that, or give another port with --port or FINER_PORT."
    )
