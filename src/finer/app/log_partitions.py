"""The log's partitions, one a day: made ahead of time. `finer up` does it first, so this loads next to nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from finer.kit.db import WORKER, connect
from finer.kit.log_days import add_day

_log = structlog.get_logger(__name__)
_PARTITIONS_AHEAD_DAYS = 3


def prepare_log(url: str, now: datetime) -> None:
    """Make the log's partitions of the days from `now` on; doing it again changes nothing.

    A day whose records came before its partition was made, because nothing made it for days, stays where they are, in
    the partition for everything else, which is never dropped.
    """
    with connect(url, WORKER, name="finer-jobs") as connection:
        for ahead in range(_PARTITIONS_AHEAD_DAYS):
            day = now.date() + timedelta(days=ahead)
            if not add_day(connection, day):
                _log.warning("records of this day came before its log partition was made", day=str(day))
