"""What payments turned out to be: closing a case, and judging its alerts anew when more becomes known.

Every judgement is kept with its source and the time since when it is known. The one known latest decides what an alert
is; the lake gets all of them, so that what was known at any moment can be asked.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from finer.decisions.errors import CaseNotAcceptable
from finer.decisions.service.alerts import announce_alerts
from finer.decisions.service.cases import get_case, get_locked, open_case
from finer.decisions.service.grouping import recount
from finer.decisions.service.history import write
from finer.decisions.store.alerts import DecisionStore
from finer.decisions.store.case_files import CaseFileStore
from finer.decisions.types.alerts import Alert, AlertState
from finer.decisions.types.cases import Case, EntryKind, Judgement, LabelSource
from finer.facts.decisions import AlertResolved
from finer.identity.service.audit import record_audit
from finer.identity.types.access import Permission
from finer.kit.ids import new_id, show_id
from finer.kit.tx import Tx

NOTE_MAX = 2_000
VERDICTS = (AlertState.CONFIRMED, AlertState.DISMISSED, AlertState.UNDETERMINED)


def close_case(
    tx: Tx,
    identifier: uuid.UUID,
    version: int,
    verdict: AlertState,
    note: str,
    *,
    source: LabelSource = LabelSource.ANALYST,
    otherwise: Mapping[uuid.UUID, AlertState] | None = None,
) -> Case:
    """Judge every open alert of a case, and so close it; `otherwise` holds verdicts of single alerts that differ.

    Raises CaseNotFound, CaseChanged, CaseIsClosed, and CaseNotAcceptable for an alert that is not of this case, and
    without a note when a step of the checklist is not done.
    """
    alerts = DecisionStore(tx)
    alerts.order_changes()
    case = open_case(tx, identifier, Permission.CASES_CLOSE, version)
    undone = sum(one.done_at is None for one in case.checklist)
    if undone and not note.strip():
        raise CaseNotAcceptable(
            f"{undone} of {len(case.checklist)} steps are not done. Do them, or say in the note why the case is "
            "closed without.",
            undone=undone,
        )
    found = [one for one in alerts.alerts_of_case(identifier) if one.state is AlertState.OPEN]
    differing = dict(otherwise or {})
    if strange := differing.keys() - {one.id for one in found}:
        raise CaseNotAcceptable(f"{show_id('alr', min(strange))} is no open alert of this case.")
    for state in VERDICTS:
        chosen = [one for one in found if differing.get(one.id, verdict) is state]
        _judge(tx, chosen, AlertState.OPEN, state, source, tx.now(), note)
    detail = {"verdict": verdict.value, "alerts": len(found), "undone_steps": undone}
    record_audit(tx, "cases:judge", show_id("cas", identifier), detail)
    write(tx, identifier, EntryKind.LABEL, case.version + 1, note.strip(), detail)
    announce_alerts(tx)
    return recount(tx, case)


def relabel(
    tx: Tx,
    identifier: uuid.UUID,
    alert_ids: Sequence[uuid.UUID],
    verdict: AlertState,
    *,
    source: LabelSource,
    known_at: datetime | None,
    reason: str,
) -> Case:
    """Say what payments of a case turned out to be, also after it was closed, and also against what was said before.

    An alert takes the verdict if nothing that is known later says otherwise. Raises CaseNotFound, and
    CaseNotAcceptable without a reason, for an alert of another case, or a time that is not between payment and now.
    """
    alerts = DecisionStore(tx)
    alerts.order_changes()
    case = get_case(tx, identifier, Permission.CASES_CLOSE, lock=True)
    known = tx.now() if known_at is None else known_at
    by_id = {one.id: one for one in alerts.alerts_of_case(identifier)}
    chosen = list(dict.fromkeys(alert_ids))
    _check(tx, chosen, by_id, known, reason)
    decided = judge_as_known(tx, [by_id[one] for one in chosen], verdict, source, known, reason)
    detail = {"verdict": verdict.value, "source": source.value, "alerts": len(chosen), "decided": decided}
    record_audit(tx, "cases:label", show_id("cas", identifier), detail | {"known_at": known.isoformat()})
    write(tx, identifier, EntryKind.LABEL, case.version + 1, reason.strip(), detail)
    announce_alerts(tx)
    recount(tx, case)
    return get_locked(tx, identifier)


def judge_as_known(
    tx: Tx, alerts: Sequence[Alert], verdict: AlertState, source: LabelSource, known_at: datetime, reason: str
) -> int:
    """Keep what became known of alerts; those of which nothing is known later take the verdict. Returns how many do.

    The turn of the firm's alerts is taken and their cases are locked before.
    """
    decides = _decided(tx, [one.id for one in alerts], known_at)
    for old in AlertState:
        there = [one for one in alerts if one.id in decides and one.state is old]
        _judge(tx, there, old, verdict, source, known_at, reason)
    _note(tx, [one for one in alerts if one.id not in decides], verdict, source, known_at, reason)
    return len(decides)


def _check(
    tx: Tx, chosen: Sequence[uuid.UUID], by_id: Mapping[uuid.UUID, Alert], known_at: datetime, reason: str
) -> None:
    if not chosen or any(one not in by_id for one in chosen):
        raise CaseNotAcceptable("Name alerts of this case, at least one.")
    if not reason.strip():
        raise CaseNotAcceptable("Say how this became known: it may contradict what was said before.")
    if known_at > tx.now() or any(known_at < by_id[one].occurred_at for one in chosen):
        raise CaseNotAcceptable("It can only have become known after the payment, and not in the future.")


def _decided(tx: Tx, chosen: Sequence[uuid.UUID], known_at: datetime) -> list[uuid.UUID]:
    """The alerts of which nothing is known later than that."""
    latest: dict[uuid.UUID, Judgement] = {}
    for one in CaseFileStore(tx).judgements(chosen):
        latest.setdefault(one.alert_id, one)
    return [one for one in chosen if one not in latest or latest[one].known_at <= known_at]


def _judge(
    tx: Tx,
    alerts: Sequence[Alert],
    old: AlertState,
    new: AlertState,
    source: LabelSource,
    known_at: datetime,
    note: str,
) -> None:
    if not alerts:
        return
    DecisionStore(tx).judge([one.id for one in alerts], old, new, tx.actor.name, tx.now(), note.strip()[:NOTE_MAX])
    _note(tx, alerts, new, source, known_at, note)


def _note(
    tx: Tx, alerts: Sequence[Alert], verdict: AlertState, source: LabelSource, known_at: datetime, reason: str
) -> None:
    """Keep a judgement of each alert, and label its payment in the lake."""
    CaseFileStore(tx).add_judgements(
        [
            Judgement(
                id=new_id(), alert_id=one.id, verdict=verdict.value, source=source, known_at=known_at,
                recorded_at=tx.now(), by=tx.actor.name, reason=reason.strip()[:NOTE_MAX],
            )
            for one in alerts
        ]
    )  # fmt: skip
    for one in alerts:
        if verdict is AlertState.UNDETERMINED and one.state is AlertState.OPEN:
            continue  # there is no label to take back
        tx.record(
            AlertResolved(
                event_id=one.event_id, occurred_at=one.occurred_at, verdict=verdict.value, known_at=known_at,
                source=f"{tx.actor.kind}:{tx.actor.id}" if source is LabelSource.ANALYST else source.value,
            )
        )  # fmt: skip
