"""What can go wrong with segments."""

from __future__ import annotations

from finer.kit.errors import Conflict, Forbidden, NotFound, Unprocessable


class SegmentNotFound(NotFound):
    """The firm has no segment of this id."""

    slug = "segment-not-found"


class SegmentNotUsable(Unprocessable):
    """A name or a condition that a segment cannot have, or one segment too many."""

    slug = "segment"
    title = "This cannot be a segment"


class SegmentChanged(Conflict):
    """Somebody changed it first, in another window perhaps."""

    slug = "changed-meanwhile"
    title = "Somebody else changed this first"


class SegmentBroken(Conflict):
    """Its condition cannot be asked any more: what it reads has gone from the contract."""

    slug = "segment-broken"
    title = "The segment cannot be counted"


class SegmentWithheld(Forbidden):
    """Who is in it would tell what the caller's role does not see of them."""

    slug = "segment-withheld"
    title = "Its people are not shown to your role"
