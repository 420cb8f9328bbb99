"""What must always be true of quality; each function returns sentences, empty when all is well."""

from __future__ import annotations

from finer.kit.ids import show_id
from finer.kit.tx import Tx
from finer.quality.store.incidents import IncidentStore
from finer.quality.store.watches import WatchStore


def observations_are_possible(tx: Tx) -> list[str]:
    """Nothing refused that was not received, nothing seen again that was not processed.

    Records are refused when they are received, and counted in the same transaction.
    """
    return [
        f"The observation of {row.contract} at {row.at:%Y-%m-%d %H:%M:%S} counts more refused or repeated records than "
        "came."
        for row in WatchStore(tx).impossible()
    ]


def one_open_incident_for_each_monitor(tx: Tx) -> list[str]:
    """A monitor has a part in one open incident at most, and every part belongs to a monitor of the firm."""
    known = {one.id: one for one in WatchStore(tx).monitors()}
    seen: dict[object, str] = {}
    found = []
    for incident in IncidentStore(tx).open():
        shown = show_id("inc", incident.id)
        for part in incident.parts:
            monitor = known.get(part.monitor)
            if monitor is None or monitor.contract != incident.contract:
                found.append(f"The incident {shown} names a monitor that {incident.contract} does not have.")
            elif part.monitor in seen:
                found.append(f"A monitor has a part in two open incidents, {seen[part.monitor]} and {shown}.")
            seen[part.monitor] = shown
    return found
