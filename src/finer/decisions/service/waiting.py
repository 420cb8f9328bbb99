"""Which actions wait for a second person: those with a proposal that can still be decided."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from finer.decisions.types.cases import CaseAction
from finer.identity.service import proposals
from finer.kit.ids import show_id
from finer.kit.tx import Tx

ACT = "cases:act"
"""The kind of proposal of an action that takes two people."""


def waits(tx: Tx, shown: str) -> bool:
    """Whether somebody can still decide on this action; a proposal that ran out is asked for again."""
    return shown in _waiting(tx)


def as_they_wait(tx: Tx, found: Sequence[CaseAction]) -> list[CaseAction]:
    """The same actions, where nothing says that it waits whose proposal ran out: it is closed a while later."""
    asked = _waiting(tx) if any(one.two_people is not None for one in found) else set()
    return [one if show_id("cac", one.id) in asked else msgspec.structs.replace(one, two_people=None) for one in found]


def _waiting(tx: Tx) -> set[str]:
    return {proposals.payload_of(one)["action"] for one in proposals.waiting(tx, [ACT])}
