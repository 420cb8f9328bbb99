"""Whether a PostgreSQL of the operator's own is reached in a way that nobody between can read or answer for it."""

from __future__ import annotations

import ipaddress

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import ProgrammingError

from finer.kit.errors import InvalidInput
from finer.kit.settings import Settings

_VERIFIED = "verify-full"


def check_database_address(settings: Settings) -> str:
    """FINER_DATABASE_URL, when it may be used: on this machine, or over TLS that names the server.

    Raises InvalidInput for an address that cannot be read, and for another machine without sslmode=verify-full unless
    FINER_DATABASE_TLS says that the network is trusted.
    """
    try:
        parts = conninfo_to_dict(settings.database_url)
    except ProgrammingError as error:
        raise InvalidInput(
            "FINER_DATABASE_URL cannot be read. It looks like postgresql://user:password@host:5432/finer?sslmode=verify-full."
        ) from error
    hosts = [host for name in ("host", "hostaddr") for host in str(parts.get(name) or "").split(",")]
    away = sorted({host for host in hosts if not _is_here(host)})
    if away and settings.database_tls == _VERIFIED and parts.get("sslmode") != _VERIFIED:
        raise InvalidInput(
            f"FINER_DATABASE_URL reaches {', '.join(away)} without sslmode=verify-full, so somebody in between could "
            "read or answer for it. Add ?sslmode=verify-full&sslrootcert=... to it; or, where the network itself is "
            "encrypted, set FINER_DATABASE_TLS=any."
        )
    return settings.database_url


def reached_at(address: str) -> str:
    """Where an address leads, as drivers of PostgreSQL are told it, without who connects."""
    parts = conninfo_to_dict(address)
    named = ("host", "hostaddr", "port", "dbname", "sslmode", "sslrootcert")
    return make_conninfo("", **{name: parts[name] for name in named if parts.get(name)})


def _is_here(host: str) -> bool:
    """Whether a host of a connection string is a socket or an address of this machine."""
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
