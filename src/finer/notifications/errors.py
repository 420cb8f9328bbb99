"""What can go wrong in notifications."""

from __future__ import annotations

from finer.kit.errors import NotFound


class NotificationNotFound(NotFound):
    """The caller has no notification of this id."""

    slug = "notification-not-found"
