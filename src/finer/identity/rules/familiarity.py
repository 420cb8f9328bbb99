"""Whether a sign-in comes from where somebody has been before."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

_VERSION = re.compile(r"[\d._]+")


def network_of(address: str) -> str:
    """The network that an address belongs to: IPv4 by its /24, IPv6 by its /48; the text itself when it is neither."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    return str(ipaddress.ip_network((parsed, 48 if parsed.version == 6 else 24), strict=False))


def device_of(user_agent: str) -> str:
    """A browser without its version numbers, so that an update is no new device."""
    return _VERSION.sub("", user_agent)


def is_unfamiliar(address: str, user_agent: str, earlier: Iterable[tuple[str, str]]) -> bool:
    """Whether the network or the device is new among the earlier (address, user agent); the very first one is not."""
    seen = list(earlier)
    networks = {network_of(place) for place, _ in seen}
    devices = {device_of(agent) for _, agent in seen}
    return bool(seen) and (network_of(address) not in networks or device_of(user_agent) not in devices)
