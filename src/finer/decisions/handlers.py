"""What decisions does when something happened to its own cases: who should look is told."""

from __future__ import annotations

from collections.abc import Sequence

from finer.decisions.service import telling
from finer.facts.decisions import CaseClosed, CaseOpened
from finer.kit.tx import Tx


def tell_of_case(tx: Tx, facts: Sequence[CaseOpened], _access: object) -> None:
    """Urgent cases ring the bell of those who work cases."""
    telling.tell(tx, [(fact.number, fact.priority) for fact in facts])


def settle_case(tx: Tx, _fact: CaseClosed, _access: object) -> None:
    """With the last urgent case, the bell rings no longer."""
    telling.settle(tx)
