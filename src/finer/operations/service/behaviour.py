"""Customer behaviour: sessions and how far they come, what people are interested in, where from and when.

Actions come from the sums, a moment behind the records. Sessions are asked of the lake by a job, since nothing but the
records themselves tells which of them belong together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from finer.identity.service import tenants
from finer.kit import runs
from finer.kit.runs import RunFilter, RunState
from finer.kit.tx import Tx
from finer.operations.errors import UnknownSpan
from finer.operations.rules.spans import floor
from finer.operations.rules.sums import LABELS_MAX, buckets, figure
from finer.operations.service.tiles import Ground, each, ground
from finer.operations.store import lake
from finer.operations.store.rollups import RollupStore
from finer.operations.store.sessions import SessionStore
from finer.operations.types.sums import DAY_S, HOUR_S, OTHER, Choices, Filter, Frame, Moment, Sums
from finer.operations.types.visits import FunnelStep, Interest, Visited, Visits, VisitsHere

SESSIONS_JOB = "count_sessions"
SPANS = ("24h", "7d", "30d", "90d")
ACTIONS = ("product_view", "search", "add_to_cart", "checkout", "purchase", "login")
"""The kinds of actions that are shown over time."""
_KEPT = timedelta(days=185)
_AGAIN = timedelta(days=2)
_LONGEST = timedelta(days=1)
_NEVER = datetime.max.replace(tzinfo=UTC)
Read = Callable[[str, dict[str, Any]], list[dict[str, Any]]]


def behaviour(tx: Tx, span: str, chosen: Filter) -> tuple[Frame, dict[str, Any], list[str]]:
    """The time shown, the tiles by name, and which of them failed. Raises UnknownSpan."""
    if span not in SPANS:
        raise UnknownSpan(f"There is no span {span[:20]!r} here. Spans are {', '.join(SPANS)}.")
    at = ground(tx, span, chosen)
    tiles = {
        "visits": lambda: _visits(at),
        "funnel": lambda: _funnel(at),
        "series": lambda: _series(at),
        "actions": lambda: _actions(at),
        "hours": lambda: _hours(at),
        "regions": lambda: _shares(at, "region"),
        "channels": lambda: _shares(at, "channel"),
        "products": lambda: _products(at),
        "choices": lambda: _choices(at),
        "newest": lambda: at.store.newest(("activity",)),
        "measured_at": lambda: _measured_at(tx),
    }
    found, failed = each(tx, tiles)
    return at.frame, found, failed


def sessions_to_count(tx: Tx, day: date | None = None) -> dict[str, Any]:
    """What to ask the lake: the sessions of the last two days; all that are kept once a day, and after a new place.

    A place that the sums did not know yet was counted with all others, on every day of which the lake holds sessions.
    With a `day` (UTC), the sessions that began on it.
    """
    now, store = tx.now(), RollupStore(tx)
    regions, channels = store.values("activity", "region"), store.values("activity", "channel")
    last = _last_count(tx)
    whole = (
        last is None
        or last.started_at is None
        or last.started_at.date() < now.date()
        or last.counts.get("places") != len(regions) + len(channels)
    )
    since, until = floor(now - (_KEPT if whole else _AGAIN), DAY_S), _NEVER
    if day is not None:
        since = datetime.combine(day, time(), UTC)
        until = since + timedelta(days=1)
    return {
        "since": since, "until": until, "looked": since - _LONGEST, "other": OTHER, "regions": regions,
        "channels": channels,
    }  # fmt: skip


def count_sessions(asked: dict[str, Any], read: Read) -> list[VisitsHere]:
    """Sessions by the hour in which they began and the place of their first action.

    `read` asks the firm's lake; it may take its time, which is why there is no transaction here.
    """
    return msgspec.convert(read(lake.SESSIONS, asked), list[VisitsHere])


def keep_sessions(tx: Tx, asked: dict[str, Any], found: Sequence[VisitsHere]) -> runs.Counts:
    """Keep what was counted in the place of what was known of the same hours; returns the counts of the run."""
    SessionStore(tx).replace(asked["since"], asked["until"], found)
    counts = {"sessions": sum(one.sessions for one in found)}
    # A run for one day says nothing of the places that all others were counted by.
    return counts | ({"places": len(asked["regions"]) + len(asked["channels"])} if asked["until"] == _NEVER else {})


def forget_old(tx: Tx) -> int:
    """Delete hours of sessions that have had their time."""
    return SessionStore(tx).forget(tx.now() - _KEPT)


def _measured_at(tx: Tx) -> datetime | None:
    last = _last_count(tx)
    return None if last is None else last.started_at


def _last_count(tx: Tx) -> runs.JobRun | None:
    ended = runs.page(tx, RunFilter(job=SESSIONS_JOB, state=RunState.SUCCEEDED), 1)
    return ended[0] if ended else None


def _sessions(at: Ground, *, before: bool = False) -> list[Visits]:
    """Those shown, or those of the period before that are held to the buckets that are over."""
    since, length = at.since, at.span.length
    span = (since - length, at.change.whole_until - length) if before else (since, at.now + timedelta(days=2))
    return SessionStore(at.tx).by_bucket(at.span.bucket_s, span, at.chosen)


def _together(found: Iterable[Visits], label: str = "") -> Visits:
    rows = list(found)
    names = (name for name in Visits.__struct_fields__ if name not in {"at", "label"})
    return Visits(label=label, **{name: sum(getattr(one, name) for one in rows) for name in names})


def _visits(at: Ground) -> Visited:
    before = _together(_sessions(at, before=True))
    return Visited(now=_together(_sessions(at)), before=before, change=_change(_whole(at).sessions, before.sessions))


def _whole(at: Ground) -> Visits:
    """Sessions of the buckets that are over: those of the one under way would be held to a whole one."""
    return _together(one for one in _sessions(at) if one.at is not None and one.at < at.change.whole_until)


def _change(here: int, there: int) -> float | None:
    return None if there == 0 else (here - there) / there


def _funnel(at: Ground) -> list[FunnelStep]:
    now, whole, before = _together(_sessions(at)), _whole(at), _together(_sessions(at, before=True))
    steps = [
        FunnelStep(
            name=name, of="sessions", count=getattr(now, name), before=getattr(before, name),
            change=_change(getattr(whole, name), getattr(before, name)),
        )
        for name in ("sessions", "viewed", "added", "checked_out", "purchased")
    ]  # fmt: skip
    return steps + [_lines(at, kind) for kind in ("placed", "paid")]


def _lines(at: Ground, kind: str) -> FunnelStep:
    def of_kind(one: Sums) -> bool:
        return one.kind == kind

    found = figure(
        kind, filter(of_kind, at.series("order")), filter(of_kind, at.before("order")), at.convert,
        lambda one: one.records, at.change,
    )  # fmt: skip
    return FunnelStep(name=kind, of="lines", count=found.records, before=found.before, change=found.change)


def _series(at: Ground) -> list[Moment]:
    known = {one.at: one for one in _sessions(at)}
    nothing = Visits()
    return [
        Moment(at=when, values={"sessions": one.sessions, "viewed": one.viewed, "checked_out": one.checked_out})
        for when in buckets(at.since, at.now, at.span.bucket_s)
        for one in [known.get(when, nothing)]
    ]


def _actions(at: Ground) -> list[Moment]:
    found = {when: dict.fromkeys(ACTIONS, 0) for when in buckets(at.since, at.now, at.span.bucket_s)}
    for one in at.series("activity"):
        if one.at in found and one.kind in found[one.at]:
            found[one.at][one.kind] += one.records
    return [Moment(at=when, values=values) for when, values in found.items()]


def _hours(at: Ground) -> list[Visits]:
    zone = ZoneInfo(tenants.get_tenant(at.tx).timezone)
    by_hour: dict[int, list[Visits]] = {hour: [] for hour in range(24)}
    for one in SessionStore(at.tx).by_bucket(HOUR_S, (at.since, at.now + timedelta(days=2)), at.chosen):
        if one.at is not None:
            by_hour[one.at.astimezone(zone).hour].append(one)
    return [_together(rows, f"{hour:02d}:00") for hour, rows in by_hour.items()]


def _shares(at: Ground, dimension: str) -> list[Visits]:
    found = SessionStore(at.tx).by_label(dimension, (at.since, at.now + timedelta(days=2)), at.chosen)
    ranked = sorted(found, key=lambda one: (one.label == OTHER, -one.sessions, one.label))
    rest = [one for one in ranked[LABELS_MAX:] if one.label != OTHER] + [one for one in ranked if one.label == OTHER]
    head = [one for one in ranked[:LABELS_MAX] if one.label != OTHER]
    return [*head, _together(rest, OTHER)] if rest else head


def _products(at: Ground) -> list[Interest]:
    """What people look at most, with what they do about it."""
    now = at.labelled("activity", "product")
    views, added = _by_product(now, "product_view"), _by_product(now, "add_to_cart")
    until, length = at.change.whole_until, at.span.length
    whole, before = _views(at, at.since, until), _views(at, at.since - length, until - length)
    placed = _by_product(at.labelled("order", "product"), "placed")
    ranked = sorted((label for label in views if label not in {"", OTHER}), key=lambda label: (-views[label], label))
    return [
        Interest(
            label=label, views=views[label], before=before.get(label, 0),
            change=_change(whole.get(label, 0), before.get(label, 0)), added=added.get(label, 0),
            placed=placed.get(label, 0),
        )
        for label in ranked[:LABELS_MAX]
    ]  # fmt: skip


def _views(at: Ground, since: datetime, until: datetime) -> dict[str, int]:
    """How often products were looked at in whole buckets, none of which is shorter than the sums by product."""
    step_s = max(at.span.step_s, HOUR_S)
    return _by_product(at.store.by_label("activity", "product", step_s, (since, until), at.chosen), "product_view")


def _by_product(found: Iterable[Sums], kind: str) -> dict[str, int]:
    counted: dict[str, int] = {}
    for one in found:
        if one.kind == kind:
            counted[one.label] = counted.get(one.label, 0) + one.records
    return counted


def _choices(at: Ground) -> Choices:
    contracts = ("activity", "order")
    return Choices(
        regions=sorted({value for contract in contracts for value in at.store.values(contract, "region")}),
        channels=sorted({value for contract in contracts for value in at.store.values(contract, "channel")}),
    )
