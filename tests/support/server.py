"""A Finer of its own for journeys and benchmarks: made in a temporary folder, stopped and removed at the end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import psycopg

from finer.kit.postgres import EmbeddedPostgres


@dataclass
class Server:
    """A running Finer: where it answers, and how to look inside."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    api_key: str = ""
    tenant: str = "acme"

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"http://127.0.0.1:{self.port}"

    def database(self) -> psycopg.Connection:
        """A connection as the database's owner, to measure with."""
        return psycopg.connect(EmbeddedPostgres(self.folder).url, autocommit=True)

    def finer(self, *arguments: str) -> str:
        """Run a finer command on this server's data; returns what it printed."""
        command = [sys.executable, "-m", "finer.app.cli", *arguments, "--data-dir", str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"finer {' '.join(arguments)} failed: {done.stderr}{done.stdout}")
        return done.stdout

    def sign_in(self, role: str) -> httpx.Client:
        """A client signed in as a person of that role."""
        email = f"{role}@acme.example"
        command = [
            "user",
            "create",
            email,
            "--role",
            role,
            "--name",
            role.replace("_", " ").title(),
            "--password-stdin",
        ]
        full = [
            sys.executable,
            "-m",
            "finer.app.cli",
            *command,
            "--tenant",
            self.tenant,
            "--data-dir",
            str(self.folder),
        ]
        subprocess.run(full, check=True, capture_output=True, text=True, input="correct horse battery staple\n")
        client = httpx.Client(base_url=self.url, headers={"X-Requested-With": "finer", "Origin": self.url}, timeout=30)
        answer = client.post("/api/v1/session", json={"email": email, "password": "correct horse battery staple"})
        answer.raise_for_status()
        return client

    def process_of(self, name: str) -> psutil.Process:
        """The process of a role: `api` (the one that serves), `worker`, `jobs`, `postgres` (the postmaster)."""
        if name == "postgres":
            lines = (EmbeddedPostgres(self.folder).cluster / "postmaster.pid").read_text().splitlines()
            return psutil.Process(int(lines[0]))
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for child in psutil.Process(self.process.pid).children():
                try:
                    if name in child.cmdline():
                        inner = child.children() if name == "api" else []
                        return inner[0] if inner else child
                except (psutil.ZombieProcess, psutil.NoSuchProcess):
                    continue
            time.sleep(0.05)
        raise LookupError(f"There is no process {name!r} under the supervisor.")

    def wait_ready(self, timeout_s: float = 120) -> float:
        """Wait until the API is ready; returns the seconds it took."""
        started = time.monotonic()
        while time.monotonic() - started < timeout_s:
            if self.process.poll() is not None:
                raise RuntimeError(f"finer up ended with exit code {self.process.returncode}.")
            try:
                if httpx.get(f"{self.url}/api/v1/health/ready", timeout=2).status_code == 200:
                    return time.monotonic() - started
            except httpx.TransportError:
                time.sleep(0.02)
        raise TimeoutError(f"Finer was not ready within {timeout_s:.0f} s.")

    def start(self) -> None:
        """Start `finer up` on this folder."""
        self.process = _start(self.folder, self.port)
        self.wait_ready()

    def stop(self) -> None:
        """Stop it as an operator would."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


@contextmanager
def serving(**environment: str) -> Iterator[Server]:
    """A fresh Finer with a tenant and an API key, ready to take events."""
    folder = Path(tempfile.mkdtemp(prefix="finer-server-"))
    folder.chmod(0o755)
    port = free_port()
    server = Server(folder, port, _start(folder, port, environment))
    try:
        server.wait_ready()
        server.finer("tenant", "create", server.tenant, "Acme Bank", "--currency", "PHP", "--timezone", "Asia/Manila")
        made = server.finer(
            "key", "create", "machine", "--tenant", server.tenant, "--scope", "events:write", "--scope",
            "decisions:write", "--scope", "receipts:read", "--scope", "quarantine:read", "--json",
        )  # fmt: skip
        server.api_key = json.loads(made)["key"]
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, port: int, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "finer.app.cli", "up", "--data-dir", str(folder), "--port", str(port)]
    with (folder / "finer.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | (environment or {}))


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
