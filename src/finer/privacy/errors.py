"""What can go wrong in privacy."""

from __future__ import annotations

from finer.kit.errors import Conflict, Forbidden, NotFound, Unprocessable


class RequestNotFound(NotFound):
    """No subject request of this firm has this id."""

    slug = "subject-request-not-found"


class HoldNotFound(NotFound):
    """No open hold of this firm has this id."""

    slug = "hold-not-found"


class BreachNotFound(NotFound):
    """No breach of this firm has this id."""

    slug = "breach-not-found"


class StepNotPossible(Conflict):
    """The record is not in a state in which this can be done, or somebody else was quicker."""

    slug = "step-not-possible"
    title = "This cannot be done now"


class UnderHold(Conflict):
    """The records of this person must be kept."""

    slug = "under-hold"
    title = "These records must be kept"


class SamePerson(Forbidden):
    """Two different people have to agree."""

    slug = "same-person"
    title = "A second person has to agree"


class CannotBeUsed(Unprocessable):
    """A text, number or moment that cannot be used here."""

    slug = "privacy-input"
    title = "This cannot be used"
