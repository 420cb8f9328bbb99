"""When a schedule runs: cron in a time zone."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterError, croniter

from finer.workspace.errors import CannotBeUsed

SHORTEST = timedelta(minutes=1)
_FIELDS = 5


def next_time(cron: str, timezone: str, after: datetime) -> datetime:
    """The first moment after `after` at which a schedule is due, by the clock on the wall of its time zone.

    Raises CannotBeUsed for a text that is no cron expression of five fields, an unknown zone, or a time that never
    comes.
    """
    if len(cron.split()) != _FIELDS or len(cron) > 100:
        raise CannotBeUsed("Write when it runs as cron: minute, hour, day of month, month, day of week. `0 9 * * 1-5`.")
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise CannotBeUsed(f"There is no time zone {timezone[:60]!r}. Write one such as Europe/London.") from error
    try:
        found: datetime = croniter(cron, after.astimezone(zone)).get_next(datetime)
    except (CroniterError, ValueError, KeyError) as error:
        raise CannotBeUsed(f"{cron[:60]!r} is no schedule: {str(error)[:120]}.") from error
    return found.astimezone(after.tzinfo)
