"""The lengths of time that dashboards show, and which moments they begin and end at."""

from __future__ import annotations

from datetime import datetime, timedelta

from finer.kit.moments import from_microseconds, microseconds
from finer.operations.types.sums import DAY_S, HOUR_S, MINUTE_S, Span

SPANS = {
    span.name: span
    for span in (
        Span(name="1h", length=timedelta(hours=1), step_s=MINUTE_S, bucket_s=MINUTE_S),
        Span(name="6h", length=timedelta(hours=6), step_s=MINUTE_S, bucket_s=5 * MINUTE_S),
        Span(name="24h", length=timedelta(days=1), step_s=HOUR_S, bucket_s=HOUR_S),
        Span(name="7d", length=timedelta(days=7), step_s=HOUR_S, bucket_s=6 * HOUR_S),
        Span(name="30d", length=timedelta(days=30), step_s=DAY_S, bucket_s=DAY_S),
        Span(name="90d", length=timedelta(days=90), step_s=DAY_S, bucket_s=DAY_S),
    )
}
DEFAULT = "24h"

KEPT = {MINUTE_S: timedelta(days=2), HOUR_S: timedelta(days=35)}
"""How long sums of minutes and of hours are kept. Those of days are kept for good."""


def begins(now: datetime, span: Span) -> datetime:
    """The moment from which a span shows records: the beginning of its first bucket, the last one being under way."""
    return floor(now, span.bucket_s) - span.length + timedelta(seconds=span.bucket_s)


def floor(at: datetime, step_s: int) -> datetime:
    """The beginning of the step that a moment lies in, counted from 1970 UTC."""
    us = step_s * 1_000_000
    return from_microseconds(microseconds(at) // us * us)


def kept_since(now: datetime) -> dict[int, datetime]:
    """From which moment on sums are kept, by their length: whole days, so that lengths can be held to each other."""
    return {step_s: floor(now - kept, DAY_S) for step_s, kept in KEPT.items()}
