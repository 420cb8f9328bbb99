"""What of this network an operator opened to sources, as the settings say it.

`FINER_SOURCES_HOSTS` lists `host:port`, or `firm=host:port` for one firm alone; `FINER_SOURCES_FOLDERS` lists
`firm=/folder`: a folder belongs to one firm, since a folder for all would let each firm read the others' files.
"""

from __future__ import annotations

from finer.sources.errors import SettingsInvalid


def hosts_of(setting: str, firm: str) -> frozenset[str]:
    """The `host:port` pairs that a firm's sources may reach although private or without TLS."""
    found = set()
    for entry in _entries(setting):
        owner, equals, address = entry.rpartition("=")
        if not equals or owner.strip() == firm:
            found.add(address.strip().lower())
    return frozenset(found)


def folders_of(setting: str, firm: str) -> list[str]:
    """The folders below which a firm's sources may watch."""
    pairs = [entry.partition("=") for entry in _entries(setting)]
    return [path.strip() for owner, equals, path in pairs if equals and owner.strip() == firm and path.strip()]


def pairs_of(brokers: str) -> list[tuple[str, int]]:
    """The addresses of a comma-separated list of `host:port`. Raises SettingsInvalid."""
    found = []
    for entry in _entries(brokers):
        host, colon, port = entry.rpartition(":")
        host = host.strip("[]").lower()
        if not colon or not host or not port.isdigit() or not 0 < int(port) < 65_536:
            raise SettingsInvalid(f"{entry[:80]!r} is no host:port, such as broker1.example:9093.")
        found.append((host, int(port)))
    if not 0 < len(found) <= 20:
        raise SettingsInvalid("Give one to twenty brokers as host:port, separated by commas.")
    return found


def written_brokers(pairs: list[tuple[str, int]]) -> str:
    """The inverse of `pairs_of`, in the one form that every reader of such lists takes alike."""
    return ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in pairs)


def _entries(setting: str) -> list[str]:
    return [entry.strip() for entry in setting.split(",") if entry.strip()]
