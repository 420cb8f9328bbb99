"""A Finer of its own for journeys and benchmarks: made in a temporary folder, stopped and removed at the end."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import functools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from click.testing import CliRunner, Result

from finer.app.cli import main
from finer.app.commands.common import running_database, tenant_id
from finer.identity.service import api_keys, people, tenants
from finer.identity.types.access import Permission, Role
from finer.kit.actors import SYSTEM
from finer.kit.db import Database
from finer.kit.ids import new_id
from finer.kit.postgres import EmbeddedPostgres
from finer.kit.settings import load_settings
from finer.warehouse.service.lake import describe
from finer.warehouse.store.access import LakeAccess
from tests.support.identity import PASSWORD

TENANT = "acme"
_PORTS = (Path(tempfile.gettempdir()) / f"finer-test-ports-{os.getuid()}").open("ab")
_HANDED_OUT: set[int] = set()
_CHANCE = random.SystemRandom()  # test processes that run at once must not draw the same ports
_SCOPES = (
    Permission.EVENTS_WRITE, Permission.DECISIONS_WRITE, Permission.LABELS_WRITE, Permission.RECEIPTS_READ,
    Permission.QUARANTINE_READ,
)  # fmt: skip


@dataclass
class Server:
    """A running Finer: where it answers, and how to look inside."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    api_key: str = ""
    tenant: str = TENANT

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

    def finer_here(self, *arguments: str) -> str:
        """The same within this process, which has loaded already what each process would load for a second."""
        done = self.run_here(*arguments)
        if done.exit_code:
            raise RuntimeError(f"finer {' '.join(arguments)} failed: {done.stderr}{done.stdout}") from done.exception
        return done.stdout

    def run_here(self, *arguments: str) -> Result:
        """Run a finer command within this process; returns how it ended and what it printed."""
        return CliRunner().invoke(main, [*arguments, "--data-dir", str(self.folder)])

    def for_firm(self, slug: str) -> Server:
        """The same Finer for another firm, which is made."""
        with running_database(load_settings({}, data_dir=str(self.folder))) as database:
            return replace(self, tenant=slug, api_key=_make_firm(database, slug))

    def email(self, role: str, *, second: bool = False) -> str:
        """Where the firm's person of that role gets mail, or the second one."""
        return f"{role}{'_2' if second else ''}@{self.tenant}.example"

    def sign_in(self, role: str, *, second: bool = False) -> httpx.Client:
        """A client signed in as a person of that role, or as a second one."""
        email = self.email(role, second=second)
        settings = load_settings({}, data_dir=str(self.folder))
        with (
            running_database(settings) as database,
            database.transaction(tenant_id(database, self.tenant), SYSTEM) as tx,
        ):
            name = role.replace("_", " ").title() + (" the Second" if second else "")
            people.create_user(tx, settings, email=email, name=name, role=Role(role), password=PASSWORD)
        client = httpx.Client(base_url=self.url, headers={"X-Requested-With": "finer", "Origin": self.url}, timeout=30)
        answer = client.post("/api/v1/session", json={"email": email, "password": PASSWORD})
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

    def wait_ready(self, timeout_s: float = 120, *, port: int | None = None) -> float:
        """Wait until the API (of a port, when there are several) is ready; returns the seconds it took."""
        started = time.monotonic()
        with httpx.Client(base_url=f"http://127.0.0.1:{port or self.port}", timeout=2) as client:
            while time.monotonic() - started < timeout_s:
                if self.process.poll() is not None:
                    raise RuntimeError(f"finer up ended with exit code {self.process.returncode}.")
                with contextlib.suppress(httpx.TransportError):
                    if client.get("/api/v1/health/ready").status_code == 200:
                        return time.monotonic() - started
                time.sleep(0.02)
        raise TimeoutError(f"Finer was not ready within {timeout_s:.0f} s.")

    def wait_in_lake(self, table: str, rows: int = 1, timeout_s: float = 60) -> None:
        """Wait until a table of the firm's lake has so many rows: a record is there some seconds after it was sent."""
        deadline = time.monotonic() + timeout_s
        with self._lake() as (access, tenant):
            while time.monotonic() < deadline:
                if _rows(access, tenant, table) >= rows:
                    return
                time.sleep(0.1)
        raise TimeoutError(f"The lake of {self.tenant} has not {rows} rows of {table} after {timeout_s:.0f} s.")

    def rows_in_lake(self, table: str) -> int:
        """Rows of a table of the firm's lake; 0 when there is none."""
        with self._lake() as (access, tenant):
            return _rows(access, tenant, table)

    @contextlib.contextmanager
    def _lake(self) -> Iterator[tuple[LakeAccess, uuid.UUID]]:
        """How to reach the lake, and whose it is."""
        settings = load_settings({}, data_dir=str(self.folder))
        with running_database(settings) as database:
            yield LakeAccess(database.url, settings), tenant_id(database, self.tenant)

    def start(self, *, nohup: bool = False) -> None:
        """Start `finer up` on this folder; `nohup` as that command does it."""
        self.process = _start(self.folder, self.port, nohup=nohup)
        self.wait_ready()

    def stop(self) -> None:
        """Stop it as an operator would."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


@contextlib.contextmanager
def serving(*, empty: bool = False, **environment: str) -> Iterator[Server]:
    """A fresh Finer with a tenant and an API key, ready to take events.

    It starts on a copy of a data folder with both; `empty` starts it on an empty folder and makes them by the command
    line, as whoever installs it does, which takes some seconds more.
    """
    folder = Path(tempfile.mkdtemp(prefix="finer-server-"))
    folder.chmod(0o755)
    key = "" if empty else _furnish(folder)
    port = free_port(int(environment.get("FINER_API_PROCESSES", "1")) - 1)
    server = Server(folder, port, _start(folder, port, environment), key)
    try:
        server.wait_ready()
        if empty:
            server.finer("tenant", "create", TENANT, "Acme Bank", "--currency", "PHP", "--timezone", "Asia/Manila",
                         "--second-factor", "optional")  # fmt: skip
            scopes = [word for scope in _SCOPES for word in ("--scope", scope.value)]
            made = server.finer("key", "create", "machine", "--tenant", TENANT, *scopes, "--json")
            server.api_key = json.loads(made)["key"]
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def trace_processes(patch: pytest.MonkeyPatch) -> None:
    """Have coverage.py trace what is started from now on, when tools/checks.py measures; a plugin sees only itself."""
    if os.environ.get("FINER_TEST_TRACE_STORY"):
        patch.setenv("COVERAGE_PROCESS_START", str(Path(__file__).resolve().parents[2] / "pyproject.toml"))


def _furnish(folder: Path) -> str:
    """Copy the furnished data folder; returns the API key of its firm."""
    pattern, key = _furnished()
    # Not shutil: the files of the cluster keep their owner, who is not root when root runs the tests.
    subprocess.run(["cp", "--archive", f"{pattern}/.", str(folder)], check=True)
    return key


@functools.cache
def _furnished() -> tuple[Path, str]:
    """A data folder with a migrated database, a firm and an API key, made once in this process; and the key."""
    folder = Path(tempfile.mkdtemp(prefix="finer-furnished-"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with running_database(load_settings({}, data_dir=str(folder)), may_make=True) as database:
        return folder, _make_firm(database, TENANT)


def _rows(access: LakeAccess, tenant: uuid.UUID, table: str) -> int:
    return next((found.rows for found in describe(access, tenant) if found.name == table), 0)


def _make_firm(database: Database, slug: str) -> str:
    """Make a firm with an API key; returns the key."""
    with database.transaction(new_id(), SYSTEM) as tx:
        firm = tenants.create_tenant(
            tx, slug=slug, name=f"{slug.title()} Bank", base_currency="PHP", timezone="Asia/Manila",
            second_factor_required=False,
        )  # fmt: skip
    with database.transaction(firm.id, SYSTEM) as tx:
        return api_keys.create_api_key(tx, name="machine", scopes=_SCOPES, lifetime=timedelta(days=90))[1]


def _start(
    folder: Path, port: int, environment: dict[str, str] | None = None, *, nohup: bool = False
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "finer.app.cli", "up", "--data-dir", str(folder), "--port", str(port)]
    # Whoever runs the tests under nohup would hand its deafness on to what they start.
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if nohup else signal.SIG_DFL)
    try:
        with (folder / "finer.log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | (environment or {}))
    finally:
        signal.signal(signal.SIGHUP, before)


def free_port(following: int = 0) -> int:
    """A port on which nobody listens now, nor on the `following` ones, below those of outgoing connections.

    One of those could be given away in the seconds until the server that is being started listens. So
    none is handed out twice as long as this process lives, neither here nor in other processes of the tests.
    """
    while True:
        port = _CHANCE.randrange(15_000, 32_000)
        with contextlib.ExitStack() as probes, contextlib.suppress(OSError):
            for one in range(port, port + following + 1):
                probes.enter_context(socket.socket()).bind(("127.0.0.1", one))
            taken = range(port, port + following + 1)
            if _HANDED_OUT.isdisjoint(taken):
                # The lock of this process on as many bytes, at the place of the port, in a file that all of them lock.
                fcntl.lockf(_PORTS, fcntl.LOCK_EX | fcntl.LOCK_NB, len(taken), port)
                _HANDED_OUT.update(taken)
                return port
