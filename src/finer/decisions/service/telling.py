"""Who is told of cases: that urgent ones wait shows in the bell until none is left."""

from __future__ import annotations

from collections.abc import Iterable

from finer.decisions.store.cases import CaseStore
from finer.decisions.types.cases import CaseFilter, Priority
from finer.identity.types.access import Permission
from finer.kit.reach import EVERYTHING
from finer.kit.tx import Tx
from finer.notifications import service as notifications
from finer.notifications.types import NewNotification, Severity

_KEY = "cases:urgent"


def tell(tx: Tx, opened: Iterable[tuple[int, str]]) -> None:
    """Tell everybody who works cases of urgent ones, given number and priority; of others, the queue says enough."""
    number = max((number for number, priority in opened if priority == Priority.URGENT.value), default=None)
    if number is None:
        return
    notifications.notify(
        tx,
        NewNotification(
            kind="cases.urgent",
            severity=Severity.CRITICAL,
            title="Urgent cases wait",
            text=f"The latest is #{number}: at least 1,000 US dollars are expected to be lost, and it is due within "
            "the hour.",
            link="/cases?priority=urgent",
            permission=Permission.CASES_WORK,
            key=_KEY,
        ),
    )


def settle(tx: Tx) -> None:
    """A case was closed: with the last urgent one, nothing rings any longer."""
    if not CaseStore(tx).page(CaseFilter(priority=Priority.URGENT, limit=1), EVERYTHING):
        notifications.settle(tx, _KEY)
