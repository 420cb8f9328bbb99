"""HAProxy and nginx before API processes of this machine, with the configurations of deploy/."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.server import free_port

_DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
_READY_S = 15.0
_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))


def program(name: str) -> str | None:
    """Where `haproxy` or `nginx` is; None when it is not installed."""
    return shutil.which(name, path=_PATH)


def missing(*names: str) -> str:
    """Why the proxies cannot be started here; empty when they can."""
    lacking = [name for name in names if program(name) is None]
    return f"{' and '.join(lacking)} not installed. `make test` installs them where it may." if lacking else ""


@contextlib.contextmanager
def haproxy(folder: Path, api_ports: Sequence[int]) -> Iterator[int]:
    """The port of an HAProxy before these ports, as deployed but without TLS."""
    port, file = free_port(), folder / "haproxy.cfg"
    text = (_DEPLOY / "haproxy" / "haproxy.cfg").read_text()
    text = re.sub(r"bind :443 .*", f"bind 127.0.0.1:{port}", text)
    for place, api_port in enumerate(api_ports):
        text = text.replace(f"127.0.0.1:{8000 + place}\n", f"127.0.0.1:{api_port}\n")
    # An unprivileged run may not have as many open files as a real one asks for.
    text = text.replace("maxconn 50000", "maxconn 400").replace("maxconn 20000", "maxconn 200")
    file.write_text(text)
    with _running([str(program("haproxy")), "-W", "-f", str(file)], port, folder / "haproxy.log"):
        yield port


@contextlib.contextmanager
def nginx(folder: Path, api_ports: Sequence[int]) -> Iterator[int]:
    """The port of an nginx before these ports, as deployed but without TLS."""
    port, file = free_port(), folder / "nginx.conf"
    text = (_DEPLOY / "nginx" / "finer.conf").read_text()
    text = re.sub(r"listen 443 .*;", f"listen 127.0.0.1:{port};", text)
    text = re.sub(r" *ssl_.*;\n", "", text).replace("server_name finer.example;", "server_name _;")
    for place, api_port in enumerate(api_ports):
        text = text.replace(f"127.0.0.1:{8000 + place} ", f"127.0.0.1:{api_port} ")
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    owner = "user root;\n" if os.geteuid() == 0 else ""  # the scratch folder is for its owner alone
    file.write_text(
        f"daemon off;\n{owner}pid {folder}/nginx.pid;\nerror_log {folder}/nginx-error.log;\n"
        f"events {{ worker_connections 400; }}\nhttp {{\naccess_log off;\n{places}{text}}}\n"
    )
    command = [str(program("nginx")), "-c", str(file), "-p", str(folder), "-e", str(folder / "nginx-error.log")]
    with _running(command, port, folder / "nginx.log"):
        yield port


@contextlib.contextmanager
def _running(command: list[str], port: int, log: Path) -> Iterator[None]:
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + _READY_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start: {log.read_text()}")
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
