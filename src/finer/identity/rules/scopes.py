"""What a scope of the grants table means for a caller: the rows within reach."""

from __future__ import annotations

import uuid

from finer.identity.types.access import Scope
from finer.kit.reach import EVERYTHING, Reach, owned_by, owned_or_shared


def reach(scope: Scope, caller: uuid.UUID, teams: frozenset[uuid.UUID]) -> Reach:
    """The rows that a scope covers for a caller who is in these teams.

    `own` and `self` differ in what the owner column holds: who works on a row, or whom it is about.
    """
    match scope:
        case Scope.TENANT:
            return EVERYTHING
        case Scope.TEAM:
            return owned_or_shared(caller, teams)
        case Scope.OWN | Scope.SELF:
            return owned_by(caller)
