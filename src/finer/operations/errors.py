"""What can go wrong in operations."""

from __future__ import annotations

from finer.kit.errors import InvalidInput


class UnknownSpan(InvalidInput):
    """A dashboard was asked for a length of time that it does not have."""

    slug = "unknown-span"


class UnknownMetric(InvalidInput):
    """A metric was asked for that does not exist."""

    slug = "unknown-metric"
