"""The numbers of PostgreSQL's advisory locks, all in one place: two locks of one number would wait for each other.

Locks whose key is a hash of words (`hashtextextended`) are not here: their words tell them apart.
"""

from __future__ import annotations

import enum


@enum.unique
class LockKey(enum.IntEnum):
    """The first, or only, number of a lock; where there is a second, it is a hash of the firm's id or lake.

    A number is never given another meaning: processes of two releases may run at once.
    """

    WORKER = 7_316_771
    """One worker at a time."""
    ALERT_ORDER = 7_316_772
    """Alerts of a firm are committed in the order of their numbers."""
    ALERT_GROUPING = 7_316_773
    """Alerts of a firm become cases in one transaction at a time."""
    NOTIFICATION_ORDER = 7_316_774
    """Notifications of a firm are committed in the order of their numbers."""
    QUERY_RUN = 7_316_775
    """Queries of a firm are taken in one after another."""
    LAKE_MADE = 7_316_776
    """One lake is made at a time."""
    LAKE_UPKEEP = 7_316_777
    """Files of a firm's lake are merged or rewritten by one process at a time."""
    LAKE_ROWS = 7_316_778
    """Who changes rows of a firm's lake is alone with them; those who add rows share it."""
    SUMS = 7_316_779
    """One process keeps, or makes anew, the sums of dashboards."""
    MODELS = 7_316_901
    """Versions of a firm's models get their numbers one after another."""
    SIGNING_KEY = 0x46696E6572
    """One signing key is made at a time."""
