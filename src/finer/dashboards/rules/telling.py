"""What is said of alerts on metrics: sentences of one, and one message for those that belong together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

import msgspec

from finer.dashboards.rules.watching import Numbers, uses_band
from finer.dashboards.types import AlertState, MetricAlert
from finer.notifications.types import Message, Severity

_SPANS = {"1h": "hour", "6h": "6 hours", "24h": "24 hours", "7d": "7 days"}
FACTOR_FROM = 10
"""From so many times what it was on, a number is told as that, since nobody reads 92,067% as anything."""
_WHY = "You asked for this e-mail in an alert on a metric, and can change that there."


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Something to tell: an alert fires, or what was told of it is over. `id` is the one that the API shows."""

    id: str
    alert: AlertState
    reason: str
    over: bool
    at: datetime
    value: float | None = None


def reason_of(alert: MetricAlert, title: str, numbers: Numbers) -> str:
    """What was seen, such as "Revenue of the last 24 hours is 12,345.60 EUR, 31% less than in the 24 hours before"."""
    where = " and ".join(filter(None, (alert.watched.region, alert.watched.channel)))
    about = f"{title}{f' ({where})' if where else ''}"
    if numbers.value is None:
        return f"{about}: nothing is known yet."
    value = f"{_number(numbers.value)} {numbers.currency}".strip()
    if uses_band(alert):
        usual = "what is usual is not learned yet"
        if numbers.low is not None and numbers.high is not None:
            usual = f"{_number(numbers.low)} to {_number(numbers.high)} is usual"
        return f"{about} of the last whole hour is {value}; {usual}."
    span = _SPANS.get(alert.watched.span, alert.watched.span)
    return f"{about} of the last {span} is {value}{_compared(numbers.change, span)}."


def _compared(change: float | None, span: str) -> str:
    if change is None:
        return ""
    if round(change, 2) == 0:
        return f", as in the {span} before"
    if change >= FACTOR_FROM - 1:
        return f", {1 + change:,.0f} times what it was in the {span} before"
    return f", {abs(change):.0%} {'more' if change > 0 else 'less'} than in the {span} before"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def line_of(firing: Sequence[AlertState]) -> tuple[Severity, str, str]:
    """The line in the bell of alerts that belong together and fire: how serious, title, text."""
    first = firing[0].alert
    title = f"{first.name} fires" if len(firing) == 1 else f"{first.group}: {len(firing)} alerts fire"
    ranks = list(Severity)
    severity = max((one.alert.severity for one in firing), key=ranks.index)
    text = [one.watch.reason if len(firing) == 1 else f"{one.alert.name}: {one.watch.reason}" for one in firing]
    return severity, title, " ".join(text)


def message_of(told: Sequence[Told], link: str) -> Message:
    """One e-mail for alerts that are told together."""
    firing = [one for one in told if not one.over]
    first = (firing or list(told))[0].alert.alert
    subject = f"{first.name} {'fires' if firing else 'is settled'}"
    if len(told) > 1:
        counts = ((len(firing), "firing"), (len(told) - len(firing), "settled"))
        subject = f"{first.group}: " + ", ".join(f"{count} {word}" for count, word in counts if count)
    lines = [f"{one.alert.alert.name} {'is settled' if one.over else 'fires'}: {one.reason}" for one in told]
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return Message(
        subject=subject,
        text="\n".join([*lines, "", link, "", _WHY]),
        html=f'<ul>{items}</ul><p><a href="{escape(link, quote=True)}">Alerts on metrics</a></p>'
        f"<p><small>{_WHY}</small></p>",
    )


def payload_of(told: Sequence[Told], link: str) -> dict[str, Any]:
    """The same for a machine."""
    return {
        "type": "metric_alerts",
        "link": link,
        "alerts": [
            {
                "id": one.id,
                "name": one.alert.alert.name,
                "metric": one.alert.alert.watched.metric,
                "state": "settled" if one.over else "firing",
                "severity": one.alert.alert.severity,
                "group": one.alert.alert.group,
                "value": one.value,
                "reason": one.reason,
                "at": one.at.isoformat(),
            }
            for one in told
        ],
    }
