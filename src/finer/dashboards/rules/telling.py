"""What is said of alerts on metrics: sentences of one, and one message for those that belong together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

import msgspec

from finer.dashboards.types import AlertState, MetricAlert
from finer.notifications.types import Message

BAND = ("low", "high")
NAMES = ("value", "change", *BAND)
_WORD = re.compile(r"[a-z]+")


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Something to tell: an alert fires, or what was told of it is over."""

    alert: AlertState
    reason: str
    over: bool
    at: datetime


def uses_band(alert: MetricAlert) -> bool:
    """Whether an alert's conditions are about what is usual."""
    return not set(BAND).isdisjoint(_WORD.findall(f"{alert.condition} {alert.settles}"))


def reason_of(alert: MetricAlert, title: str, numbers: Mapping[str, float | None]) -> str:
    """What was seen, as a sentence such as `Revenue of the last 1h is 12,345.60, 31% less than the time before`."""
    value = numbers["value"]
    where = " and ".join(filter(None, (alert.watched.region, alert.watched.channel)))
    about = f"{title}{f' ({where})' if where else ''}"
    if value is None:
        return f"{about}: nothing is known yet."
    if uses_band(alert):
        low, high = numbers["low"], numbers["high"]
        usual = "what is usual is not learned yet"
        if low is not None and high is not None:
            usual = f"{_number(low)} to {_number(high)} is usual"
        return f"{about} of the last whole hour is {_number(value)}; {usual}."
    change = numbers["change"]
    compared = "" if change is None else f", {abs(change):.0%} {'more' if change > 0 else 'less'} than the time before"
    return f"{about} of the last {alert.watched.span} is {_number(value)}{compared}."


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def message_of(told: Sequence[Told], link: str) -> Message:
    """One e-mail for alerts that are told together."""
    firing = [one for one in told if not one.over]
    first = (firing or list(told))[0].alert.alert
    more = f" and {len(told) - 1} more" if len(told) > 1 else ""
    subject = f"{first.name}{more} {'fires' if firing else 'is settled'}"
    lines = [f"{one.alert.alert.name} {'is settled' if one.over else 'fires'}: {one.reason}" for one in told]
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return Message(
        subject=subject,
        text="\n".join([*lines, "", link]),
        html=f'<ul>{items}</ul><p><a href="{escape(link, quote=True)}">Alerts on metrics</a></p>',
    )


def payload_of(told: Sequence[Told], link: str) -> dict[str, Any]:
    """The same for a machine."""
    return {
        "type": "metric_alerts",
        "link": link,
        "alerts": [
            {
                "name": one.alert.alert.name,
                "state": "settled" if one.over else "firing",
                "severity": one.alert.alert.severity,
                "group": one.alert.alert.group,
                "reason": one.reason,
                "at": one.at.isoformat(),
            }
            for one in told
        ],
    }
