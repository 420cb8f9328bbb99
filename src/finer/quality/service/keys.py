"""Which records failed: the keys by which somebody finds the rows behind an incident."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from finer.ingest.service import quarantine, receipts
from finer.ingest.types.quarantine import Selection
from finer.ingest.types.receipts import ReceiptFilter
from finer.kit.ids import show_id
from finer.kit.tx import Tx
from finer.quality.rules import words
from finer.quality.types import KEYS_MAX, Incident, Keys, Layout, MonitorKind, Part, Reference
from finer.warehouse.service import profiles
from finer.warehouse.service.lake import LakeReader
from finer.warehouse.types import KeyTest

_SPAN_MAX = timedelta(hours=1)


def failing(tx: Tx, lake: LakeReader, layout: Layout, incident: Incident, until: datetime) -> Keys:
    """The newest failing records of an incident's gravest part, at most of the last hour. Raises LakeUnavailable."""
    part = incident.parts[0]
    since = max(incident.since, until - _SPAN_MAX)
    if part.kind is MonitorKind.VALIDITY:
        chosen = Selection(contract=incident.contract, since=since, until=until)
        ids, records = quarantine.newest_ids(tx, chosen, KEYS_MAX)
        return Keys(kind="quarantined", ids=tuple(show_id("qua", one) for one in ids), records=records)
    if part.kind in (MonitorKind.DUPLICATES, MonitorKind.FRESHNESS):
        return _receipts(tx, incident, part, since)
    test = _test(part, layout, lake, tx, incident, (since, until))
    if test is None:
        return Keys()
    ids_found, records = profiles.find_keys(
        lake, tx.tenant, incident.contract, part.field or "event_id", *test, (since, until), KEYS_MAX
    )
    return Keys(kind="event", ids=tuple(ids_found), records=records)


def _receipts(tx: Tx, incident: Incident, part: Part, since: datetime) -> Keys:
    found = receipts.list_receipts(tx, ReceiptFilter(contract=incident.contract), limit=KEYS_MAX).items
    if part.kind is MonitorKind.FRESHNESS:
        return Keys(kind="receipt", ids=tuple(show_id("rct", one.id) for one in found[:1]), records=0)
    repeated = [one for one in found if one.received_at >= since and one.duplicate]
    return Keys(
        kind="receipt",
        ids=tuple(show_id("rct", one.id) for one in repeated),
        records=sum(one.duplicate for one in repeated),
    )


def _test(
    part: Part, layout: Layout, lake: LakeReader, tx: Tx, incident: Incident, span: tuple[datetime, datetime]
) -> tuple[KeyTest, dict[str, Any]] | None:
    if part.kind is MonitorKind.COMPLETENESS:
        return KeyTest.ABSENT, {}
    if part.kind is MonitorKind.VOLUME:
        return (KeyTest.ANY, {}) if part.value > (part.high or 0.0) else None
    if part.kind is MonitorKind.TIMELINESS:
        return KeyTest.ANY, {}
    reference = _reference(layout, part.field)
    if reference is None:
        return None
    bins = [profiles.Bins(reference.field, reference.edges, reference.values)]
    steps = profiles.profile_steps(lake, tx.tenant, incident.contract, (), bins, (*span, 10**9))
    if not steps:
        return None
    counts = [sum(each) for each in zip(*(one.counts[0] for one in steps), strict=True)]
    return _bin_test(reference, words.moved_most(reference, counts)[0])


def _bin_test(reference: Reference, place: int) -> tuple[KeyTest, dict[str, Any]]:
    if reference.edges is None:
        if place < len(reference.values):
            return KeyTest.VALUE, {"value": reference.values[place]}
        return KeyTest.OTHER, {"values": list(reference.values)}
    edges = (float("-inf"), *reference.edges, float("inf"))
    return KeyTest.BETWEEN, {"low": edges[place], "high": edges[place + 1]}


def _reference(layout: Layout, field: str) -> Reference | None:
    return next((one for one in layout.references if one.field == field), None)


def bins_of(layout: Layout, field: str, bins: Sequence[int]) -> tuple[Reference, Sequence[int]] | None:
    """A field's reference and its part of the counts of a tally; None when it was not counted."""
    begin = 0
    for one in layout.references:
        end = begin + len(one.shares)
        if one.field == field:
            return (one, bins[begin:end]) if len(bins) >= end else None
        begin = end
    return None
