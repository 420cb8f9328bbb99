"""Where a tenant's lake is, and how to open DuckDB for it."""

from __future__ import annotations

import importlib.util
import os
import re
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
import structlog

from finer.kit.db import LAKE, connect, url_for_role
from finer.kit.late import LateModule
from finer.kit.settings import Settings
from finer.warehouse.errors import LakeUnavailable
from finer.warehouse.store.places import Place, endpoint_parts, place_of, storage_options, tenant_folder

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = LateModule("duckdb")

_log = structlog.get_logger(__name__)
_EXTENSIONS = ("ducklake", "postgres_scanner")
_signed: dict[str, tuple[int, ...]] = {}
"""What each file of an extension was when DuckDB found its signature good, in this process."""
_PASSWORD = re.compile(r"(password\s*=\s*|://[^:/@\s\"']*:)('[^']*'|[^\s\"'@]+)")


def unavailable(sentence: str, error: Exception) -> LakeUnavailable:
    """`sentence` as an error for people. What a library says may name files, machines and accounts: the log has it."""
    said = _PASSWORD.sub(r"\1***", str(error).split("\n", 1)[0])
    _log.error("the lake is not available", sentence=sentence, error=f"{type(error).__name__}: {said}")
    return LakeUnavailable(f"{sentence} Try again in a moment; if it stays so, the operator's log says why.")


@dataclass(frozen=True)
class LakeAccess:
    """The lakes of all tenants: one DuckLake catalogue schema and one folder for each.

    Everything acts as the role finer_lake, which owns the schemas lake_* and can read no table of the application.
    """

    url: str
    settings: Settings

    @property
    def place(self) -> Place:
        """Where the files of all lakes are. Raises LakeUnavailable when the setting cannot be used."""
        return place_of(self.settings)

    def address(self, tenant: uuid.UUID) -> str:
        """Where one tenant's files are, as DuckDB takes it."""
        return self.place.address(tenant_folder(tenant))

    def open(self, *, memory_mb: int, threads: int) -> duckdb.DuckDBPyConnection:
        """A DuckDB that can reach the files; see `open_duckdb`."""
        if self.place.local:
            return open_duckdb(memory_mb=memory_mb, threads=threads)
        options = storage_options(self.settings)
        more = ("httpfs",) if options[2] else ("httpfs", "aws")
        connection = open_duckdb(memory_mb=memory_mb, threads=threads, extensions=(*_EXTENSIONS, *more))
        _reach_object_storage(connection, *options)
        return connection

    def catalogue(self) -> psycopg.Connection:
        """A connection to the catalogues, in autocommit."""
        return connect(self.url, LAKE, name="finer-lake")

    def attach_statement(self, tenant: uuid.UUID, alias: str, *, read_only: bool) -> str:
        """The SQL that attaches a tenant's lake. Naming the schema twice keeps DuckDB from looking at all others."""
        address = _patient(url_for_role(self.url, LAKE)).replace("'", "''")
        folder = self.address(tenant).replace("'", "''")
        schema = schema_name(tenant)
        options = [
            f"data_path '{folder}/'",
            "override_data_path true",
            f"metadata_schema '{schema}'",
            f"meta_schema '{schema}'",
            "data_inlining_row_limit 0",
        ]
        if read_only:
            options.append("read_only")
        return f"attach 'ducklake:postgres:{address}' as {alias} ({', '.join(options)})"


def _patient(url: str) -> str:
    """The address with no limit on idle transactions: DuckLake's waits in PostgreSQL while files are merged or read."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query["options"] = f"{query.get('options', '')} -c idle_in_transaction_session_timeout=0".strip()
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query, quote_via=quote), parts.fragment))


def schema_name(tenant: uuid.UUID) -> str:
    """The catalogue schema of a tenant, which is also its name inside DuckDB."""
    return f"lake_{tenant.hex}"


def open_duckdb(
    *, memory_mb: int, threads: int, extensions: tuple[str, ...] = _EXTENSIONS
) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory with the DuckLake and PostgreSQL extensions of the installed wheels.

    The files are loaded by path, with DuckDB's signature check on and installing from the network off. The check reads
    80 MB, a quarter of a second: of a file that has not changed since it was found good it is done once in a process.
    Raises LakeUnavailable when a wheel is missing.
    """
    files = [_extension(name) for name in extensions]
    found = {file: _state(file) for file in files}
    known = all(_signed.get(file) == state for file, state in found.items())
    connection = duckdb.connect(
        config={
            "threads": threads,
            "memory_limit": f"{memory_mb}MB",
            # Made when something does not fit in memory, gone when the connection closes; never shared.
            "temp_directory": str(Path(tempfile.gettempdir()) / f"finer-duckdb-{os.getpid()}-{uuid.uuid4().hex[:8]}"),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "allow_unsigned_extensions": str(known).lower(),
        }
    )
    for file in files:
        quoted = file.replace("'", "''")
        connection.execute(f"load '{quoted}'")
    # DuckDB lets nobody allow it again while it runs.
    connection.execute("set allow_unsigned_extensions = false")
    _signed.update(found)
    connection.execute("set python_enable_replacements = false")
    connection.execute("set timezone = 'UTC'")
    return connection


def _reach_object_storage(
    connection: duckdb.DuckDBPyConnection, endpoint: str, region: str, access_key: str, secret_key: str
) -> None:
    """Let this DuckDB, and no other, sign requests to the object storage. The secret is in memory only."""
    options = {"type": "s3", "region": region}
    if access_key:
        options |= {"provider": "config", "key_id": access_key, "secret": secret_key}
    else:
        # Roles of machines and pods change their keys by the hour: AWS's own library asks for them again.
        options |= {"provider": "credential_chain", "refresh": "auto"}
    if endpoint:
        scheme, host = endpoint_parts(endpoint)
        options |= {"endpoint": host, "url_style": "path", "use_ssl": str(scheme == "https").lower()}
    texts = {name: value.replace("'", "''") for name, value in options.items()}
    given = ", ".join(f"{name} '{value}'" for name, value in texts.items())
    try:
        connection.execute(f"create secret finer_lake ({given})")
    except duckdb.Error as error:
        raise LakeUnavailable(
            "Nothing on this machine says how to sign in to the object storage. Set FINER_LAKE_ACCESS_KEY and "
            "FINER_LAKE_SECRET_KEY, or give the machine a role."
        ) from error
    connection.execute("set http_retries = 5")


def _extension(name: str) -> str:
    wheel = f"duckdb_extension_{name}"
    found = importlib.util.find_spec(wheel)
    if found is None or found.origin is None:
        raise LakeUnavailable(f"The wheel {wheel.replace('_', '-')} is not installed. Run make run, or install it.")
    path = Path(found.origin).parent / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not path.exists():
        raise LakeUnavailable(f"{wheel.replace('_', '-')} does not fit DuckDB {duckdb.__version__}: {path} is missing.")
    return str(path)


def _state(file: str) -> tuple[int, ...]:
    """What changes with a file: who writes to it or puts another in its place cannot choose when the kernel saw it."""
    found = Path(file).stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
