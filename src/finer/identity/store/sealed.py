"""The sealed columns of people: addresses and names, each person's by a key of their own."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from finer.identity.tables.core import users
from finer.identity.types.access import Role, User
from finer.kit.crypto.fields import blind_everywhere, seal, unseal_all
from finer.kit.tx import Tx

EMAIL, NAME = "identity_users.email_sealed", "identity_users.name_sealed"
ERASED = "(erased)"
"""What stands for the address and the name of a person whose keys were destroyed."""
PERSON = [users.c[name] for name in ("tenant_id", "id", "email_sealed", "name_sealed", "role", "disabled_at")]


def person_subject(user: uuid.UUID) -> str:
    """What the keys of a person who signs in are kept under."""
    return f"user:{user.hex}"


def email_index(tx: Tx, email: str) -> bytes:
    """What an address is found by, and kept unique by, across all firms."""
    return blind_everywhere(tx, EMAIL, email)


def sealed_person(tx: Tx, user: uuid.UUID, email: str, name: str) -> dict[str, bytes]:
    """The columns to store for an address and a name."""
    return {
        "email_sealed": seal(tx, EMAIL, user, email, subject=person_subject(user)),
        "email_index": email_index(tx, email),
        "name_sealed": seal(tx, NAME, user, name, subject=person_subject(user)),
    }


def people_of(tx: Tx, rows: Sequence[sa.Row[Any]]) -> list[User]:
    """People from rows of the columns PERSON, by address."""
    emails = unseal_all(tx, EMAIL, [(row.id, bytes(row.email_sealed)) for row in rows])
    names = unseal_all(tx, NAME, [(row.id, bytes(row.name_sealed)) for row in rows])
    found = [
        User(
            id=row.id,
            tenant_id=row.tenant_id,
            email=email or ERASED,
            name=name or ERASED,
            role=Role(row.role),
            disabled_at=row.disabled_at,
        )
        for row, email, name in zip(rows, emails, names, strict=True)
    ]
    return sorted(found, key=lambda user: user.email)


def names_of(tx: Tx, rows: Sequence[sa.Row[Any]]) -> dict[uuid.UUID, str]:
    """Names by id, from rows of `id` and `name_sealed`."""
    names = unseal_all(tx, NAME, [(row.id, bytes(row.name_sealed)) for row in rows])
    return {row.id: name or ERASED for row, name in zip(rows, names, strict=True)}


def name_of(tx: Tx, tenant: uuid.UUID, user: uuid.UUID, sealed: bytes) -> str:
    """The name of a person of that firm, which the transaction has entered."""
    [name] = unseal_all(replace(tx, tenant=tenant), NAME, [(user, sealed)])
    return name or ERASED
