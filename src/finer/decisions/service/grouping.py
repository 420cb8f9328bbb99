"""Alerts become cases: a new alert joins the open case of its customer or account, or opens one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

import msgspec

from finer.decisions.rules.policy import changed_kind, checklist
from finer.decisions.rules.queue import (
    WINDOW,
    expected_loss,
    outcome_of,
    rank,
    subject_of,
    typology_of,
)
from finer.decisions.service import policy
from finer.decisions.service.history import write, write_all
from finer.decisions.store.cases import CaseStore
from finer.decisions.types.alerts import AlertState, Assignment
from finer.decisions.types.cases import Case, CaseState, EntryKind, GroupedAlert, Priority
from finer.decisions.types.policy import PolicyContent
from finer.facts.decisions import CaseClosed, CaseOpened
from finer.identity.service.audit import record_audit
from finer.kit.ids import new_id, show_id
from finer.kit.tx import Tx

AT_ONCE = 200
"""Alerts that one transaction groups."""
_MILDEST_FIRST = tuple(Priority)
_Judged = Mapping[str, tuple[int, int]]


def group_alerts(tx: Tx) -> int:
    """Put open alerts without a case into cases, at most AT_ONCE of them; returns how many.

    One transaction at a time groups the alerts of a firm; a second one returns 0.
    """
    store = CaseStore(tx)
    if not store.lock_grouping():
        return 0
    loose = store.loose_alerts(AT_ONCE)
    if not loose:
        return 0
    judged, by = store.judged_by_rule(), policy.in_force(tx).content
    loose.sort(key=lambda alert: (subject_of(alert), alert.occurred_at, alert.id))
    runs = [run for _, together in groupby(loose, key=subject_of) for run in _runs(list(together))]
    known = store.open_of({subject_of(run[0]) for run in runs}, min(run[0].occurred_at for run in runs) - WINDOW)
    alone, joining = [], dict[uuid.UUID, tuple[Case, list[GroupedAlert]]]()
    for run in runs:
        least = run[0].occurred_at - WINDOW
        case = next((one for one in known[subject_of(run[0])] if one.last_alert_at >= least), None)
        if case is not None:
            joining.setdefault(case.id, (case, []))[1].extend(run)
        else:
            # No run behind it joins this case: they are of another subject, or came more than WINDOW later.
            alone.append(run)
    if joining:
        _join(tx, store, list(joining.values()), judged, by)
    if alone:
        _open(tx, store, alone, judged, by)
    return len(loose)


def _runs(alerts: Sequence[GroupedAlert]) -> Iterator[list[GroupedAlert]]:
    """Alerts in the order of their payments, parted where WINDOW went by without one."""
    run = [alerts[0]]
    for before, after in pairwise(alerts):
        if after.occurred_at - before.occurred_at > WINDOW:
            yield run
            run = []
        run.append(after)
    yield run


def _join(
    tx: Tx, store: CaseStore, joining: Sequence[tuple[Case, Sequence[GroupedAlert]]], judged: _Judged, by: PolicyContent
) -> None:
    store.join({one.id: case for case, alerts in joining for one in alerts})
    of = store.alerts_of([case.id for case, _ in joining])
    counted = [(case, _counted(case, of[case.id], tx.now(), judged, by)) for case, _ in joining]
    store.change_open(counted)
    write_all(
        tx,
        [(case.id, EntryKind.ALERT, case.version + 1, {"alerts": len(alerts)}) for case, alerts in joining],
    )


def _open(tx: Tx, store: CaseStore, runs: Sequence[Sequence[GroupedAlert]], judged: _Judged, by: PolicyContent) -> None:
    """A case for each run of alerts. All at once: a burst of fraud opens hundreds, and people wait for payments."""
    now, number = tx.now(), store.next_number()
    opened = [_case(run, number + place, now, judged, by) for place, run in enumerate(runs)]
    store.add(opened)
    store.join({one.id: case for case, run in zip(opened, runs, strict=True) for one in run})
    write_all(tx, [(case.id, EntryKind.OPENED, case.version, {"alerts": case.alerts}) for case in opened])
    for case in opened:
        tx.record(CaseOpened(case_id=show_id("cas", case.id), number=case.number, priority=case.priority.value))


def _case(run: Sequence[GroupedAlert], number: int, now: datetime, judged: _Judged, by: PolicyContent) -> Case:
    kind, subject = subject_of(run[0])
    loss = expected_loss(run, judged)
    priority = by.priority_from_usd.of(loss)
    due, typology = now + by.due_minutes.after(priority), typology_of(rule for one in run for rule in one.rules)
    return Case(
        id=new_id(), number=number, state=CaseState.OPEN, subject_kind=kind, subject=subject,
        customer_id=run[0].customer_id, account_id=run[0].account_id, typology=typology, priority=priority,
        alerts=len(run), open_alerts=len(run), amount_usd_minor=sum(one.amount_usd_minor for one in run),
        expected_loss_usd_minor=loss, opened_at=now, last_alert_at=run[-1].occurred_at, due_at=due,
        rank_at=rank(due, loss), assignment=Assignment(), outcome=None, closed_at=None, closed_by=None,
        checklist=checklist(by, typology), version=1,
    )  # fmt: skip


def recount(tx: Tx, case: Case) -> Case:
    """Count the alerts of a locked case again after some were judged; it closes with its last open alert."""
    store = CaseStore(tx)
    return _recount(tx, store, case, store.judged_by_rule(), policy.in_force(tx).content)


def _recount(tx: Tx, store: CaseStore, case: Case, judged: _Judged, by: PolicyContent) -> Case:
    alerts = store.alerts_of([case.id])[case.id]
    values = _counted(case, alerts, tx.now(), judged, by)
    closes = values["open_alerts"] == 0 and case.closed_at is None
    if values["open_alerts"] == 0:
        values["outcome"] = outcome_of([one.state for one in alerts])
    if closes:
        values |= {"state": CaseState.CLOSED, "closed_at": tx.now(), "closed_by": tx.actor.name}
    store.change(case.id, case.version, **values)
    changed = store.find(case.id) or case
    if closes:
        closed(tx, changed)
    return changed


def _counted(
    case: Case, alerts: Sequence[GroupedAlert], now: datetime, judged: _Judged, by: PolicyContent
) -> dict[str, Any]:
    """What its alerts say of a case now."""
    loss = expected_loss(alerts, judged)
    typology = typology_of(rule for one in alerts for rule in one.rules)
    priority = max(case.priority, by.priority_from_usd.of(loss), key=_MILDEST_FIRST.index)
    due = case.due_at
    if priority is not case.priority:
        due = min(due, now + by.due_minutes.after(priority))
    steps = case.checklist if typology is case.typology else changed_kind(by, typology, case.checklist)
    return {
        "alerts": len(alerts),
        "open_alerts": sum(one.state == AlertState.OPEN.value for one in alerts),
        "amount_usd_minor": sum(one.amount_usd_minor for one in alerts),
        "expected_loss_usd_minor": loss,
        "last_alert_at": max(one.occurred_at for one in alerts),
        "priority": priority,
        "due_at": due,
        "rank_at": rank(due, loss),
        "typology": typology,
        "checklist": msgspec.to_builtins(steps),
    }


def closed(tx: Tx, case: Case) -> None:
    """What follows from a case being closed: its history, the audit trail, and who else has to know."""
    outcome = "" if case.outcome is None else case.outcome.value
    write(tx, case.id, EntryKind.CLOSED, case.version, detail={"outcome": outcome})
    record_audit(tx, "cases:close", show_id("cas", case.id), {"outcome": outcome, "number": case.number})
    tx.record(CaseClosed(case_id=show_id("cas", case.id), number=case.number, outcome=outcome))
