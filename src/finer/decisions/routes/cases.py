"""HTTP of the queue of cases: lists, numbers, who works on what. Parse, call, answer."""

from __future__ import annotations

import builtins
import uuid
from typing import Annotated, Literal

from litestar import Controller, get, post, put
from litestar.params import Parameter

from finer.decisions.routes.case_bodies import (
    AnalystBody,
    CaseAssignmentBody,
    Distribution,
    DistributionBody,
    VersionBody,
)
from finer.decisions.routes.case_documents import (
    AnalystView,
    CaseDocument,
    CasePage,
    CaseSummaryRow,
    QueueSummary,
    show_analyst,
    show_case,
    show_row,
    usd,
)
from finer.decisions.routes.explanations import Explanations
from finer.decisions.service import cases
from finer.decisions.types.cases import Case, CaseFilter, CaseState, Priority, Typology
from finer.identity.service import people
from finer.identity.types.access import Permission
from finer.kit.ids import read_id
from finer.kit.tx import Tx

_READ, _WORK = Permission.CASES_READ, Permission.CASES_WORK


class CaseController(Controller):
    """Cases: alerts of one customer that are worked together."""

    path = "/api/v1/cases"
    tags = ["Cases"]

    @get("/", opt={"permission": _READ}, sync_to_thread=True, summary="List cases")
    def list(
        self,
        tx: Tx,
        case_state: Annotated[CaseState | None, Parameter(query="state")] = None,
        closed: Literal["no", "yes", "all"] = "no",
        priority: Priority | None = None,
        typology: Typology | None = None,
        assignee: Literal["me", "nobody"] | None = None,
        q: str | None = None,
        overdue: bool = False,
        sort: Literal["queue", "newest"] = "queue",
        limit: Annotated[int, Parameter(ge=1, le=200)] = 50,
        before: str | None = None,
    ) -> CasePage:
        """Cases that the caller reaches, page by page: in the order of the queue, or the newest first.

        The queue is ordered by due time and expected loss. `q` is the number of a case, or an id for who sees ids.
        """
        wanted = CaseFilter(
            closed={"no": False, "yes": True, "all": None}[closed],
            state=case_state,
            priority=priority,
            typology=typology,
            assignee=uuid.UUID(tx.actor.id) if assignee == "me" else None,
            unassigned=assignee == "nobody",
            overdue_at=tx.now() if overdue else None,
            text=q,
            newest=sort == "newest",
            limit=limit,
            before=before,
        )
        found, following = cases.list_cases(tx, wanted)
        names = people.names(tx, [one.assignment.assignee_id for one in found])
        return CasePage(items=[show_row(one, names) for one in found], next=following, as_of=tx.now())

    @get("/summary", opt={"permission": _READ}, sync_to_thread=True, summary="Numbers of the queue")
    def summary(self, tx: Tx) -> QueueSummary:
        """Open, own, untaken and overdue cases within reach, and what is expected to be lost in them."""
        found = cases.summarise(tx)
        return QueueSummary(
            open=found.open,
            mine=found.mine,
            unassigned=found.unassigned,
            overdue=found.overdue,
            expected_loss_usd=usd(found.expected_loss_usd_minor),
            as_of=tx.now(),
        )

    @get("/analysts", opt={"permission": _READ}, sync_to_thread=True, summary="Who works cases")
    def analysts(self, tx: Tx) -> builtins.list[AnalystView]:
        """The people who work cases, their skills, and how many open ones they have."""
        return [show_analyst(one) for one in cases.analysts(tx)]

    @put("/analysts/{user_id:str}", opt={"permission": _WORK}, sync_to_thread=True, summary="Skills and availability")
    def set_analyst(self, tx: Tx, user_id: str, data: AnalystBody) -> AnalystView:
        """Say what somebody works on, and whether cases are given to them."""
        found = cases.set_analyst(tx, read_id("usr", user_id), data.skills, available=data.available)
        return show_analyst(found)

    @post("/next", opt={"permission": _WORK}, sync_to_thread=True, status_code=200, summary="Take the next case")
    def take_next(self, tx: Tx) -> CaseSummaryRow:
        """Take the first case of the queue that nobody works on and that asks for one's skills."""
        return shown(tx, cases.take_next(tx))

    @post("/distribution", opt={"permission": _WORK}, sync_to_thread=True, status_code=200, summary="Give cases out")
    def distribute(self, tx: Tx, data: DistributionBody) -> Distribution:
        """Give the first cases that nobody works on to those who are available, in turn and by skill."""
        return Distribution(given=cases.distribute(tx, data.limit))

    @get("/{case_id:str}", opt={"permission": _READ, "sensitive": True}, sync_to_thread=True, summary="One case")
    def detail(self, tx: Tx, case_id: str, explanations: Explanations) -> CaseDocument:
        """A case with its alerts and what explains them, history, files, actions and judgements."""
        found, alerts = cases.detail(tx, read_id("cas", case_id))
        known = explanations(tx, [one.id for one in alerts])
        return show_case(found, alerts, known, people.names(tx, [found.case.assignment.assignee_id]))

    @post(
        "/{case_id:str}/assignment", opt={"permission": _WORK}, sync_to_thread=True, status_code=200,
        summary="Give a case to somebody",
    )  # fmt: skip
    def assign(self, tx: Tx, case_id: str, data: CaseAssignmentBody) -> CaseSummaryRow:
        """Give a case with its open alerts to a person, a team or both, or back to the queue.

        409 says who changed the case in the meantime.
        """
        assignee = None if data.assignee_id is None else read_id("usr", data.assignee_id)
        team = None if data.team_id is None else read_id("tem", data.team_id)
        found = cases.assign(tx, read_id("cas", case_id), data.version, assignee=assignee, team=team)
        return shown(tx, found)

    @post(
        "/{case_id:str}/taking", opt={"permission": _WORK}, sync_to_thread=True, status_code=200, summary="Take a case"
    )
    def take(self, tx: Tx, case_id: str, data: VersionBody) -> CaseSummaryRow:
        """Take a case oneself; it stays with its team, or goes to the first of one's own."""
        return shown(tx, cases.take(tx, read_id("cas", case_id), data.version))


def shown(tx: Tx, case: Case) -> CaseSummaryRow:
    """A case after a change."""
    return show_row(case, people.names(tx, [case.assignment.assignee_id]))
