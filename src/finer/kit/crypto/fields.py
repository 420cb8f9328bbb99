"""Sealed columns and blind indexes, as a store uses them.

A store seals a value just before it writes it and unseals it just after it reads it; services and routes see plain
values. `column` is `table.column`, `row` the primary key of the row without the tenant, as text. `subject` names the
person whose own key seals the value, so that destroying that key erases it; without one the firm's key does.
"""

from __future__ import annotations

import hmac
import unicodedata
import uuid
from collections.abc import Sequence
from hashlib import sha256

from finer.kit.crypto import envelope
from finer.kit.crypto.envelope import Place, joined
from finer.kit.crypto.errors import Erased, KeysUnavailable
from finer.kit.crypto.keyring import Keyring
from finer.kit.tx import Tx

_EVERYWHERE = uuid.UUID(int=0)
BLIND_BYTES = 16


def seal(tx: Tx, column: str, row: object, text: str, *, subject: str | None = None) -> bytes:
    """The bytes to store for a text. They open in this firm, column and row only."""
    return seal_bytes(tx, column, row, text.encode(), subject=subject)


def seal_bytes(tx: Tx, column: str, row: object, content: bytes, *, subject: str | None = None) -> bytes:
    """The same for bytes."""
    keys = keyring(tx)
    identifier, secret = keys.current(tx, keys.subject_of(tx, subject))
    return envelope.seal(identifier, secret, content, Place(tx.tenant, column, str(row)))


def unseal(tx: Tx, column: str, row: object, sealed: bytes) -> str:
    """The text again. Raises Erased when its key was destroyed, SealBroken when it was altered or moved here."""
    [found] = unseal_all(tx, column, [(row, sealed)])
    if found is None:
        raise Erased(f"{column.replace('.', ', ')}: this was erased, and cannot be brought back.")
    return found


def unseal_bytes(tx: Tx, column: str, row: object, sealed: bytes) -> bytes:
    """The bytes again. Raises Erased when their key was destroyed, SealBroken when they were altered or moved here."""
    place = Place(tx.tenant, column, str(row))
    identifier = envelope.key_id_of(sealed, place)
    secret = keyring(tx).secrets(tx, [identifier]).get(identifier)
    if secret is None:
        raise Erased(f"{column.replace('.', ', ')}: this was erased, and cannot be brought back.")
    return envelope.unseal(secret, sealed, place)


def unseal_all(tx: Tx, column: str, cells: Sequence[tuple[object, bytes | None]]) -> list[str | None]:
    """The texts of many rows of a column, with one look at the keys; None for null and for what was erased."""
    places = [Place(tx.tenant, column, str(row)) for row, _ in cells]
    identifiers = [
        None if sealed is None else envelope.key_id_of(sealed, place)
        for place, (_, sealed) in zip(places, cells, strict=True)
    ]
    secrets = keyring(tx).secrets(tx, (one for one in identifiers if one is not None))
    found: list[str | None] = []
    for place, identifier, (_, sealed) in zip(places, identifiers, cells, strict=True):
        secret = None if identifier is None else secrets.get(identifier)
        found.append(None if secret is None or sealed is None else envelope.unseal(secret, sealed, place).decode())
    return found


def blind(tx: Tx, column: str, text: str) -> bytes:
    """What to store and to look for beside a sealed column, so that equal texts of this firm are found."""
    return _blind(tx, tx.tenant, column, text)


def blind_everywhere(tx: Tx, column: str, text: str) -> bytes:
    """The same for all firms together: for what has to be found before a firm is known, or be unique across firms."""
    return _blind(tx, _EVERYWHERE, column, text)


def destroy(tx: Tx, subject: str) -> int:
    """Destroy a person's keys: what they sealed is erased wherever a copy of it is. Returns the number of keys."""
    keys = keyring(tx)
    return keys.destroy(tx, keys.subject_of(tx, subject))


def keyring(tx: Tx) -> Keyring:
    """The keys of this transaction's process. Raises KeysUnavailable in one that was given none."""
    if tx.keys is None:
        raise KeysUnavailable("This process was started without keys, so it can neither seal nor unseal.")
    return tx.keys


def _blind(tx: Tx, tenant: uuid.UUID, column: str, text: str) -> bytes:
    normal = unicodedata.normalize("NFKC", text).strip().casefold()
    digest = hmac.digest(keyring(tx).index_key(tx, tenant), joined(column.encode(), normal.encode()), sha256)
    return digest[:BLIND_BYTES]
