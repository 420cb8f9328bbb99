"""What can go wrong in decisions."""

from __future__ import annotations

from finer.kit.errors import Conflict, Forbidden, NotFound, TooLarge, Unprocessable, UnsupportedMediaType


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


class CaseNotFound(NotFound):
    """No case that the caller reaches has this id."""

    slug = "case-not-found"


class CaseChanged(Conflict):
    """Somebody else changed the case in the meantime; `changes` says who did what."""

    slug = "case-changed"
    title = "Somebody else has changed this case"


class CaseIsClosed(Conflict):
    """The act needs an open case."""

    slug = "case-is-closed"
    title = "This case is closed"


class NotYourCase(Forbidden):
    """The caller sees the case and does not work on it."""

    slug = "not-your-case"
    title = "Somebody else works on this case, or nobody yet"


class NothingToTake(NotFound):
    """The queue holds no case for the caller."""

    slug = "nothing-to-take"
    title = "The queue is empty for you"


class CaseNotAcceptable(Unprocessable):
    """What was sent for a case breaks one of its rules; the detail says which."""

    slug = "case-not-acceptable"
    title = "This cannot be done to the case"


class CasePolicyChanged(Conflict):
    """Somebody else changed the policy of cases in the meantime."""

    slug = "case-policy-changed"
    title = "Somebody else has changed due times or checklists"


class CasePolicyNotAcceptable(Unprocessable):
    """Due times or checklists break a rule; the detail says which and where. Nothing was changed."""

    slug = "case-policy-not-acceptable"
    title = "Cases cannot be worked by this policy"


class LabelsNotAcceptable(Unprocessable):
    """Labels that were reported break a rule; the detail says which of them and why. None was taken."""

    slug = "labels-not-acceptable"
    title = "These labels cannot be taken"


class PaymentsUnknown(NotFound):
    """Payments that were to be labelled are not known."""

    slug = "payments-unknown"
    title = "Some of these payments are not known"


class CaseActionNotFound(NotFound):
    """No action of a case that the caller reaches has this id."""

    slug = "case-action-not-found"


class CaseActionChanged(Conflict):
    """The action is not in the state that this needs."""

    slug = "case-action-changed"
    title = "Somebody else has settled this action"


class AttachmentNotFound(NotFound):
    """The case has no such file."""

    slug = "attachment-not-found"


class AttachmentRefused(UnsupportedMediaType):
    """The file is of a kind that is not kept, or is not what it says it is."""

    slug = "attachment-refused"
    title = "This kind of file is not kept"


class AttachmentTooLarge(TooLarge):
    """The file, or all of a case together, is over the limit."""

    slug = "attachment-too-large"
    title = "The file is too large"
