"""The log's partitions, one a day, made ahead of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from finer.kit.db import WORKER, connect

_PARTITIONS_AHEAD_DAYS = 3


def prepare_log(url: str) -> None:
    """Make the log's partitions of the days ahead; doing it again changes nothing."""
    today = datetime.now(UTC).date()
    with connect(url, WORKER, name="finer-jobs") as connection:
        for ahead in range(_PARTITIONS_AHEAD_DAYS):
            connection.execute("select kit_log_add_partition(%s)", (today + timedelta(days=ahead),))
