"""A firm with analysts, whose alerts have become cases."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from finer.app.flow import FLOW, GATHERING
from finer.decisions.invariants import cases_count_their_alerts, cases_hold_their_subject_only, totals_equal_alerts
from finer.decisions.service import cases, grouping
from finer.decisions.types.alerts import Alert
from finer.decisions.types.cases import Case, CaseFilter
from finer.identity.types.access import Role, User
from finer.kit.actors import SYSTEM, Actor, Fact
from finer.kit.db import Database
from tests.support.alerts import raise_alerts
from tests.support.identity import Firm


def acting(user: User, *teams: uuid.UUID) -> Actor:
    """A person as transactions know them."""
    return Actor(kind="user", id=str(user.id), name=user.name, role=user.role.value, teams=teams)


class CaseDesk:
    """The people who work cases, and the worker that groups alerts."""

    def __init__(self, firm: Firm, worker: Database) -> None:
        self.firm, self.worker = firm, worker
        self.ana, self.budi = (acting(firm.user(Role.RISK_ANALYST)) for _ in range(2))

    def raised(self, count: int, **changes: Any) -> list[Alert]:
        """Alerts that were raised, and put into cases."""
        found = raise_alerts(self.worker, self.firm, count, **changes)
        self.group()
        return found

    def group(self) -> int:
        """Put alerts into cases as `finer jobs` does."""
        with self.worker.transaction(self.firm.tenant.id, SYSTEM) as tx:
            return grouping.group_alerts(tx)

    def queue(self, actor: Actor | None = None, **wanted: Any) -> list[Case]:
        """The queue as somebody sees it; Finer itself sees all of it."""
        with self.firm.tx(actor or SYSTEM) as tx:
            return cases.list_cases(tx, CaseFilter(**wanted))[0]

    def one(self, count: int = 1, **changes: Any) -> tuple[Case, list[Alert]]:
        """A case of a customer of its own, with its alerts."""
        mark = uuid.uuid4().hex
        alerts = self.raised(count, **({"customer_id": f"c-{mark}", "account_id": f"a-{mark}"} | changes))
        found = next(one for one in self.queue() if one.subject in {f"c-{mark}", changes.get("customer_id")})
        return found, alerts

    def take(self, case: Case, actor: Actor | None = None) -> Case:
        """Somebody takes a case."""
        with self.firm.tx(actor or self.ana) as tx:
            return cases.take(tx, case.id, case.version)

    def carry_out(self, facts: list[Fact], actor: Actor) -> None:
        """Give facts to their handlers, as `finer jobs` does; those of the lake are left out."""
        for fact in facts:
            for handler in FLOW[type(fact)]:
                if "warehouse" not in handler.__module__:
                    with self.worker.transaction(self.firm.tenant.id, actor) as tx:
                        read = msgspec.convert(msgspec.to_builtins(fact), type(fact))
                        handler(tx, [read] if handler in GATHERING else read, None)

    def check(self) -> None:
        """Everything that must be true of alerts and cases is."""
        with self.firm.tx() as tx:
            assert cases_count_their_alerts(tx) == []
            assert cases_hold_their_subject_only(tx) == []
            assert totals_equal_alerts(tx) == []
