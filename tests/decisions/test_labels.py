"""Labels that are reported: frauds that raised no alert, alerts in cases, and what is refused whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from finer.decisions.errors import CaseNotFound, LabelsNotAcceptable, PaymentsUnknown
from finer.decisions.service import labels
from finer.decisions.types.alerts import AlertState
from finer.decisions.types.cases import CaseState, LabelSource, Outcome
from finer.decisions.types.labels import LabelsTaken, ReportedLabel
from finer.facts.decisions import AlertResolved
from finer.identity.service import audit
from finer.kit.actors import Actor, Fact
from finer.kit.clock import FixedClock
from tests.decisions.desk import CaseDesk
from tests.support.alerts import AT

MACHINE = Actor(kind="key", id="k1", name="Chargebacks", role="service")


@pytest.fixture(autouse=True)
def later(clock: FixedClock) -> None:
    """Chargebacks come days after the payments."""
    clock.advance(AT + timedelta(days=10) - clock.now())


def label(event: str, verdict: AlertState = AlertState.CONFIRMED, **changes: Any) -> ReportedLabel:
    """What the firm's chargeback system says of a payment."""
    plain = ReportedLabel(
        event_id=event, occurred_at=AT, verdict=verdict, source=LabelSource.CHARGEBACK, known_at=AT + timedelta(days=1),
        reason="Charged back, code 10.4.",
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


def report(
    desk: CaseDesk, *reported: ReportedLabel, lake: Sequence[str] = (), by: Actor = MACHINE
) -> tuple[LabelsTaken, list[Fact]]:
    """Report labels, with a lake that holds some payments."""

    def read(_statement: str, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        assert arguments["since"] < AT < arguments["until"]
        return [{"event_id": one, "occurred_at": AT} for one in lake if one in arguments["events"]]

    with desk.firm.tx(by) as tx:
        return labels.report(tx, reported, read), list(tx.facts)


def test_a_fraud_that_raised_no_alert_is_labelled_by_the_time_that_the_lake_has_of_it(desk: CaseDesk) -> None:
    said = label("missed", occurred_at=AT + timedelta(hours=5))
    taken, facts = report(desk, said, lake=["missed", "another"])
    assert taken == LabelsTaken(labels=1, alerts=0, cases=0)
    assert facts == [
        AlertResolved(
            event_id="missed", occurred_at=AT, verdict="confirmed_fraud", known_at=said.known_at, source="chargeback"
        )
    ]
    with desk.firm.tx() as tx:
        (line, *_) = audit.list_audit(tx, 5, None)
    assert (line.action, line.detail["labels"]) == ("labels:report", 1)


def test_an_alert_among_them_is_judged_in_its_case_and_what_is_known_later_stands(desk: CaseDesk) -> None:
    case, alerts = desk.one(count=2)
    alone = desk.raised(1, customer_id=None, account_id=None)[0]
    taken, facts = report(
        desk, label(alerts[0].event_id), label(alerts[1].event_id), label(alone.event_id), label("missed"),
        lake=["missed"],
    )  # fmt: skip
    assert taken == LabelsTaken(labels=4, alerts=3, cases=2)
    assert len([one for one in facts if isinstance(one, AlertResolved)]) == 4
    closed = next(one for one in desk.queue(closed=True) if one.id == case.id)
    assert (closed.state, closed.outcome, closed.open_alerts) == (CaseState.CLOSED, Outcome.CONFIRMED_FRAUD, 0)
    # The customer takes it back; an older notice that arrives late does not undo that.
    taken_back = label(alerts[0].event_id, AlertState.DISMISSED, known_at=AT + timedelta(days=3))
    report(desk, taken_back)
    report(desk, label(alerts[0].event_id, known_at=AT + timedelta(days=2)))
    assert next(one for one in desk.queue(closed=True) if one.id == case.id).outcome is Outcome.MIXED
    desk.check()


def test_payments_that_nobody_knows_are_named_and_no_label_is_taken(desk: CaseDesk) -> None:
    _, (alert,) = desk.one()
    with pytest.raises(PaymentsUnknown, match=r"1 of 2 payments are not known .*: ghost"):
        report(desk, label(alert.event_id), label("ghost"), label("missed"), lake=["missed"])
    assert all(one.open_alerts for one in desk.queue())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"verdict": AlertState.OPEN}, "a verdict is"),
        ({"source": LabelSource.ANALYST}, "only a person"),
        ({"reason": " "}, "how this became known"),
        ({"known_at": AT - timedelta(days=2)}, "only have become known after"),
        ({"known_at": AT + timedelta(days=36_500)}, "not in the future"),
        ({"occurred_at": datetime.min.replace(tzinfo=UTC), "known_at": AT}, "before 1970"),
    ],
)
def test_a_label_that_cannot_be_is_refused_with_its_place(desk: CaseDesk, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(LabelsNotAcceptable, match=rf"Label 2: .*{says}"):
        report(desk, label("fine"), label("odd", **changes), lake=["fine", "odd"])


def test_labels_that_contradict_each_other_in_one_report_are_refused(desk: CaseDesk) -> None:
    with pytest.raises(LabelsNotAcceptable, match="comes twice"):
        report(desk, label("one"), label("one", AlertState.DISMISSED), lake=["one"])
    with pytest.raises(LabelsNotAcceptable, match="at a time"):
        report(desk)


def test_b13_a_person_labels_no_alert_of_a_case_that_is_somebody_elses(desk: CaseDesk) -> None:
    case, (alert,) = desk.one()
    desk.take(case, desk.budi)
    with pytest.raises(CaseNotFound):
        report(desk, label(alert.event_id), by=desk.ana)
    report(desk, label(alert.event_id), by=desk.budi)
    assert next(one for one in desk.queue(closed=True) if one.id == case.id).outcome is Outcome.CONFIRMED_FRAUD
