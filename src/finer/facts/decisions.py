"""Facts of the decisions domain."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from finer.kit.actors import Fact


class AlertResolved(Fact, frozen=True):
    """Somebody has found out what a payment was, with an alert or without: it is now labelled.

    `verdict` is confirmed_fraud or dismissed, or undetermined when an earlier label is taken back.
    """

    name: ClassVar[str] = "decisions.alert_resolved.v1"

    event_id: str
    occurred_at: datetime
    verdict: str
    known_at: datetime
    source: str


class CaseOpened(Fact, frozen=True):
    """Alerts of one customer have become a case. `priority` is normal, high or urgent."""

    name: ClassVar[str] = "decisions.case_opened.v1"

    case_id: str
    number: int
    priority: str


class CaseClosed(Fact, frozen=True):
    """A case was closed. `outcome` is confirmed_fraud, genuine, undetermined or mixed."""

    name: ClassVar[str] = "decisions.case_closed.v1"

    case_id: str
    number: int
    outcome: str


class CaseActionAsked(Fact, frozen=True):
    """Something is to be done about a case. The action says to whom; a fact names no person."""

    name: ClassVar[str] = "decisions.case_action_asked.v1"

    action_id: str
    kind: str


class CaseActionUndone(Fact, frozen=True):
    """What was done about a case is to be undone."""

    name: ClassVar[str] = "decisions.case_action_undone.v1"

    action_id: str
    kind: str
