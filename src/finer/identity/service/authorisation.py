"""Who may do what, for everybody outside identity: the one grants table, asked."""

from __future__ import annotations

import uuid

from finer.identity.errors import PermissionMissing
from finer.identity.rules.grants import GRANTS, allowed, permissions_of, render
from finer.identity.rules.masks import MASKS
from finer.identity.rules.scopes import reach
from finer.identity.types.access import Permission, Role, Scope
from finer.kit.actors import Actor
from finer.kit.masking import UNMASKED, DataClass, Form, Masking
from finer.kit.reach import EVERYTHING, Reach

__all__ = ["ACCESS_CHANNEL", "allowed", "masking_of", "permissions_of", "reach_of", "render", "role_table"]

ACCESS_CHANNEL = "finer_access"
"""Notified by the database with the tenant's id when a session ends, or somebody's role or a key changes."""
_SYSTEM = "system"


def reach_of(actor: Actor, permission: Permission) -> Reach:
    """The rows for which somebody has a permission; every service that lists or loads rows asks this.

    Finer itself and the operator at the command line reach everything. Raises PermissionMissing when there are none.
    """
    if actor.kind == _SYSTEM:
        return EVERYTHING
    scope = allowed(Role(actor.role), permission)
    if scope is None:
        raise PermissionMissing(
            f"{actor.name} ({actor.role.replace('_', ' ')}) does not have the permission {permission}.",
            permission=str(permission),
        )
    return reach(scope, uuid.UUID(actor.id), frozenset(actor.teams))


def masking_of(actor: Actor) -> Masking:
    """What somebody sees of each class of data."""
    return UNMASKED if actor.kind == _SYSTEM else MASKS[Role(actor.role)]


def role_table() -> dict[Role, tuple[dict[Permission, Scope], dict[DataClass, Form]]]:
    """For every role: its permissions with their scopes, and what it sees of each class of data."""
    return {role: (dict(GRANTS[role]), {one: MASKS[role].form(one) for one in DataClass}) for role in Role}
