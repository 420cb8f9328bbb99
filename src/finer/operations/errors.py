"""What can go wrong in operations."""

from __future__ import annotations

from finer.kit.errors import Conflict, InvalidInput, Unprocessable


class UnknownSpan(InvalidInput):
    """A dashboard was asked for a length of time that it does not have."""

    slug = "unknown-span"


class UnknownMetric(InvalidInput):
    """A metric was asked for that does not exist."""

    slug = "unknown-metric"


class TargetsChanged(Conflict):
    """Somebody else changed the firm's targets in the meantime."""

    slug = "targets-changed"
    title = "Somebody else has changed goals or plans"


class TargetsNotAcceptable(Unprocessable):
    """Goals or plans break a rule; the detail says which. Nothing was changed."""

    slug = "targets-not-acceptable"
    title = "These goals or plans cannot be kept"
