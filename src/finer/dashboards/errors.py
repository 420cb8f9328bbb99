"""What can go wrong with dashboards."""

from __future__ import annotations

from finer.kit.errors import Conflict, Forbidden, NotFound, Unprocessable


class DashboardNotFound(NotFound):
    """No dashboard of this id is the caller's own or shared with them."""

    slug = "dashboard-not-found"


class TileNotFound(NotFound):
    """The dashboard has no tile of this id."""

    slug = "tile-not-found"


class AnnotationNotFound(NotFound):
    """The dashboard has no note of this id that the caller may take away."""

    slug = "annotation-not-found"


class TileRefused(Forbidden):
    """The caller may not see what a tile shows."""

    slug = "tile-refused"
    title = "You may not see this tile"


class ChangedMeanwhile(Conflict):
    """Somebody changed it first, in another window perhaps."""

    slug = "changed-meanwhile"
    title = "Somebody else changed this first"


class NotYours(Conflict):
    """Only its owner may do this."""

    slug = "not-the-owner"
    title = "Only the owner can do this"


class CannotBeUsed(Unprocessable):
    """A name, tile, time or filter that cannot be used."""

    slug = "dashboard-input"
    title = "This cannot be used"


class NoResult(Conflict):
    """A tile has nothing to show yet."""

    slug = "tile-no-result"
    title = "There is no result"


class AlertNotFound(NotFound):
    """The caller has no alert on a metric, or no silence, of this id."""

    slug = "metric-alert-not-found"
