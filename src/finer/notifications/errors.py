"""What can go wrong in notifications."""

from __future__ import annotations

from finer.kit.errors import NotFound, Unprocessable


class NotificationNotFound(NotFound):
    """The caller has no notification of this id."""

    slug = "notification-not-found"


class HookNotFound(NotFound):
    """The firm has no webhook of this id."""

    slug = "hook-not-found"


class HookRefused(Unprocessable):
    """A webhook that cannot be used; `detail` says why."""

    slug = "hook-refused"
    title = "This webhook cannot be used"
