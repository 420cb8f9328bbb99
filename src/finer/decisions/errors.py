"""What can go wrong in decisions."""

from __future__ import annotations

from finer.kit.errors import Conflict, Forbidden, NotFound, Unprocessable


class AlertNotFound(NotFound):
    """No alert of this tenant has this id."""

    slug = "alert-not-found"


class DecisionNotFound(NotFound):
    """No awaited decision of this tenant has this id."""

    slug = "decision-not-found"


class AlertChanged(Conflict):
    """Somebody else changed the alert in the meantime."""

    slug = "alert-changed"
    title = "Somebody else has changed this alert"


class NotYourAlert(Forbidden):
    """The caller sees the alert and does not work on it."""

    slug = "not-your-alert"
    title = "Somebody else works on this alert, or nobody yet"


class NotAssignable(Unprocessable):
    """The person named may not work on alerts."""

    slug = "not-assignable"
    title = "This person cannot take alerts"


class AlertAlreadyResolved(Conflict):
    """Somebody else judged the alert in the meantime."""

    slug = "alert-already-resolved"
    title = "Somebody else has resolved this alert"


class EventIdReused(Conflict):
    """The event id was used before, for another transaction."""

    slug = "event-id-reused"
    title = "This event id belongs to another transaction"
