"""Sealing and unsealing many values of one column: the same values as `fields`, with what they share made once."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from finer.kit.crypto.envelope import HEAD, SHORTEST, VERSION, Place, joined, key_id_of
from finer.kit.crypto.errors import SealBroken
from finer.kit.crypto.fields import keyring
from finer.kit.crypto.keyring import DataKey
from finer.kit.tx import Tx

_NONCE = 12


class Sealer:
    """Seals values of one column of a firm with its key. It can be handed to a transaction that only writes."""

    def __init__(self, tenant: uuid.UUID, column: str, key: DataKey) -> None:
        """Use `sealer`."""
        identifier, secret = key
        self._head = VERSION + identifier.bytes
        self._bound = _bound(identifier, tenant, column)
        self._encrypt = AESGCM(secret).encrypt

    def seal(self, row: object, plain: bytes) -> bytes:
        """The bytes to store in that row, see `finer.kit.crypto.fields.seal`."""
        nonce = os.urandom(_NONCE)
        return self._head + nonce + self._encrypt(nonce, plain, self._bound + joined(str(row).encode()))


def sealer(tx: Tx, column: str) -> Sealer:
    """What seals values of `column` (`table.column`) with the firm's key of now."""
    keys = keyring(tx)
    return Sealer(tx.tenant, column, keys.current(tx, keys.subject_of(tx, None)))


def unseal_bytes(tx: Tx, column: str, cells: Sequence[tuple[object, bytes | None]]) -> list[bytes | None]:
    """What was sealed in many rows (row, sealed) of a column; None for null and for what was erased.

    Raises SealBroken when one was altered or moved here.
    """
    opened: dict[bytes, tuple[AESGCM, bytes] | None] = {}
    found: list[bytes | None] = []
    for row, sealed in cells:
        if sealed is None:
            found.append(None)
            continue
        head = sealed[:HEAD]
        if head not in opened:
            # Thousands of values have one key: it is read of a head once. A head that is cut off stays too short.
            opened[head] = _opener(tx, column, key_id_of(head + bytes(SHORTEST - HEAD), Place(tx.tenant, column, "")))
        key = opened[head]
        if key is None:
            found.append(None)
            continue
        name = str(row).encode()
        bound = key[1] + len(name).to_bytes(4, "big") + name
        try:
            found.append(key[0].decrypt(sealed[HEAD : HEAD + _NONCE], sealed[HEAD + _NONCE :], bound))
        except (InvalidTag, ValueError) as error:
            raise SealBroken(f"{column} of row {row} does not open: it was altered, cut off or moved here.") from error
    return found


def _opener(tx: Tx, column: str, key_id: uuid.UUID) -> tuple[AESGCM, bytes] | None:
    """What opens values that this key sealed, and what they are bound to before their row; None when it is erased."""
    secret = keyring(tx).secrets(tx, [key_id]).get(key_id)
    return None if secret is None else (AESGCM(secret), _bound(key_id, tx.tenant, column))


class Succession:
    """An old key of a firm and the newest of its line: opens what the one sealed, and seals it with the other."""

    def __init__(self, tenant: uuid.UUID, old: DataKey, new: DataKey) -> None:
        self._decrypt, self._encrypt = AESGCM(old[1]).decrypt, AESGCM(new[1]).encrypt
        self._opens, self._seals = (joined(VERSION, key.bytes, tenant.bytes) for key in (old[0], new[0]))
        self._head = VERSION + new[0].bytes

    def again(self, column: bytes, row: bytes, sealed: bytes) -> bytes:
        """The value sealed anew; column and row are `joined`. Raises SealBroken when it was altered or moved here."""
        where, nonce = column + row, os.urandom(_NONCE)
        try:
            plain = self._decrypt(sealed[HEAD : HEAD + _NONCE], sealed[HEAD + _NONCE :], self._opens + where)
        except InvalidTag as error:
            raise SealBroken(
                f"{column[4:].decode()} of row {row[4:].decode()} does not open: it was altered, cut off or moved here."
            ) from error
        return self._head + nonce + self._encrypt(nonce, plain, self._seals + where)


def _bound(identifier: uuid.UUID, tenant: uuid.UUID, column: str) -> bytes:
    return joined(VERSION, identifier.bytes, tenant.bytes, column.encode())
