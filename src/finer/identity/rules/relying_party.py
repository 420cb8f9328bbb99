"""For which site passkeys are made (WebAuthn Level 3, section 5.4.2): the host that people open, never an address."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import msgspec


class RelyingParty(msgspec.Struct, frozen=True):
    """`id` is a host name; passkeys work from pages of exactly `origin`."""

    id: str
    origin: str


def relying_party(web_url: str) -> RelyingParty | None:
    """The site of an installation; None when it is opened by a network address, for which browsers make no passkeys.

    An installation on this machine's own address is reached as localhost as well, and passkeys are made for that.
    """
    parts = urlsplit(web_url)
    host = parts.hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        secure = parts.scheme == "https" or host == "localhost" or host.endswith(".localhost")
        return RelyingParty(host, f"{parts.scheme}://{parts.netloc.lower()}") if host and secure else None
    if not address.is_loopback:
        return None
    port = f":{parts.port}" if parts.port else ""
    return RelyingParty("localhost", f"{parts.scheme}://localhost{port}")
