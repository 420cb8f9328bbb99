"""Password hashes: argon2id with the parameters of the settings (OWASP: 19 MiB, 2 passes, 1 lane).

Hashing is slow on purpose, so at most two run at once in a process: a storm of sign-ins waits for its turn instead of
starving everything else.
"""

from __future__ import annotations

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from finer.kit.settings import Settings

_TURN = threading.BoundedSemaphore(2)


@cache
def _hasher(memory_kib: int, iterations: int) -> PasswordHasher:
    return PasswordHasher(time_cost=iterations, memory_cost=memory_kib, parallelism=1)


@cache
def _decoy(memory_kib: int, iterations: int) -> str:
    return _hasher(memory_kib, iterations).hash("nobody has this password")


def hash_password(password: str, settings: Settings) -> str:
    """The hash to store, with its parameters and salt inside."""
    with _TURN:
        return _hasher(settings.argon2_memory_kib, settings.argon2_iterations).hash(password)


def verify_password(stored: str | None, password: str, settings: Settings) -> bool:
    """Whether the password fits. Without a stored hash it takes just as long and says no."""
    hasher = _hasher(settings.argon2_memory_kib, settings.argon2_iterations)
    against = stored or _decoy(settings.argon2_memory_kib, settings.argon2_iterations)
    try:
        with _TURN:
            hasher.verify(against, password)
        return stored is not None
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False
