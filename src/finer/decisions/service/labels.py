"""What payments turned out to be, reported by those who hear of it: chargebacks, complaints, notices of an issuer.

A fraud that raised no alert is the one that rules and models most need to hear of: without it recall counts only what
was found anyway, and the next model learns that what was missed is genuine. So any payment of the lake can be labelled;
one with an alert is judged as in its case.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from operator import attrgetter

from finer.decisions.errors import LabelsNotAcceptable, NotYourCase, PaymentsUnknown
from finer.decisions.service.alerts import announce_alerts
from finer.decisions.service.cases import get_case, get_locked
from finer.decisions.service.grouping import recount
from finer.decisions.service.history import write
from finer.decisions.service.judgements import judge_as_known
from finer.decisions.service.lake_history import ReadLake
from finer.decisions.store import lake_history as lake
from finer.decisions.store.alerts import DecisionStore
from finer.decisions.store.cases import CaseStore
from finer.decisions.types.alerts import Alert, AlertState
from finer.decisions.types.cases import Case, EntryKind, LabelSource
from finer.decisions.types.labels import LabelsTaken, ReportedLabel
from finer.facts.decisions import AlertResolved
from finer.identity.service.audit import record_audit
from finer.identity.types.access import Permission
from finer.kit.moments import EPOCH
from finer.kit.tx import Tx

AT_ONCE_MAX = 1_000
_AROUND = timedelta(days=1)
_NAMED_MAX = 5


def report(tx: Tx, reported: Sequence[ReportedLabel], read: ReadLake) -> LabelsTaken:
    """Label payments, all or none.

    Raises LabelsNotAcceptable, PaymentsUnknown for ids that neither an alert nor the lake knows, and NotYourCase when a
    person labels an alert in somebody else's case.
    """
    _check(tx, reported)
    by_event = {one.event_id: one for one in reported}
    alerts = DecisionStore(tx)
    warned = {one.event_id for one in alerts.alerts_of_events(list(by_event))}
    # The lake is asked before anything is locked: the worker waits for the turn of the firm's alerts.
    silent = _silent(tx, [one for one in reported if one.event_id not in warned], read)
    alerts.order_changes()
    alerts.hold_loose(sorted(warned))
    found = alerts.alerts_of_events(sorted(warned))
    cases = _lock(tx, {one.case_id for one in found if one.case_id is not None})
    for case, its_alerts in _by_case(found):
        _judge(tx, None if case is None else cases.get(case), its_alerts, by_event)
    for fact in silent:
        tx.record(fact)
    sources = sorted({one.source.value for one in reported})
    taken = LabelsTaken(labels=len(reported), alerts=len(found), cases=len(cases))
    counts = {"labels": taken.labels, "alerts": taken.alerts, "cases": taken.cases, "sources": sources}
    record_audit(tx, "labels:report", "labels", counts)
    if found:
        announce_alerts(tx)
    return taken


def _check(tx: Tx, reported: Sequence[ReportedLabel]) -> None:
    if not 1 <= len(reported) <= AT_ONCE_MAX:
        raise LabelsNotAcceptable(f"1 to {AT_ONCE_MAX:,} labels are reported at a time.")
    if len({one.event_id for one in reported}) < len(reported):
        raise LabelsNotAcceptable("A payment comes twice. Report what is known of it last, once.")
    for place, one in enumerate(reported, 1):
        if one.verdict is AlertState.OPEN:
            raise LabelsNotAcceptable(f"Label {place}: a verdict is confirmed_fraud, dismissed or undetermined.")
        if one.source is LabelSource.ANALYST and tx.actor.kind != "user":
            raise LabelsNotAcceptable(f"Label {place}: only a person reports what an analyst found out.")
        if not one.reason.strip():
            raise LabelsNotAcceptable(f"Label {place}: say how this became known.")
        if one.occurred_at < EPOCH:
            raise LabelsNotAcceptable(f"Label {place}: there are no payments from before 1970.")
        if not one.occurred_at - _AROUND <= one.known_at <= tx.now():
            raise LabelsNotAcceptable(
                f"Label {place}: it can only have become known after the payment, and not in the future."
            )


def _silent(tx: Tx, reported: Sequence[ReportedLabel], read: ReadLake) -> list[AlertResolved]:
    """The facts of labels of payments that raised no alert, with the times that the lake has of them."""
    if not reported:
        return []
    times = [one.occurred_at for one in reported]
    made = lake.payments(read, [one.event_id for one in reported], min(times) - _AROUND, max(times) + _AROUND)
    missing = [one.event_id for one in reported if one.event_id not in made]
    if missing:
        named = ", ".join(one[:80] for one in missing[:_NAMED_MAX])
        raise PaymentsUnknown(
            f"{len(missing)} of {len(reported)} payments are not known around the time given: {named}. A payment is "
            "known some seconds after it was decided. No label was taken."
        )
    return [
        AlertResolved(
            event_id=one.event_id, occurred_at=made[one.event_id], verdict=one.verdict.value, known_at=one.known_at,
            source=f"{tx.actor.kind}:{tx.actor.id}" if one.source is LabelSource.ANALYST else one.source.value,
        )
        for one in reported
    ]  # fmt: skip


def _lock(tx: Tx, identifiers: set[uuid.UUID]) -> dict[uuid.UUID, Case]:
    """Cases in one order, so that nobody who locks several waits for whoever waits for them."""
    found: dict[uuid.UUID, Case] = {}
    for one in sorted(identifiers):
        if tx.actor.kind == "user":
            # A person judges the alerts of cases within reach, by whatever door.
            get_case(tx, one, Permission.CASES_CLOSE)
        locked = CaseStore(tx).find(one, lock=True)
        if locked is None:
            raise NotYourCase("A case of these payments is gone. Report them again.")
        found[one] = locked
    return found


def _by_case(alerts: Iterable[Alert]) -> list[tuple[uuid.UUID | None, list[Alert]]]:
    ordered = sorted(alerts, key=lambda one: (str(one.case_id), one.id))
    return [(case, list(its)) for case, its in groupby(ordered, key=attrgetter("case_id"))]


def _judge(tx: Tx, case: Case | None, alerts: Sequence[Alert], by_event: Mapping[str, ReportedLabel]) -> None:
    for alert in alerts:
        one = by_event[alert.event_id]
        judge_as_known(tx, [alert], one.verdict, one.source, one.known_at, one.reason)
    if case is not None:
        first = by_event[alerts[0].event_id]
        detail = {"verdict": first.verdict.value, "source": first.source.value, "alerts": len(alerts)}
        write(tx, case.id, EntryKind.LABEL, case.version + 1, first.reason.strip(), detail)
        recount(tx, get_locked(tx, case.id))
