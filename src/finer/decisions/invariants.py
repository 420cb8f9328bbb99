"""What must always be true of decisions; each function returns sentences, empty when all is well."""

from __future__ import annotations

from finer.decisions.store.alerts import DecisionStore
from finer.decisions.store.cases import CaseStore
from finer.kit.tx import Tx


def totals_equal_alerts(tx: Tx) -> list[str]:
    """The totals that the summary shows are those of the alerts themselves."""
    return [
        f"Alert totals of {row.day} for rule {row.rule or '(all)'!r} in state {row.state}: "
        f"{row.kept} kept, {row.real} real."
        for row in DecisionStore(tx).recount()
    ]


def one_alert_per_event(tx: Tx) -> list[str]:
    """No event has two alerts, however often the pipeline was restarted."""
    return [f"Event {event_id} has more than one alert." for event_id in DecisionStore(tx).repeated_events()]


def cases_count_their_alerts(tx: Tx) -> list[str]:
    """A case knows how many alerts it has and how many are open; one that is closed has no open alert."""
    return [f"Case {number} does not agree with its alerts." for number in CaseStore(tx).miscounted()]


def cases_hold_their_subject_only(tx: Tx) -> list[str]:
    """Every alert in a case is one of its customer or account."""
    return [f"Case {number} holds an alert of somebody else." for number in CaseStore(tx).strangers()]
