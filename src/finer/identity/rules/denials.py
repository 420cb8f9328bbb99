"""Denied requests as entries of the audit trail: the first of a kind at once, a flood of them as one line a minute."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from finer.kit.actors import Actor

WINDOW = timedelta(seconds=60)
"""Denials of one kind within this time become two entries at most: the first, and one that counts the others."""
KINDS_MAX = 50
"""Kinds of denial that a firm has entries for within a window; whatever comes beyond is counted by caller only."""
_VARIOUS = "various"


class Denial(msgspec.Struct, frozen=True, kw_only=True):
    """One request that was denied. `subject` is method and route, `path` what was really asked for."""

    tenant: uuid.UUID
    actor: Actor
    action: str
    subject: str
    outcome: str
    """denied, unauthenticated, cross_site, step_up, throttled or not_found."""
    path: str
    at: datetime
    origin: str
    user_agent: str
    session: str
    request: str


@dataclass
class Tally:
    """How often a denial happened within a window, after what was written already."""

    sample: Denial
    began: datetime
    count: int = 0
    last_at: datetime | None = None
    paths: list[str] = field(default_factory=list)

    def add(self, denial: Denial) -> None:
        """One more."""
        self.count += 1
        self.last_at = denial.at
        if denial.path not in self.paths and len(self.paths) < 5:
            self.paths.append(denial.path)


_Key = tuple[str, ...]


class DenialBook:
    """What was denied in the present window, in the memory of one process. Not safe for several threads at once."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[uuid.UUID, _Key], Tally] = {}
        self._kinds: dict[uuid.UUID, int] = {}

    def note(self, denial: Denial) -> bool:
        """Count a denial; True when it is the first of its kind and has to be written now.

        That nothing was found is no proof of bad intent, so such answers are only counted.
        """
        key: _Key = (denial.actor.id, denial.action, denial.subject, denial.outcome, denial.origin)
        tally = self._tallies.get((denial.tenant, key))
        if tally is None and self._kinds.get(denial.tenant, 0) >= KINDS_MAX:
            key = (denial.actor.id, denial.outcome)
            denial = msgspec.structs.replace(denial, action=_VARIOUS, subject=_VARIOUS)
            tally = self._tallies.get((denial.tenant, key))
        if tally is not None:
            tally.add(denial)
            return False
        tally = self._tallies[denial.tenant, key] = Tally(sample=denial, began=denial.at)
        self._kinds[denial.tenant] = self._kinds.get(denial.tenant, 0) + 1
        if denial.outcome == "not_found":
            tally.add(denial)
            return False
        return True

    def due(self, now: datetime, *, all_of_them: bool = False) -> list[Tally]:
        """Tallies whose window is over and that counted something; they are forgotten here."""
        over = [key for key, tally in self._tallies.items() if all_of_them or now - tally.began >= WINDOW]
        found = []
        for key in over:
            tally = self._tallies.pop(key)
            self._kinds[key[0]] -= 1
            if self._kinds[key[0]] <= 0:
                del self._kinds[key[0]]
            if tally.count:
                found.append(tally)
        return found
