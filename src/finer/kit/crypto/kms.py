"""The key service: it wraps data keys with a master key that never enters the database.

`KeyFile` is the one for a single machine; any other service (an HSM, a cloud KMS, Vault) is a class with the same
three methods.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from finer.kit.crypto.envelope import KEY_BYTES, decrypt, encrypt, new_key
from finer.kit.crypto.errors import KeysUnavailable, SealBroken
from finer.kit.moments import from_microseconds

Boxed = tuple[bytes, bytes]
"""A key, plain or wrapped, and what it is bound to."""


class KeyService(Protocol):
    """What keeps the master key. Wrapping is done many at once, since a service may be a network away."""

    def prepare(self) -> None:
        """Make the master key when there is none; called only while nothing was ever wrapped."""
        ...

    def wrap(self, keys: Sequence[Boxed]) -> list[bytes]:
        """Each key wrapped with the newest master key. Raises KeysUnavailable."""
        ...

    def unwrap(self, wrapped: Sequence[Boxed]) -> list[bytes]:
        """Each key again. Raises KeysUnavailable, and SealBroken for what was altered or bound to something else."""
        ...

    def rotate(self) -> None:
        """Make a new master key for what is wrapped from now on; the older ones still unwrap."""
        ...

    def current(self, wrapped: bytes) -> bool:
        """Whether the newest master key wrapped this."""
        ...

    def rotated_at(self) -> datetime | None:
        """When the newest master key was made; None when there is no older one left to retire."""
        ...

    def retire(self) -> None:
        """Forget all master keys but the newest; called when nothing is wrapped with an older one."""
        ...


BY_SERVICE = b"t1"
"""How a key begins that a key service wrapped."""
_MARK = b"f1"
_ID = 8
_WRAPPED_BYTES = len(_MARK) + _ID + len(encrypt(bytes(KEY_BYTES), bytes(KEY_BYTES), b""))
_HEADER = "# Finer's master keys, the newest first. Whoever has this file and the database can read everything.\n"


def by_file(wrapped: bytes) -> bool:
    """Whether this looks like a key that was wrapped with a key file."""
    return wrapped.startswith(_MARK) and len(wrapped) == _WRAPPED_BYTES


class KeyFile:
    """Master keys in a file that only its owner may read (mode 0400), apart from the database's own files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._keys: dict[bytes, bytes] = {}
        self._stamp = 0

    def prepare(self) -> None:
        """Make the file with one key, when there is none."""
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            beside = self._written([(secrets.token_bytes(_ID), new_key())])
            with contextlib.suppress(FileExistsError):  # another process of this machine was quicker
                os.link(beside, self.path)
            beside.unlink()
        self._read()

    def wrap(self, keys: Sequence[Boxed]) -> list[bytes]:
        """See KeyService."""
        if self._changed():
            self._read()  # another process may have rotated
        identifier, master = next(iter(self._keys.items()))
        return [_MARK + identifier + encrypt(master, key, identifier + bound) for key, bound in keys]

    def unwrap(self, wrapped: Sequence[Boxed]) -> list[bytes]:
        """See KeyService."""
        return [self._unwrap(one, bound) for one, bound in wrapped]

    def rotate(self) -> None:
        """See KeyService."""
        self._read()
        self._replace([(secrets.token_bytes(_ID), new_key()), *self._keys.items()])

    def current(self, wrapped: bytes) -> bool:
        """See KeyService."""
        return bytes(wrapped[len(_MARK) : len(_MARK) + _ID]) == next(iter(self._known()))

    def rotated_at(self) -> datetime | None:
        """See KeyService."""
        self._read()
        return from_microseconds(self._stamp // 1000) if len(self._keys) > 1 else None

    def retire(self) -> None:
        """See KeyService."""
        self._read()
        self._replace(list(self._keys.items())[:1])

    def _unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        start = len(_MARK) + _ID
        if wrapped.startswith(BY_SERVICE):
            raise KeysUnavailable(
                "The data keys were wrapped by a key service, and none is set. Set FINER_KMS_URL and "
                "FINER_KMS_TOKEN_FILE as they were."
            )
        if not wrapped.startswith(_MARK) or len(wrapped) <= start:
            raise SealBroken("A wrapped data key is damaged. Restore the database from a backup.")
        identifier = bytes(wrapped[len(_MARK) : start])
        if identifier not in self._known() and self._changed():
            self._read()
        master = self._keys.get(identifier)
        if master is None:
            raise KeysUnavailable(
                f"The key file {self.path} does not hold the master key {identifier.hex()} that the data were sealed "
                "with. Put the right file back; without it the data cannot be read by anybody."
            )
        return decrypt(master, bytes(wrapped[start:]), identifier + bound)

    def _known(self) -> dict[bytes, bytes]:
        return self._keys or self._read()

    def _changed(self) -> bool:
        try:
            return self.path.stat().st_mtime_ns != self._stamp
        except OSError:
            return True  # reading it says why

    def _read(self) -> dict[bytes, bytes]:
        try:
            about = self.path.stat()
            mode = stat.S_IMODE(about.st_mode)
            if mode & ~0o400:
                raise KeysUnavailable(
                    f"The key file {self.path} has mode {mode:04o}, so others may read or change it. "
                    f"Find out who did, then: chmod 0400 {self.path}"
                )
            lines = [line.split() for line in self.path.read_text("ascii").splitlines() if line[:1] not in ("", "#")]
            keys = {bytes.fromhex(identifier): bytes.fromhex(key) for identifier, key in lines}
        except OSError as error:
            raise KeysUnavailable(
                f"The key file {self.path} cannot be read ({error.strerror}), and sealed data exist. Put it back from "
                "where you keep it, readable by the user that runs Finer; without it the data stay unreadable."
            ) from error
        except ValueError as error:
            raise KeysUnavailable(
                f"The key file {self.path} is damaged. Put it back from where you keep it."
            ) from error
        if not keys or any(len(one) != _ID or len(key) != KEY_BYTES for one, key in keys.items()):
            raise KeysUnavailable(f"The key file {self.path} is damaged. Put it back from where you keep it.")
        self._keys, self._stamp = keys, about.st_mtime_ns
        return keys

    def _replace(self, keys: Sequence[tuple[bytes, bytes]]) -> None:
        beside, about = self._written(keys), self.path.stat()
        # When root rotates at the command line, the file stays that of the user who runs Finer, who alone may read it.
        # Anybody else owns both already, and may not give a file the group of root that the old one may have.
        if os.geteuid() == 0:
            os.chown(beside, about.st_uid, about.st_gid)
        beside.rename(self.path)
        self._read()

    def _written(self, keys: Sequence[tuple[bytes, bytes]]) -> Path:
        """A durable file beside the real one, so that nobody ever sees half of it and a crash loses nothing."""
        beside = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}")
        text = _HEADER + "".join(f"{identifier.hex()} {key.hex()}\n" for identifier, key in keys)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)
        return beside
