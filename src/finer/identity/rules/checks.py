"""Checks on what people type: short names, addresses, passwords, zones."""

from __future__ import annotations

import re
import zoneinfo

from finer.identity.errors import NotAcceptable

_SLUG = re.compile(r"^[a-z][a-z0-9-]{1,38}[a-z0-9]$")
# ASCII only: letters that look alike cannot make two accounts look like one.
_EMAIL = re.compile(r"^[!-?A-~]{1,64}@[!-?A-~]{1,189}$")
_KEY = re.compile(r"^fk_([0-9a-f]{8})_([0-9A-Za-z_-]{43})$")
_CLIENT = re.compile(r"^fc_([0-9a-f]{8})$")
_CLIENT_SECRET = re.compile(r"^fs_([0-9A-Za-z_-]{43})$")
_DOMAIN = re.compile(r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$")
_COLOUR = re.compile(r"^#[0-9A-Fa-f]{6}$")
_CURRENCY = re.compile(r"^[A-Z]{3}$")
PASSWORD_MIN, PASSWORD_MAX = 12, 256
NAME_MAX = 120


def check_slug(slug: str) -> str:
    """A firm's short name: 3 to 40 lower-case letters, digits and hyphens."""
    if not _SLUG.fullmatch(slug):
        raise NotAcceptable(
            f"The short name {slug[:60]!r} cannot be used. Use 3 to 40 lower-case letters, digits and hyphens, "
            "beginning with a letter."
        )
    return slug


def check_email(email: str) -> str:
    """An e-mail address, in lower case."""
    folded = read_email(email)
    if folded is None:
        raise NotAcceptable(f"{email[:80]!r} is not an e-mail address.")
    return folded


def read_email(email: str) -> str | None:
    """An address as it is stored, or None for a text that can be nobody's."""
    trimmed = email.strip()
    # Lower case comes after the check: it turns some foreign letters into ASCII ones (the Kelvin sign into k).
    return trimmed.lower() if _EMAIL.fullmatch(trimmed) else None


def read_key(key: str) -> tuple[str, str] | None:
    """(prefix, secret) of an API key, or None for a text that is none."""
    found = _KEY.fullmatch(key)
    return None if found is None else (found[1], found[2])


def read_client(client_id: str, secret: str) -> tuple[str, str] | None:
    """(prefix, secret) of what an OAuth client sends, or None for texts that are none."""
    client, hidden = _CLIENT.fullmatch(client_id), _CLIENT_SECRET.fullmatch(secret)
    return None if client is None or hidden is None else (client[1], hidden[1])


def check_domain(domain: str) -> str:
    """An e-mail domain, in lower case."""
    if not _DOMAIN.fullmatch(domain) or len(domain) > 189:
        raise NotAcceptable(f"{domain[:80]!r} is no e-mail domain, such as acme.example.")
    return domain


def check_name(name: str) -> str:
    """A name for people to read."""
    trimmed = " ".join(name.split())
    if not trimmed.isprintable():
        raise NotAcceptable(f"The name {trimmed[:80]!r} has characters that cannot be shown. Leave them out.")
    if not trimmed or len(trimmed) > NAME_MAX:
        raise NotAcceptable(f"A name has 1 to {NAME_MAX} characters; this one has {len(trimmed)}.")
    return trimmed


def check_password(password: str) -> str:
    """A password long enough to resist guessing (NIST SP 800-63B: length, not composition)."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise NotAcceptable(
            f"A password has {PASSWORD_MIN} to {PASSWORD_MAX} characters; this one has {len(password)}."
        )
    return password


def check_colour(colour: str | None) -> str | None:
    """A brand colour as #rrggbb in lower case; None is Finer's own."""
    if colour is not None and not _COLOUR.fullmatch(colour):
        raise NotAcceptable(f"{colour[:20]!r} is no colour. Write it as #1d4f91.")
    return None if colour is None else colour.lower()


def check_currency(currency: str) -> str:
    """An ISO 4217 code."""
    if not _CURRENCY.fullmatch(currency):
        raise NotAcceptable(f"{currency[:10]!r} is not an ISO 4217 code of three capital letters, such as PHP.")
    return currency


def check_zone(zone: str) -> str:
    """A time zone of the IANA database."""
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise NotAcceptable(f"{zone[:60]!r} is not an IANA time zone, such as Asia/Manila.") from error
    return zone
