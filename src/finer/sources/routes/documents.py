"""What sources show and take: as they enter and leave the system."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

import msgspec

from finer.kit.ids import show_id
from finer.kit.masking import DataClass, classified_by
from finer.kit.moments import EPOCH
from finer.sources import types
from finer.sources.types import Credentials, ItemState, Settings, State

SourceId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^src_[0-9a-f]{32}$")]
_Value: TypeAlias = Annotated[str | None, classified_by("data_class", "tail")]


class SourceBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source to be. `connection.type` says its kind. Credentials that are left out stay as they are."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    contract: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    connection: Settings
    mapping: Annotated[str, msgspec.Meta(max_length=20_000)] = ""
    """YAML that says how foreign columns become the contract's fields; empty when they are those already."""
    credentials: Credentials | None = None
    paused: bool = False
    """Whether a new source waits until somebody resumes it."""


class TrialBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source to look at. With `source`, credentials that are left out are those of that source."""

    contract: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    connection: Settings
    mapping: Annotated[str, msgspec.Meta(max_length=20_000)] = ""
    credentials: Credentials | None = None
    source: SourceId | None = None


class BackfillBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to begin again: empty for everything there is, a moment (ISO 8601), or a cursor value of a table."""

    begin: Annotated[str, msgspec.Meta(max_length=200)] = ""


class SourceMinute(msgspec.Struct, frozen=True):
    """Records of one minute."""

    at: datetime
    accepted: int
    quarantined: int


class SourceView(msgspec.Struct, frozen=True, kw_only=True):
    """A source as it stands, without its credentials. `minutes` are those of the last hour with records.

    `received` = `accepted` + `quarantined`, also of what was read again: `accepted` counts what met the contract, and
    the receipts tell which of those records were duplicates.
    """

    id: SourceId
    name: str
    kind: str
    contract: str
    mapping: str
    connection: Settings
    state: State
    received: int
    accepted: int
    quarantined: int
    lag: int | None
    lag_unit: str
    last_record_at: datetime | None
    error: str
    failures: int
    next_try_at: datetime | None
    made_by: str
    created_at: datetime
    changed_at: datetime
    minutes: list[SourceMinute]


class SourceList(msgspec.Struct, frozen=True):
    """Every source, by name."""

    items: list[SourceView]


class SourceMade(msgspec.Struct, frozen=True, kw_only=True):
    """A new source; `address` is where webhooks have to be sent, shown once, or null for a source that is read."""

    source: SourceView
    address: str | None


class HookAddress(msgspec.Struct, frozen=True):
    """Where webhooks have to be sent from now on; it is shown once."""

    address: str


class SourceItem(msgspec.Struct, frozen=True, kw_only=True):
    """A file, object or event of a source, and what became of it."""

    name: str
    size: int
    content: str | None
    """SHA-256 of the bytes, in hex."""
    state: ItemState
    records: int
    accepted: int
    quarantined: int
    note: str
    at: datetime


class SourceItems(msgspec.Struct, frozen=True):
    """A page of items; `next` is what `before` takes for the page behind it, null on the last."""

    items: list[SourceItem]
    next: str | None


class SourceNote(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a source's history."""

    at: datetime
    kind: str
    text: str
    actor: str


class SourceHistory(msgspec.Struct, frozen=True):
    """What happened to a source, newest first."""

    items: list[SourceNote]


class TrialValue(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a record as it would be stored, shown in part when it says something about a person."""

    field: str
    data_class: DataClass
    value: _Value


class TrialRecord(msgspec.Struct, frozen=True):
    """One record as it would be stored."""

    values: list[TrialValue]


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at a source found; nothing of it was taken."""

    received: int
    accepted: int
    quarantined: int
    records: list[TrialRecord]
    problems: list[str]
    notes: list[str]


def show_source(source: types.Source, minutes: list[types.Minute]) -> SourceView:
    """A source as the API shows it."""
    own = ("id", "connection", "minutes")
    same = {name: getattr(source, name) for name in SourceView.__struct_fields__ if name not in own}
    shown = [SourceMinute(one.at, one.accepted, one.quarantined) for one in minutes]
    return SourceView(**same, id=show_id("src", source.id), connection=source.settings, minutes=shown)


def show_item(item: types.Item) -> SourceItem:
    """An item as the API shows it."""
    return SourceItem(
        name=item.name,
        size=item.size,
        content=None if item.content is None else item.content.hex(),
        state=item.state,
        records=item.records,
        accepted=item.accepted,
        quarantined=item.quarantined,
        note=item.note,
        at=item.at or EPOCH,
    )


def show_trial(found: types.Trial) -> Trial:
    """A look as the API shows it."""
    return Trial(
        received=found.received,
        accepted=found.accepted,
        quarantined=found.quarantined,
        records=[
            TrialRecord([TrialValue(field=one.field, data_class=one.data_class, value=one.value) for one in record])
            for record in found.records
        ],
        problems=found.problems,
        notes=found.notes,
    )
