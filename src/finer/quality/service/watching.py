"""Watching: what came in is observed step by step, judged by what is usual, and learned from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from finer.ingest.service import activity, contracts
from finer.ingest.types.contracts import Contract
from finer.ingest.types.receipts import StepCount
from finer.kit.tx import Tx
from finer.quality.rules import bands, learning
from finer.quality.rules.judging import Judge
from finer.quality.service import detection, layouts
from finer.quality.store.incidents import IncidentStore
from finer.quality.store.watches import WatchStore
from finer.quality.types import (
    HOUR_S,
    STEP_S,
    Breach,
    Layout,
    Monitor,
    MonitorKind,
    Observation,
    Progress,
    Tally,
    Watch,
)
from finer.warehouse.service import lake as warehouse
from finer.warehouse.service import profiles
from finer.warehouse.service.lake import LakeReader
from finer.warehouse.types import StepProfile

_STEP = timedelta(seconds=STEP_S)
_SETTLED = timedelta(seconds=3)
"""After this time what was accepted is in the lake; it takes about one second."""
_PATIENCE = timedelta(seconds=60)
_CATCH_UP = timedelta(minutes=10)
_LEARN_EVERY, _LEARN_AT_FIRST = timedelta(minutes=5), timedelta(seconds=60)
_INCIDENTS_KEPT = timedelta(days=400)


def contracts_to_watch(tx: Tx) -> list[str]:
    """The contracts of the firm for which something came lately, or is due."""
    now = tx.now()
    came = {name for name, one in activity.passed_since(tx, now - learning.STEPS_KEPT).items() if one.received}
    for name, watch in WatchStore(tx).all().items():
        last = watch.progress.last_record_at
        if last is not None and now - last < timedelta(seconds=1.5 * (watch.usual.gap_s or 0)):
            came.add(name)
    came |= {one.contract for one in IncidentStore(tx).open()}
    return sorted(came & set(contracts.load(tx).current))


def watch(tx: Tx, lake: LakeReader, contract: str, now: datetime) -> int:
    """Observe what came in for a contract up to `now`, and judge it; returns how many steps were observed.

    What is asked of the lake follows from `now` and from what is kept, so that it is the same when this is done again.
    Nothing happens while another process does the same. Raises LakeUnavailable; doing it again is right.
    """
    store = WatchStore(tx)
    found, known = store.take(contract), contracts.load(tx).current.get(contract)
    if found is None or known is None:
        return 0
    until = _until(tx, contract, now)
    since = found.progress.observed_until or until - _STEP
    if since < until - _CATCH_UP:
        # Nobody has looked for a while: that nothing was observed does not mean that nothing came.
        since = until - _STEP
        found = msgspec.structs.replace(found, progress=Progress(last_record_at=found.progress.last_record_at))
    if since >= until:
        return 0
    if not found.layout.number and not found.usual.learned_at:
        found = _learned(tx, lake, store, found, known, until)
        store.keep(found, learned=True)
    tallies = _tallies(tx, lake, found, since, until)
    observe(tx, lake, found, tallies)
    found = store.find(contract) or found
    if _due(found, until):
        store.keep(_learned(tx, lake, store, found, known, until), learned=True)
    return len(tallies)


def observe(tx: Tx, lake: LakeReader | None, found: Watch, tallies: Sequence[Tally]) -> list[Breach]:
    """Judge steps of a contract and keep them, with what follows from them; returns what is unusual after the last.

    Without a lake the keys of failing records stay unknown.
    """
    store = WatchStore(tx)
    monitors = store.monitors(found.contract)
    recent = store.observed(
        found.contract, STEP_S, tallies[0].at - _STEP * found.usual.window, tallies[0].at, found.usual.window
    )
    judge = Judge(found, monitors, [one.tally for one in recent])
    kept: list[Observation] = []
    breaches: list[Breach] = []
    going_on = bool(IncidentStore(tx).open(found.contract))
    for tally in tallies:
        kept.append((verdict := judge.step(tally)).observation)
        breaches = verdict.breaches
        if breaches or going_on:
            going_on = detection.follow(tx, lake, found, monitors, verdict)
    store.add(found.contract, STEP_S, kept)
    _complete_hours(store, found.layout, monitors, kept)
    store.keep(msgspec.structs.replace(found, progress=judge.progress))
    return breaches


def forget_old(tx: Tx) -> int:
    """Delete observations and incidents that have had their time; returns how many."""
    now, store = tx.now(), WatchStore(tx)
    gone = store.forget(STEP_S, now - learning.STEPS_KEPT) + store.forget(HOUR_S, now - learning.HOURS_KEPT)
    return gone + IncidentStore(tx).forget(now - _INCIDENTS_KEPT)


def _until(tx: Tx, contract: str, now: datetime) -> datetime:
    """Up to when everything that came in can be seen: to the last whole step, unless pipeline or lake are behind."""
    table = warehouse.table_of(contract)
    until = _floor(now - _SETTLED)
    newest = next((one.newest for one in warehouse.freshness(tx) if one.table == table), None)
    if newest is None:
        return until
    counts = activity.counts_by_step(tx, _floor(now - _PATIENCE), until, STEP_S)
    fresh = [one.at for one in counts if one.contract == contract and one.processed > one.duplicates]
    # What was processed in a step was received in it, or shortly before.
    late = bool(fresh) and newest < max(fresh) - _STEP / 2
    if late or activity.is_behind(tx, contract):
        until = max(min(until, _floor(newest)), _floor(now - _PATIENCE))
    return until


def _floor(at: datetime) -> datetime:
    return at - timedelta(seconds=at.timestamp() % STEP_S)


def _tallies(tx: Tx, lake: LakeReader, found: Watch, since: datetime, until: datetime) -> list[Tally]:
    counts = activity.counts_by_step(tx, since - _PATIENCE, until, STEP_S)
    mine = {one.at: one for one in counts if one.contract == found.contract}
    seen: dict[datetime, StepProfile] = {}
    if any(one.received or one.processed for one in mine.values()):
        bins = [profiles.Bins(one.field, one.edges, one.values) for one in found.layout.references]
        span = (since, until, STEP_S)
        steps = profiles.profile_steps(lake, tx.tenant, found.contract, found.layout.fields, bins, span)
        seen = {one.at: one for one in steps}
    moments = [since + _STEP * place for place in range(int((until - since) / _STEP))]
    return [_tally(found.layout, at, mine.get(at), seen.get(at)) for at in moments]


def _tally(layout: Layout, at: datetime, count: StepCount | None, seen: StepProfile | None) -> Tally:
    tally = Tally(at=at, layout=layout.number)
    if count is not None:
        tally = msgspec.structs.replace(
            tally, received=count.received, quarantined=count.quarantined, processed=count.processed,
            duplicates=count.duplicates,
        )  # fmt: skip
    if seen is None:
        return tally
    return msgspec.structs.replace(
        tally, rows=seen.rows, delay_s=seen.delay_s, nulls=tuple(seen.nulls),
        bins=tuple(count for counts in seen.counts for count in counts),
    )  # fmt: skip


def _due(found: Watch, now: datetime) -> bool:
    usual = found.usual
    if usual.learned_at is None or usual.hour != now.replace(minute=0, second=0, microsecond=0):
        return True
    young = found.layout.made_at is None or any(0 < n < 3 * bands.SPEAKS_AFTER for n in usual.observations)
    return now - usual.learned_at >= (_LEARN_AT_FIRST if young else _LEARN_EVERY)


def _learned(tx: Tx, lake: LakeReader, store: WatchStore, found: Watch, known: Contract, now: datetime) -> Watch:
    span = timedelta(seconds=STEP_S * learning.RECENT_STEPS)
    steps = store.observed(found.contract, STEP_S, now - span, now, learning.RECENT_STEPS)
    if not _moving(tx, found.contract):
        found = layouts.renew(tx, lake, found, known, steps, now)
    return learned(tx, found, steps, now)


def learned(tx: Tx, found: Watch, steps: Sequence[Observation], now: datetime) -> Watch:
    """The watch with what is usual from `now` on, learned from its last steps, oldest first."""
    store, since = WatchStore(tx), now - learning.HOURS_KEPT
    hours, by_hour = store.same_hours(found.contract, since, now), store.by_hour(found.contract, since)
    monitors = store.monitors(found.contract)
    usual = learning.learn(found.layout, monitors, steps, hours, by_hour, now)
    return msgspec.structs.replace(found, usual=usual)


def _moving(tx: Tx, contract: str) -> bool:
    """Whether a distribution is in question: what it is compared with stays as it is until that is settled."""
    return any(part.kind is MonitorKind.DISTRIBUTION for one in IncidentStore(tx).open(contract) for part in one.parts)


def _complete_hours(
    store: WatchStore, layout: Layout, monitors: Sequence[Monitor], kept: Sequence[Observation]
) -> None:
    """Keep the hours that ended with these steps."""
    ends = {end.replace(minute=0) for one in kept if (end := one.tally.at + _STEP).minute == 0 and end.second == 0}
    for end in sorted(ends):
        hour = end - timedelta(hours=1)
        steps = store.observed(monitors[0].contract, STEP_S, hour, end, HOUR_S) if monitors else []
        if steps:
            store.add(monitors[0].contract, HOUR_S, [learning.hour_of_steps(layout, monitors, steps)])
