"""What can go wrong in quality."""

from __future__ import annotations

from finer.kit.errors import Conflict, InvalidInput, NotFound


class MonitorNotFound(NotFound):
    """The firm has no monitor of this id."""

    slug = "quality-monitor-not-found"


class IncidentNotFound(NotFound):
    """The firm has no incident of this id."""

    slug = "quality-incident-not-found"


class IncidentClosed(Conflict):
    """The incident is over, so that nothing can be done about it any more."""

    slug = "quality-incident-closed"
    title = "The incident is over"


class ChangedMeanwhile(Conflict):
    """Somebody else changed it first."""

    slug = "changed-meanwhile"
    title = "Somebody else changed this first"


class MuteTooLong(InvalidInput):
    """A monitor is muted for a time that is over, or for too long."""

    slug = "quality-mute"
    title = "A monitor cannot be muted until then"
