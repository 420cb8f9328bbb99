"""Signatures by a key that is kept in a file, outside the database (Ed25519, RFC 8032)."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from finer.kit.errors import Unavailable

_RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _key_id(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes(*_RAW)).hexdigest()[:16]


class Signer:
    """A private key; `key_id` is the first 16 hex digits of the SHA-256 of its public key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.key_id = _key_id(key.public_key())

    @classmethod
    def at(cls, path: Path) -> Signer:
        """The key in a file; made (0400) with its public half beside it (`<key id>.pub`) when there is none.

        Raises Unavailable when the file cannot be read or made, or holds something else.
        """
        try:
            if not path.exists():
                _make(path)
            key = serialization.load_pem_private_key(path.read_bytes(), None)
        except (OSError, ValueError, TypeError) as error:
            raise Unavailable(
                f"The signing key {path} cannot be used: {error}. Give it to the user of finer."
            ) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise Unavailable(f"The signing key {path} is no Ed25519 key. Remove it and a new one is made.")
        found = cls(key)
        found._publish(path.parent)
        return found

    def _publish(self, folder: Path) -> None:
        public = folder / f"{self.key_id}.pub"
        if not public.exists():
            form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            public.write_bytes(self._key.public_key().public_bytes(*form))

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(message)


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    form = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    except FileExistsError:
        return  # another process was quicker
    with os.fdopen(handle, "wb") as file:
        file.write(Ed25519PrivateKey.generate().private_bytes(*form))
        file.flush()
        os.fsync(file.fileno())


class Verifier:
    """Public keys by key id."""

    def __init__(self, keys: dict[str, Ed25519PublicKey]) -> None:
        self._keys = keys

    @classmethod
    def of(cls, folder: Path) -> Verifier:
        """Every `*.pub` in a folder; a file that holds no key of this kind is passed over."""
        keys = {}
        for file in sorted(folder.glob("*.pub")) if folder.is_dir() else []:
            try:
                key = serialization.load_pem_public_key(file.read_bytes())
            except ValueError:
                continue
            if isinstance(key, Ed25519PublicKey):
                keys[_key_id(key)] = key
        return cls(keys)

    def known(self) -> bool:
        """Whether there is any key."""
        return bool(self._keys)

    def good(self, key_id: str, message: bytes, signature: bytes) -> bool:
        """Whether that key signed this message."""
        key = self._keys.get(key_id)
        if key is None:
            return False
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True
