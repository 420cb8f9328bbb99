"""When what became known of a payment changes what the windows of frauds hold, and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from finer.fraud.rules.price import FRAUD, LABELS


class KnownLabel(NamedTuple):
    """What a payment turned out to be, and since when that is known."""

    event_id: str
    verdict: str
    known_at: datetime


class Standing(NamedTuple):
    """What the windows hold of a payment: since when it is known as a fraud, None when it is not."""

    event_id: str
    since: datetime | None


class Change(NamedTuple):
    """A row for the windows: 1 when a payment became known as a fraud, -1 when that is taken back.

    Both have the time of the first, so that a window counts either both or none.
    """

    event_id: str
    known_at: datetime
    weight: int


def standing(labels: Iterable[KnownLabel]) -> list[Standing]:
    """What is known of each payment in the end: the label known latest decides, of equal times the one given later.

    A fraud is known since the first of the labels that say so with nothing else known after it.
    """
    found: dict[str, datetime | None] = {}
    for label in sorted(labels, key=lambda one: one.known_at):
        fraud = LABELS.get(label.verdict) == FRAUD
        found[label.event_id] = (found.get(label.event_id) or label.known_at) if fraud else None
    return [Standing(event, since) for event, since in found.items()]


def changes(now: Iterable[Standing], held: Mapping[str, datetime]) -> list[Change]:
    """The rows that bring the windows from what they hold to what is known now.

    `held` says by payment since when the windows count it as a fraud. What stays a fraud stays as it was counted.
    """
    found = []
    for one in now:
        counted = held.get(one.event_id)
        if one.since is not None and counted is None:
            found.append(Change(one.event_id, one.since, 1))
        elif one.since is None and counted is not None:
            found.append(Change(one.event_id, counted, -1))
    return found
