"""What is counted of a contract: fields that may be empty, and how values were distributed at some time."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from finer.ingest.service.contracts import class_of_field
from finer.ingest.types.contracts import CONFIDENTIAL, Contract, Field, Kind
from finer.kit.masking import DataClass
from finer.kit.tx import Tx
from finer.quality.rules import learning
from finer.quality.store.watches import WatchStore
from finer.quality.types import CONTRACT_KINDS, Layout, Monitor, MonitorKind, Observation, Reference, Watch
from finer.warehouse.service import profiles
from finer.warehouse.service.lake import LakeReader, table_of

_NUMBERS = (Kind.MONEY, Kind.INTEGER, Kind.NUMBER)
_NAMED = (DataClass.PUBLIC, DataClass.INTERNAL)
_ROWS_MAX = 300_000
_SPAN_MAX = timedelta(days=1)
_SPAN_MIN = timedelta(minutes=1)
_WHOLE_S = 10**9


def renew(
    tx: Tx, lake: LakeReader, watch: Watch, known: Contract, steps: Sequence[Observation], now: datetime
) -> Watch:
    """The watch with fields and distributions as they are now, and a monitor for each. Raises LakeUnavailable.

    Values are looked at in the records of the last day, or as far back as 300,000 of them reach.
    """
    store = WatchStore(tx)
    monitors = store.monitors(watch.contract)
    fields = _fields(lake, tx.tenant, watch, known)
    layout = watch.layout
    if learning.wants_reference(layout, now, watch.first_at) or fields != layout.fields:
        references, records = _references(lake, tx.tenant, watch, known, (_since(monitors, steps, now), now))
        if references or fields != layout.fields:
            layout = Layout(
                number=layout.number + 1,
                fields_since=layout.fields_since if fields == layout.fields else layout.number + 1,
                fields=fields,
                references=references,
                made_at=now if references else None,
                records=records,
            )
    _add_monitors(store, watch.contract, monitors, layout)
    return msgspec.structs.replace(watch, layout=layout)


def _fields(lake: LakeReader, tenant: uuid.UUID, watch: Watch, known: Contract) -> tuple[str, ...]:
    """Columns that may be empty, those that are known already first; only such as the lake has by now."""
    there = _columns(lake, tenant, watch.contract)
    optional = [field.column for field in known.fields if not field.required and field.column in there]
    kept = [name for name in watch.layout.fields if name in optional]
    return (*kept, *(name for name in optional if name not in kept))


def _since(monitors: Sequence[Monitor], steps: Sequence[Observation], now: datetime) -> datetime:
    """From when on records are looked at: not from before a time that somebody called the new normal."""
    per_second = sum(one.tally.rows for one in steps) / max(1, len(steps) * 10)
    span = min(_SPAN_MAX, max(_SPAN_MIN, timedelta(seconds=_ROWS_MAX / max(per_second, 0.01))))
    anew = [
        one.relearn_from for one in monitors if one.kind is MonitorKind.DISTRIBUTION and one.relearn_from is not None
    ]
    return max([now - span, *anew])


def _references(
    lake: LakeReader, tenant: uuid.UUID, watch: Watch, known: Contract, span: tuple[datetime, datetime]
) -> tuple[tuple[Reference, ...], int]:
    """The distributions of a contract's fields in a span, and how many records they rest on; none for too few."""
    there = _columns(lake, tenant, watch.contract)
    candidates = {
        field.column: field.kind in _NUMBERS for field in known.fields if _compared(field) and field.column in there
    }
    found = profiles.summarise_columns(lake, tenant, watch.contract, candidates, span) if candidates else []
    if not found or found[0].rows < learning.REFERENCE_ROWS:
        return (), 0
    drafts = [learning.reference_of(one.column, one.top, one.deciles, one.distinct) for one in found]
    return _counted(lake, tenant, watch.contract, [one for one in drafts if one is not None], span), found[0].rows


def _counted(
    lake: LakeReader, tenant: uuid.UUID, contract: str, drafts: Sequence[Reference], span: tuple[datetime, datetime]
) -> tuple[Reference, ...]:
    """The drafts with the shares of their bins, as far as they can be compared with."""
    bins = [profiles.Bins(one.field, one.edges, one.values) for one in drafts]
    parts = profiles.profile_steps(lake, tenant, contract, (), bins, (*span, _WHOLE_S))
    counts = [
        [sum(each) for each in zip(*(part.counts[place] for part in parts), strict=True)]
        for place in range(len(drafts))
    ]
    whole = [learning.with_shares(draft, count) for draft, count in zip(drafts, counts, strict=True)]
    return tuple(one for one in whole if one is not None)


def _columns(lake: LakeReader, tenant: uuid.UUID, contract: str) -> set[str]:
    """The columns that the lake has of a contract by now."""
    table = next((one for one in lake.tables(tenant) if one.name == table_of(contract)), None)
    return set() if table is None else {column.name for column in table.columns}


def _compared(field: Field) -> bool:
    """Whether values of a field may be kept as a distribution: numbers as deciles, texts only if they name no one.

    Incidents say these values to whoever looks after quality, so a secret of the firm is not among them.
    """
    if field.classification == CONFIDENTIAL:
        return False
    data_class = class_of_field(field)
    if field.kind in _NUMBERS:
        return data_class not in (DataClass.CARD, DataClass.SECRET)
    return field.kind in (Kind.STRING, Kind.BOOLEAN) and data_class in _NAMED and not field.content_hash


def _add_monitors(store: WatchStore, contract: str, monitors: Sequence[Monitor], layout: Layout) -> None:
    wanted = [
        *((kind, "") for kind in CONTRACT_KINDS),
        *((MonitorKind.COMPLETENESS, field) for field in layout.fields),
        *((MonitorKind.DISTRIBUTION, one.field) for one in layout.references),
    ]
    there = {(one.kind, one.field) for one in monitors}
    first = max((one.place for one in monitors), default=-1) + 1
    store.add_monitors(contract, first, [one for one in wanted if one not in there])
