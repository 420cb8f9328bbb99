"""What fraud shows of lists, and what it takes, as they leave and enter the system."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, TypeAlias

import msgspec

from finer.fraud.routes.documents import RuleName, Words
from finer.fraud.types import FirmList, ListEffect, ListEntry, ListKind, NewEntry
from finer.kit.ids import show_id
from finer.kit.masking import DataClass, classified_by

_EntryId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^lse_[0-9a-f]{32}$")]
_Value: TypeAlias = Annotated[str, msgspec.Meta(max_length=200)]
_ShownValue: TypeAlias = Annotated[str | None, classified_by("data_class", "tail")]


class NewListBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A list. Kind and effect never change."""

    name: RuleName
    kind: ListKind
    effect: ListEffect = ListEffect.NONE
    description: Words = ""


class ListSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A list of the firm and the rules that ask it."""

    name: str
    kind: ListKind
    effect: ListEffect
    description: str
    entries: int
    version: int
    author: str
    updated_at: datetime
    used_by: list[str]


class EntryBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry to be put on a list."""

    value: _Value
    reason: Words
    source: Words = ""
    expires_at: datetime | None = None


class EntriesBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entries to be put on a list, all or none."""

    entries: Annotated[list[EntryBody], msgspec.Meta(min_length=1, max_length=1_000)]


class RemovalBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entries to be taken off a list that blocks, or with `whole` the list to be deleted; and why."""

    entries: Annotated[list[_EntryId], msgspec.Meta(max_length=100)] = []
    whole: bool = False
    reason: Words


class ListFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A CSV text of entries; `reason` and `source` are those of lines that have none.

    `replace` takes off the list what the file does not have.
    """

    csv: Annotated[str, msgspec.Meta(max_length=16_000_000)]
    reason: Words
    source: Words = ""
    replace: bool = False


class ListLookup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The value that is looked for, whole."""

    value: _Value


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a list. Its value is shown as the caller may see values of its kind."""

    id: str
    value: _ShownValue
    data_class: DataClass
    reason: str
    source: str
    added_by: str
    added_at: datetime
    expires_at: datetime | None


class EntryPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of entries, the newest first; `next` is what `before` takes for the page behind it, null on the last."""

    items: list[EntryView]
    next: str | None


def show_list(found: FirmList, used_by: list[str], names: Mapping[str, str]) -> ListSummary:
    """A list as it is shown."""
    return ListSummary(
        name=found.name, kind=found.kind, effect=found.effect, description=found.description, entries=found.entries,
        version=found.version, author=names.get(found.author, ""), updated_at=found.updated_at, used_by=used_by,
    )  # fmt: skip


def show_entry(kind: ListKind, entry: ListEntry, names: Mapping[str, str]) -> EntryView:
    """An entry as it is shown."""
    open_kinds = (ListKind.COUNTRY, ListKind.MERCHANT)
    return EntryView(
        id=show_id("lse", entry.id), value=entry.value,
        data_class=DataClass.PUBLIC if kind in open_kinds else DataClass.PERSONAL, reason=entry.reason,
        source=entry.source, added_by=names.get(entry.added_by, "a machine"), added_at=entry.added_at,
        expires_at=entry.expires_at,
    )  # fmt: skip


def read_entry(body: EntryBody) -> NewEntry:
    """An entry as it is kept."""
    return NewEntry(value=body.value, reason=body.reason, source=body.source, expires_at=body.expires_at)
