"""`finer api` alone, as a process on a port of its own, for tests that need real sockets."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.server import free_port

_READY_S = 180


@dataclass(frozen=True)
class ApiProcess:
    """A running API: its address, what checks its certificate, its process and where it logs."""

    url: str
    verify: ssl.SSLContext | bool
    port: int
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def api_process(
    folder: Path, database_url: str, key_file: Path, *, certificate: Path | None = None, **environment: str
) -> Iterator[ApiProcess]:
    """`finer api` on this database until the block ends; with a certificate its key is beside it, as `.key`.

    `key_file` holds the master keys that the database was sealed with.
    """
    port, log = free_port(), folder / "api.log"
    command = [sys.executable, "-m", "finer.app.cli", "api"]
    given = {"FINER_DATABASE_URL": database_url, "FINER_KEY_FILE": str(key_file), **environment}
    given |= {"FINER_DATA_DIR": str(folder), "FINER_PORT": str(port)}
    verify: ssl.SSLContext | bool = True
    if certificate is not None:
        command += ["--tls-cert", str(certificate), "--tls-key", str(certificate.with_suffix(".key"))]
        verify = ssl.create_default_context(cafile=str(certificate))
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | given)
    url = f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
    found = ApiProcess(url, verify, port, process, log)
    try:
        _wait(found)
        yield found
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(found: ApiProcess) -> None:
    deadline = time.monotonic() + _READY_S
    # One client for all questions: each reads all certificates of the machine when it is made.
    with httpx.Client(base_url=found.url, verify=found.verify, timeout=5) as client:
        while time.monotonic() < deadline:
            if (code := found.process.poll()) is not None:
                raise RuntimeError(f"finer api ended with exit code {code}: {found.log.read_text()}")
            try:
                if client.get("/api/v1/health/ready").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
    raise TimeoutError(f"The API was not ready within {_READY_S} s: {found.log.read_text()}")
