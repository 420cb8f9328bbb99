"""The log's partitions, one a day, made ahead of time."""

from __future__ import annotations

from datetime import datetime, timedelta

from finer.kit.db import WORKER, connect

_PARTITIONS_AHEAD_DAYS = 3


def prepare_log(url: str, now: datetime) -> None:
    """Make the log's partitions of the days from `now` on; doing it again changes nothing."""
    with connect(url, WORKER, name="finer-jobs") as connection:
        for ahead in range(_PARTITIONS_AHEAD_DAYS):
            connection.execute("select kit_log_add_partition(%s)", (now.date() + timedelta(days=ahead),))
