"""What an incident is, as a sentence that somebody understands who has not set anything up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from finer.quality.types import Incident, MonitorKind, Part, Reference

_SHARES = {
    MonitorKind.VALIDITY: "of {contract} is refused",
    MonitorKind.DUPLICATES: "of {contract} has come before",
    MonitorKind.COMPLETENESS: "of {field} is empty",
}


def sentence(incident: Incident, zone: ZoneInfo, now: datetime) -> str:
    """An incident whole: its gravest part, and how many others came with it."""
    first, *others = incident.parts
    said = part_sentence(first, incident.contract, zone, now)
    if not others:
        return said
    named = list(dict.fromkeys(part.field or part.kind.value for part in others))
    more = f"{', '.join(named[:3])}" if len(named) <= 3 else f"{', '.join(named[:2])} and {len(named) - 2} more"
    return f"{said} Not as usual since then either: {more}."


def part_sentence(part: Part, contract: str, zone: ZoneInfo, now: datetime) -> str:
    """One part: what is seen since when, and what is usual."""
    since = f"since {moment(part.since, zone, now)}"
    if part.kind is MonitorKind.FRESHNESS:
        return f"No {contract} {since}; the longest usual pause is {duration(part.high or 0)}."
    if part.kind in _SHARES:
        what = _SHARES[part.kind].format(contract=contract, field=part.field)
        return f"{share(part.value)} {what} {since}; usual is at most {share(part.high or 0)}."
    if part.kind is MonitorKind.VOLUME:
        usual = f"usual is {number(part.low or 0)} to {number(part.high or 0)}"
        return f"{number(part.value)} {contract} a second {since}; {usual}."
    if part.kind is MonitorKind.TIMELINESS:
        when = "after they happened" if part.value >= 0 else "before they happened, by the clock of who sends them"
        usual = f"usual is {duration(part.low or 0)} to {duration(part.high or 0)}"
        return f"Records of {contract} arrive {duration(abs(part.value))} {when} {since}; {usual}."
    return (
        f"{part.field} is distributed differently {since}{f' ({part.detail})' if part.detail else ''}: the stability "
        f"index is {number(part.value)}; usual is at most {number(part.high or 0)}."
    )


def moved_most(reference: Reference, counts: Sequence[int]) -> tuple[int, str]:
    """The bin of a distribution that grew most, and that as a sentence."""
    total = max(1, sum(counts))
    grown = [count / total - usual for count, usual in zip(counts, reference.shares, strict=True)]
    place = max(range(len(grown)), key=grown.__getitem__)
    now, before = share(counts[place] / total), share(reference.shares[place])
    return place, f"{bin_word(reference, place)}: {now} instead of {before}"


def bin_word(reference: Reference, place: int) -> str:
    """What a bin of a distribution holds."""
    if reference.edges is None:
        return reference.values[place] if place < len(reference.values) else "all other values"
    edges = reference.edges
    if place == 0:
        return f"up to {number(edges[0])}"
    if place == len(edges):
        return f"above {number(edges[-1])}"
    return f"{number(edges[place - 1])} to {number(edges[place])}"


def moment(at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """A moment as people of the firm say it: with its day when that is not today."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        return f"{local:%H:%M:%S}"
    if local.date() == today - timedelta(days=1):
        return f"yesterday {local:%H:%M}"
    return f"{local:%d %b %H:%M}"


def share(value: float) -> str:
    """A share in percent, with as many digits as tell something."""
    percent = 100 * value
    return f"{percent:.2g} %" if 0 < percent < 1 else f"{percent:.1f} %" if percent < 10 else f"{percent:.0f} %"


def number(value: float) -> str:
    """A number with three digits that count."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def duration(seconds: float) -> str:
    """A duration in the unit that fits."""
    sign, size = ("-" if seconds < 0 else ""), abs(seconds)
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if size >= 2 * length:
            return f"{sign}{size / length:.3g} {unit}"
    return f"{sign}{size:.3g} s"
