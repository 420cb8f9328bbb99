"""The one door out: HTTP to addresses that somebody typed in, without reaching what is not meant for them (SSRF).

A name is resolved here, every address it has is looked at, and the connection goes to an address that was looked at:
a name that answers differently a moment later changes nothing. There are no redirects, no cookies, no proxies of the
environment and no unpacking; sizes and the whole duration are bounded. Refused are private, loopback, link-local,
multicast and reserved addresses, and IPv6 addresses that carry an IPv4 address inside (NAT64, 6to4, Teredo, mapped).
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

import httpcore

from finer.kit.errors import Unavailable
from finer.kit.settings import Settings

_PORTS = (443, 8443)
_TIMEOUT_S = 5.0
_BYTES_MAX = 256 * 1024
_CERTIFICATES_S = 3600.0
"""How long certificates are used at most, for changes that files and folders do not show."""
_PLAIN = re.compile(r"[!-\[\]-~]{1,2048}")  # ASCII without blanks and backslashes, which parsers read differently
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
# Parts of the global ranges that lead elsewhere: relays (6to4, Teredo) and what documentation uses.
_DETOURS = [ipaddress.ip_network(text) for text in ("192.88.99.0/24", "2001::/32", "2002::/16", "2001:db8::/32")]


class OutboundRefused(Unavailable):
    """An outbound request was not made, or its answer not taken; `detail` says why."""

    slug = "outbound-refused"
    title = "The other side cannot be reached"
    status = 502


@dataclass(frozen=True)
class Answer:
    """What the other side answered: a status under 300 or over 399, and a body within the limit."""

    status: int
    body: bytes


class Outbound:
    """HTTP requests to the outside.

    `allowed` are `host:port` pairs that may be private and may speak plain HTTP. With `only`, no host is asked but
    those and the hosts that it names; `*.acme.example` names every host under acme.example. `listed_in` is what a
    refusal tells the operator: the setting in which such pairs are listed.
    """

    def __init__(
        self, allowed: Iterable[str] = (), *, only: Iterable[str] = (), timeout_s: float = _TIMEOUT_S,
        listed_in: str = "FINER_OUTBOUND_HOSTS",
    ) -> None:  # fmt: skip
        self._allowed = frozenset(pair.strip().lower() for pair in allowed if pair.strip())
        self._only = frozenset(host.strip().lower() for host in only if host.strip())
        self._timeout_s = timeout_s
        self._listed_in = listed_in

    @classmethod
    def of(cls, settings: Settings) -> Outbound:
        """The door as the operator set it: FINER_OUTBOUND_HOSTS and FINER_OUTBOUND_ONLY."""
        return cls(settings.outbound_hosts.split(","), only=settings.outbound_only.split(","))

    def check_host(self, host: str, port: int) -> None:
        """Whether a host may be asked at all, by whatever protocol. Raises OutboundRefused."""
        listed = f"{host.lower()}:{port}" in self._allowed
        if not listed and self._only and not self._is_named(host.lower()):
            raise OutboundRefused(
                f"{host} is none of the hosts that may be asked. An operator lists those: FINER_OUTBOUND_ONLY"
            )

    def check(self, url: str) -> None:
        """Whether a URL could be asked at all, without asking it. Raises OutboundRefused."""
        self._split(url)

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, bytes_max: int = _BYTES_MAX) -> Answer:
        """Read a URL. Raises OutboundRefused."""
        return self._request("GET", url, dict(headers or {}), None, bytes_max)

    def post_form(self, url: str, form: Mapping[str, str], *, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a form. Raises OutboundRefused."""
        sent = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return self._request("POST", url, sent, urlencode(form).encode(), _BYTES_MAX)

    def post_json(
        self, url: str, body: bytes, *, headers: Mapping[str, str] | None = None, bytes_max: int = _BYTES_MAX
    ) -> Answer:
        """Send a JSON document. Raises OutboundRefused."""
        return self._request("POST", url, {"Content-Type": "application/json", **(headers or {})}, body, bytes_max)

    def _request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, bytes_max: int) -> Answer:
        parts, listed = self._split(url)
        deadline = time.monotonic() + self._timeout_s
        usual = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "Finer"}
        sent = [*(usual | dict(headers)).items()]
        backend = _Backend(deadline, listed)
        try:
            with (
                httpcore.ConnectionPool(ssl_context=_tls(), network_backend=backend, max_connections=1) as pool,
                pool.stream(method, url, headers=sent, content=body) as answer,
            ):
                if 300 <= answer.status < 400:
                    raise OutboundRefused(f"{parts.hostname} answered with a redirect, and redirects are not followed.")
                return Answer(answer.status, _read(answer.iter_stream(), bytes_max, parts.hostname or ""))
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            reason = str(error) or type(error).__name__
            raise OutboundRefused(f"{parts.hostname} could not be asked: {reason}.") from error

    def _split(self, url: str) -> tuple[SplitResult, bool]:
        if not _PLAIN.fullmatch(url):
            raise OutboundRefused("The address is too long, or has characters that an address cannot have.")
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise OutboundRefused(f"{url[:80]!r} is no address.") from error
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise OutboundRefused(f"{url[:80]!r} is no https address.")
        if "@" in parts.netloc:
            raise OutboundRefused("An address with a user name or a password in it is not used.")
        listed = f"{parts.hostname.lower()}:{port}" in self._allowed
        self.check_host(parts.hostname, port)
        if not listed and (parts.scheme != "https" or port not in _PORTS):
            raise OutboundRefused(
                f"{parts.hostname} must be asked by https, on port 443 or 8443. An operator may list {parts.hostname}:"
                f"{port} in {self._listed_in}."
            )
        return parts, listed

    def _is_named(self, host: str) -> bool:
        parents = host.split(".")
        under = {"*." + ".".join(parents[at:]) for at in range(1, len(parents))}
        return host in self._only or not under.isdisjoint(self._only)


