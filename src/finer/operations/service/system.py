"""How the firm's part of the system does: what comes in, how long it takes to each stage, what waits, what fails.

All of it is of the firm's own records and work. What concerns every firm of the installation is for its operator, by
/metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from finer.identity.types.access import Permission
from finer.ingest.service import activity
from finer.ingest.types.receipts import StepCount, WaitedCount
from finer.kit import runs
from finer.kit.runs import RunFilter, RunState
from finer.kit.tx import Tx
from finer.operations.errors import UnknownSpan
from finer.operations.rules.spans import SPANS, begins, floor
from finer.operations.rules.sums import buckets
from finer.operations.service import gauges
from finer.operations.service.tiles import each
from finer.operations.store.gauges import GaugeStore
from finer.operations.types.sums import HOUR_S, MINUTE_S, Frame, Moment, Span
from finer.operations.types.system import ContractFlow, JobsNow, Readings, Sample, StageDelay, TableFreshness

NEEDS = {
    "throughput": Permission.PIPELINE_READ,
    "contracts": Permission.PIPELINE_READ,
    "latency": Permission.PIPELINE_READ,
    "stages": Permission.PIPELINE_READ,
    "queues": Permission.PIPELINE_READ,
    "database": Permission.PIPELINE_READ,
    "tables": Permission.LAKE_READ,
    "delays": Permission.LAKE_READ,
    "jobs": Permission.JOBS_READ,
}
"""The permission without which a tile is not pulled at all."""
FAILED_MAX = 200
"""Failed runs that are counted at most."""


@dataclass(frozen=True)
class _View:
    """What the tiles are made of."""

    tx: Tx
    span: Span
    since: datetime
    until: datetime
    counts: list[StepCount]
    waited: list[WaitedCount]
    readings: list[Readings]

    def moments(self) -> list[datetime]:
        """The beginnings of all buckets."""
        return buckets(self.since, self.tx.now(), self.span.bucket_s)

    def of(self, name: str) -> list[Readings]:
        """The readings of a gauge."""
        return [one for one in self.readings if one.name == name]


def system(
    tx: Tx, span: str, sees: Collection[str], freshness: Callable[[Tx], list[TableFreshness]]
) -> tuple[Frame, dict[str, Any], list[str]]:
    """The time shown, the tiles that `sees` allows by name, and which of them failed. Raises UnknownSpan.

    `freshness` asks how current the tables of the firm's lake are.
    """
    known = SPANS.get(span)
    if known is None:
        raise UnknownSpan(f"There is no span {span[:20]!r}. Spans are {', '.join(SPANS)}.")
    view = _view(tx, known)
    tiles: dict[str, Callable[[], Any]] = {
        "throughput": lambda: _throughput(view),
        "contracts": lambda: _contracts(view),
        "latency": lambda: _latency(view),
        "stages": lambda: _stages(view, lake=Permission.LAKE_READ in sees),
        "queues": lambda: _samples(view, view.of(gauges.WAITING), lambda one: one.label),
        "database": lambda: _samples(view, view.of(gauges.DATABASE), lambda _: "answer_ms"),
        "tables": lambda: freshness(tx),
        "delays": lambda: _samples(view, view.of(gauges.DELAY), lambda one: one.label),
        "jobs": lambda: _jobs(view),
    }
    found, failed = each(tx, {name: tile for name, tile in tiles.items() if NEEDS[name] in sees})
    # What the page shows is counted as it happens: it is never behind, even when the sums of other dashboards are.
    frame = Frame(as_of=tx.now(), behind_since=None, since=view.since, bucket_s=known.bucket_s)
    return frame, dict.fromkeys(tiles) | found, failed


def _view(tx: Tx, span: Span) -> _View:
    since, until = begins(tx.now(), span), tx.now() + timedelta(seconds=span.bucket_s)
    names = (gauges.WAITING, gauges.DATABASE, gauges.DELAY)
    kept_s = MINUTE_S if span.step_s == MINUTE_S else HOUR_S
    return _View(
        tx=tx,
        span=span,
        since=since,
        until=until,
        counts=activity.counts_by_step(tx, since, until, span.bucket_s),
        waited=activity.waited_by_step(tx, since, until, span.bucket_s),
        readings=GaugeStore(tx).by_bucket(names, kept_s, span.bucket_s, (since, until)),
    )


def _throughput(view: _View) -> list[Moment]:
    found = {at: dict.fromkeys(("received", "decided", "duplicates", "refused"), 0) for at in view.moments()}
    for one in view.counts:
        if one.at in found:
            values = found[one.at]
            values["received"] += one.received
            values["decided"] += one.processed - one.duplicates
            values["duplicates"] += one.duplicates
            values["refused"] += one.quarantined
    return [Moment(at=at, values=values) for at, values in found.items()]


def _contracts(view: _View) -> list[ContractFlow]:
    by_name = {name: list(same) for name, same in _by_contract(view.counts)}
    waited = {name: list(same) for name, same in _by_contract(view.waited)}
    minute = floor(view.tx.now(), MINUTE_S)
    lately = activity.counts_by_step(view.tx, minute - timedelta(seconds=MINUTE_S), minute, MINUTE_S)
    per_s = {one.contract: one.received / MINUTE_S for one in lately}
    return [
        _flow(name, by_name.get(name, []), waited.get(name, []), per_s.get(name, 0.0))
        for name in sorted(by_name.keys() | waited.keys())
    ]


def _by_contract(rows: Iterable[Any]) -> Iterable[tuple[str, Iterable[Any]]]:
    return groupby(sorted(rows, key=lambda one: one.contract), key=lambda one: one.contract)


def _flow(name: str, counts: list[StepCount], waited: list[WaitedCount], per_s: float) -> ContractFlow:
    latency, again = activity.latency_of_steps(waited), sum(one.duplicates for one in counts)
    return ContractFlow(
        contract=name,
        per_s=per_s,
        received=sum(one.received for one in counts),
        decided=sum(one.processed for one in counts) - again,
        duplicates=again,
        refused=sum(one.quarantined for one in counts),
        p50_ms=latency.p50_ms,
        p95_ms=latency.p95_ms,
        p99_ms=latency.p99_ms,
    )


def _latency(view: _View) -> list[Sample]:
    at_once = {at: list(same) for at, same in groupby(view.waited, key=lambda one: one.at)}
    found = []
    for at in view.moments():
        latency = activity.latency_of_steps(at_once.get(at, []))
        named = {"p50_ms": latency.p50_ms, "p95_ms": latency.p95_ms, "p99_ms": latency.p99_ms}
        found.append(Sample(at=at, values={name: value for name, value in named.items() if value is not None}))
    return found


def _stages(view: _View, *, lake: bool) -> list[StageDelay]:
    decided = activity.latency_of_steps(view.waited).p99_ms
    waiting = gauges.waiting(view.tx)
    sums = [one.highest for one in view.of(gauges.WAITING) if one.label == "sums"]
    delays = [one.highest for one in view.of(gauges.DELAY)]
    found = [
        StageDelay(
            stage="decided", slowest_s=None if decided is None else decided / 1000, waiting_s=waiting["decided"]
        ),
        StageDelay(stage="sums", slowest_s=max(sums, default=None), waiting_s=waiting["sums"]),
    ]
    if lake:
        found.append(StageDelay(stage="lake", slowest_s=max(delays, default=None), waiting_s=None))
    return found


def _samples(view: _View, readings: Iterable[Readings], name: Callable[[Readings], str]) -> list[Sample]:
    found: dict[datetime, dict[str, float]] = {at: {} for at in view.moments()}
    for one in readings:
        if one.at in found:
            found[one.at][name(one)] = one.highest
    return [Sample(at=at, values=values) for at, values in found.items()]


def _jobs(view: _View) -> JobsNow:
    under_way = runs.under_way(view.tx)
    failed = runs.page(view.tx, RunFilter(state=RunState.FAILED, since=view.since), FAILED_MAX)
    return JobsNow(
        open=len(under_way), oldest_at=min((one.asked_at for one in under_way), default=None), failed=len(failed)
    )
