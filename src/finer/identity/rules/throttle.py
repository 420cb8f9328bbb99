"""How long somebody who failed to sign in has to wait: by account and by address, growing, never for ever."""

from __future__ import annotations

import hashlib
import ipaddress
import math
import uuid
from datetime import datetime, timedelta

import msgspec


class Patience(msgspec.Struct, frozen=True):
    """`free` attempts at once; then a wait that doubles from `first_s` to `longest_s`; forgotten after `forget_s`."""

    free: int
    first_s: int
    longest_s: int
    forget_s: int


ACCOUNT = Patience(free=5, first_s=4, longest_s=900, forget_s=3600)
# Many people may sit behind one address, so it gets more attempts, and a success gives its attempt back.
ADDRESS = Patience(free=50, first_s=4, longest_s=900, forget_s=900)


def counted(patience: Patience, attempts: int, last_at: datetime, now: datetime) -> int:
    """How many of the attempts still count at `now`."""
    return 0 if now - last_at >= timedelta(seconds=patience.forget_s) else attempts


def wait_s(patience: Patience, attempts: int, last_at: datetime, now: datetime) -> int:
    """Whole seconds until the next attempt may be made; 0 means now."""
    still = counted(patience, attempts, last_at, now)
    if still < patience.free:
        return 0
    pause = min(patience.longest_s, patience.first_s * 2 ** min(still - patience.free, 20))
    return max(0, math.ceil((last_at + timedelta(seconds=pause) - now).total_seconds()))


def account_key(email: str) -> bytes:
    """Under which the attempts on an account are counted, whether or not the account exists."""
    return hashlib.sha256(b"account:" + email.encode()).digest()


def second_factor_key(user: uuid.UUID) -> bytes:
    """Under which the attempts on a second factor are counted: apart from the password's, which others can use up."""
    return hashlib.sha256(b"second-factor:" + user.bytes).digest()


def address_key(address: str) -> bytes:
    """Under which the attempts from an address are counted: IPv4 alone, IPv6 by its /64, as one customer has."""
    return _origin_key(b"address:", address)


def machine_key(address: str) -> bytes:
    """The same for machines that ask for tokens, so that one that fails does not shut people out beside it."""
    return _origin_key(b"machine:", address)


def sso_key(address: str) -> bytes:
    """The same for sign-ins by a provider that were begun and not ended."""
    return _origin_key(b"sso:", address)


def _origin_key(use: bytes, address: str) -> bytes:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return hashlib.sha256(use + b"unknown").digest()
    if isinstance(parsed, ipaddress.IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    network = ipaddress.ip_network((parsed, 64 if parsed.version == 6 else 32), strict=False)
    return hashlib.sha256(use + str(network).encode()).digest()