def is_outside(text: str) -> bool:
    """Whether an IP address is one of the public Internet, and none that leads back inside."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_V6:
        return False
    return not any(address in network for network in _DETOURS if network.version == address.version)


def _tls() -> ssl.SSLContext:
    """What the other side has to prove, by the certificates that this machine trusts now."""
    paths = ssl.get_default_verify_paths()
    return _read_tls(_state(paths.cafile), _state(paths.capath), int(time.monotonic() // _CERTIFICATES_S))


def _state(path: str | None) -> tuple[int, ...] | None:
    """What differs when a file, or what a folder holds, was replaced; None where there is none."""
    if path is None:
        return None
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=1)
def _read_tls(*_states: object) -> ssl.SSLContext:
    """Read the certificates, which takes 20 ms: again only when something about them is another."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _read(chunks: Iterable[bytes], bytes_max: int, host: str) -> bytes:
    found = bytearray()
    for chunk in chunks:
        found += chunk
        if len(found) > bytes_max:
            raise OutboundRefused(f"{host} answered more than {bytes_max // 1024} KiB, so the answer was not read.")
    return bytes(found)


class _Backend(httpcore.NetworkBackend):
    """Connects to addresses that were looked at, and lets nothing take longer than the whole request may."""

    def __init__(self, deadline: float, listed: bool) -> None:
        self._deadline = deadline
        self._listed = listed

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline counts
        local_address: str | None = None,  # noqa: ARG002 - any will do
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 - none are set
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(f"the name {host} is not known") from error
        addresses = [str(entry[4][0]) for entry in found]
        # One inside address among several is enough: a name that mixes them is up to no good.
        if not self._listed and not all(is_outside(address) for address in addresses):
            raise OutboundRefused(f"{host} leads to an address inside a network, which is not asked.")
        stream = httpcore.SyncBackend().connect_tcp(addresses[0], port, _left(self._deadline))
        return _Stream(stream, self._deadline)


class _Stream(httpcore.NetworkStream):
    """A connection whose every step has only what is left of the time of the whole."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _Stream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("it took too long")
    return left
