"""Password hashes: argon2id with the parameters of the settings (OWASP: 19 MiB, 2 passes, 1 lane).

Hashing is slow on purpose, so it has threads of its own: half as many as the machine has cores, and of low priority.
A storm of sign-ins waits for its turn there, and the processor goes to everything else first.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from finer.kit.processor_time import stand_behind
from finer.kit.settings import Settings

_NICENESS = 15


def _yield_to_others() -> None:
    # On Linux niceness is per thread. argon2 works outside of Python's lock, so a thread of low priority holds nothing
    # that others wait for.
    if sys.platform.startswith("linux"):
        stand_behind(_NICENESS)


_HASHERS = ThreadPoolExecutor(max(1, (os.cpu_count() or 2) // 2), "hash", initializer=_yield_to_others)


@cache
def _hasher(memory_kib: int, iterations: int) -> PasswordHasher:
    return PasswordHasher(time_cost=iterations, memory_cost=memory_kib, parallelism=1)


@cache
def _decoy(memory_kib: int, iterations: int) -> str:
    return _hasher(memory_kib, iterations).hash("nobody has this password")


def hash_password(password: str, settings: Settings) -> str:
    """The hash to store, with its parameters and salt inside."""
    hasher = _hasher(settings.argon2_memory_kib, settings.argon2_iterations)
    return _HASHERS.submit(hasher.hash, _canonical(password)).result()


def verify_password(stored: str | None, password: str, settings: Settings) -> bool:
    """Whether the password fits. Without a stored hash it takes just as long and says no."""
    hasher = _hasher(settings.argon2_memory_kib, settings.argon2_iterations)
    against = stored or _decoy(settings.argon2_memory_kib, settings.argon2_iterations)
    try:
        _HASHERS.submit(hasher.verify, against, _canonical(password)).result()
        return stored is not None
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str, settings: Settings) -> bool:
    """Whether a hash was made with other parameters than those of the settings; then it is made anew at a sign-in."""
    return _hasher(settings.argon2_memory_kib, settings.argon2_iterations).check_needs_rehash(stored)


def _canonical(password: str) -> str:
    # Keyboards send the same letter composed or decomposed (NIST SP 800-63B asks to normalise); nothing else changes.
    return unicodedata.normalize("NFC", password)
