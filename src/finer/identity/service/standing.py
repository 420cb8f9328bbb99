"""What somebody may do at this moment, for work that is done in their name while they are away."""

from __future__ import annotations

import uuid

from finer.identity.errors import UserNotFound
from finer.identity.rules.grants import allowed
from finer.identity.service import people, teams
from finer.identity.types.access import Permission
from finer.kit.actors import Actor
from finer.kit.tx import Tx


def acting_as(tx: Tx, person: uuid.UUID, permission: Permission) -> Actor | None:
    """Somebody with the role and teams of today; None when they are gone, shut out, or without that permission."""
    try:
        found = people.get_user(tx, person)
    except UserNotFound:
        return None
    if found.disabled_at is not None or allowed(found.role, permission) is None:
        return None
    mine = tuple(sorted(teams.teams_of(tx, found.id)))
    return Actor(kind="user", id=str(found.id), name=found.name, role=found.role.value, teams=mine)
