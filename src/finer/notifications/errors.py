"""What can go wrong in notifications."""

from __future__ import annotations

from finer.kit.errors import Conflict, NotFound, Unprocessable


class NotificationNotFound(NotFound):
    """The caller has no notification of this id."""

    slug = "notification-not-found"


class HookNotFound(NotFound):
    """The firm has no webhook of this id."""

    slug = "hook-not-found"


class HookNameTaken(Conflict):
    """The firm has a webhook of this name, and people choose webhooks by their names."""

    slug = "hook-name-taken"
    title = "There is a webhook of this name"


class HookRefused(Unprocessable):
    """A webhook that cannot be used; `detail` says why."""

    slug = "hook-refused"
    title = "This webhook cannot be used"
