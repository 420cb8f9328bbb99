"""What can go wrong in lineage."""

from __future__ import annotations

from finer.kit.errors import NotFound


class EntryNotFound(NotFound):
    """The catalogue has nothing of this id."""

    slug = "catalogue-entry-not-found"
