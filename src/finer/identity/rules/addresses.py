"""Network addresses: who really asks behind proxies, from where a key may be used, and under which names we answer."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from finer.identity.errors import NotAcceptable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
NETWORKS_MAX = 50
_HOPS_MAX = 20
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z._-]+))(?::[0-9]{0,5})?")
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def check_networks(texts: Iterable[str]) -> list[str]:
    """Networks in CIDR form, as they are stored. Raises NotAcceptable."""
    found = []
    for text in texts:
        try:
            found.append(str(ipaddress.ip_network(text.strip())))
        except ValueError as error:
            raise NotAcceptable(
                f"{text[:60]!r} is no network. Write it as 203.0.113.0/24 or 2001:db8::/48, no bits after the mask."
            ) from error
    if len(found) > NETWORKS_MAX:
        raise NotAcceptable(f"At most {NETWORKS_MAX} networks; these are {len(found)}.")
    return sorted(set(found))


def are_wider(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether `new` networks let somebody in from where `old` ones did not; no networks at all is everywhere."""
    if not old or not new:
        return bool(old) and not new
    before = _parsed(tuple(old))
    return not all(any(_lies_in(inner, outer) for outer in before) for inner in _parsed(tuple(new)))


def read_networks(text: str) -> tuple[Network, ...]:
    """The networks of a setting, separated by commas. Raises NotAcceptable."""
    return _parsed(tuple(check_networks(part for part in text.split(",") if part.strip())))


def within(networks: Sequence[str], address: str) -> bool:
    """Whether an address lies in one of the networks; every address does when there are none."""
    if not networks:
        return True
    found = _read(address)
    return found is not None and _inside(found, _parsed(tuple(networks)))


def client_address(peer: str, forwarded: str, proxies: Sequence[Network]) -> str:
    """Who asks: the connected peer, or, when that is a proxy of ours, the last address that no proxy of ours wrote.

    Read from the right: each proxy appends whom it saw, and what stands further left a caller may have made up.
    """
    at = _read(peer)
    if at is None or not _inside(at, proxies):
        return peer
    found = at
    for text in reversed(forwarded.split(",")[-_HOPS_MAX:] if forwarded else []):
        hop = _read(text.strip())
        if hop is None:
            break
        found = hop
        if not _inside(hop, proxies):
            break
    return str(found)


def answers_to(hosts: str, public_url: str) -> frozenset[str]:
    """The names under which Finer answers, in lower case and without ports; empty means any.

    The setting says them; else the public address does, and this machine's own names go with it. An installation that
    has neither is somebody's own, on their own machine.
    """
    named = frozenset(part.strip().lower() for part in hosts.split(",") if part.strip())
    public = urlsplit(public_url).hostname
    if not named and public is None:
        return named
    return named | _LOOPBACK_NAMES | ({public.lower()} if public is not None else frozenset())


def host_fits(host: str, names: frozenset[str]) -> bool:
    """Whether a Host header names one of those."""
    if not names:
        return True
    found = _HOST.fullmatch(host)
    return found is not None and (found[1] or found[2]).lower().rstrip(".") in names


def _inside(address: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _lies_in(inner: Network, outer: Network) -> bool:
    if isinstance(inner, ipaddress.IPv4Network):
        return isinstance(outer, ipaddress.IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, ipaddress.IPv6Network) and inner.subnet_of(outer)


def _read(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    # A server that listens on IPv6 sees IPv4 callers under these.
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found


@lru_cache(maxsize=1024)
def _parsed(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)
