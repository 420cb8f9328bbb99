"""Segments with their sizes. What somebody wrote is sealed: a condition may name a street or an income."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.kit.crypto.fields import seal, unseal_all
from finer.kit.turns import one_at_once
from finer.kit.tx import Tx
from finer.segments.tables import segments, sizes
from finer.segments.types import Daily, Draft, Segment, Size

_CONTENT = "segments_segments.content_sealed"
_s, _z = segments.c, sizes.c


class _Content(msgspec.Struct, frozen=True):
    draft: Draft
    reads: tuple[str, ...]


class SegmentStore:
    """The segments of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection, self._tenant = tx.connection, tx.tenant

    def add(self, identifier: uuid.UUID, draft: Draft, reads: tuple[str, ...], owner: uuid.UUID) -> None:
        """A new segment."""
        now = self._tx.now()
        self._connection.execute(
            segments.insert().values(
                tenant_id=self._tenant, id=identifier, owner_id=owner, version=1, created_at=now, changed_at=now,
                content_sealed=self._sealed(identifier, draft, reads),
            )
        )  # fmt: skip

    def change(
        self, identifier: uuid.UUID, version: int, draft: Draft, reads: tuple[str, ...], archived_at: datetime | None
    ) -> bool:
        """Another text in the place of `version`; False when somebody changed it first."""
        change = segments.update().where(_s.tenant_id == self._tenant, _s.id == identifier, _s.version == version)
        values = {"version": version + 1, "changed_at": self._tx.now(), "archived_at": archived_at}
        done = change.values(content_sealed=self._sealed(identifier, draft, reads), **values)
        return self._connection.execute(done).rowcount == 1

    def find(self, identifier: uuid.UUID | None = None, *, archived: bool | None = None) -> list[Segment]:
        """Segments by name, each with its latest size: one of them, or those that are archived or are not."""
        latest = (
            sa.select(sizes).where(_z.tenant_id == self._tenant).distinct(_z.segment_id)
            .order_by(_z.segment_id, _z.day.desc()).subquery()
        )  # fmt: skip
        counted = [latest.c[name].label(f"size_{name}") for name in Size.__struct_fields__]
        query = sa.select(segments, *counted).select_from(
            segments.outerjoin(latest, latest.c.segment_id == _s.id)
        ).where(_s.tenant_id == self._tenant)  # fmt: skip
        if identifier is not None:
            query = query.where(_s.id == identifier)
        if archived is not None:
            query = query.where(_s.archived_at.is_not(None) if archived else _s.archived_at.is_(None))
        rows = self._connection.execute(query).all()
        texts = unseal_all(self._tx, _CONTENT, [(row.id, bytes(row.content_sealed)) for row in rows])
        found = [_segment(row, text) for row, text in zip(rows, texts, strict=True) if text is not None]
        return sorted(found, key=lambda one: (one.draft.name.casefold(), one.id))

    def count(self) -> int:
        """How many segments are not archived; who asks at the same moment is answered one after the other."""
        one_at_once(self._connection, "segments", self._tenant)
        query = sa.select(sa.func.count()).where(_s.tenant_id == self._tenant, _s.archived_at.is_(None))
        return int(self._connection.execute(query).scalar_one())

    def history(self, identifier: uuid.UUID) -> list[Daily]:
        """The sizes of a segment, the earliest first."""
        query = sa.select(sizes).where(_z.tenant_id == self._tenant, _z.segment_id == identifier).order_by(_z.day)
        return [Daily(row.day, _size(row._mapping)) for row in self._connection.execute(query)]

    def note(self, found: Mapping[uuid.UUID, Size]) -> None:
        """Keep the sizes of today; those of an earlier count of the day make room."""
        for identifier, size in found.items():
            values = msgspec.structs.asdict(size)
            key = {"tenant_id": self._tenant, "segment_id": identifier, "day": size.counted_at.date()}
            new = insert(sizes).values(**key, **values)
            self._connection.execute(new.on_conflict_do_update(constraint="pk_segments_sizes", set_=values))

    def forget(self, before: datetime) -> int:
        """Delete sizes of days before a moment."""
        old = sizes.delete().where(_z.tenant_id == self._tenant, _z.counted_at < before)
        return self._connection.execute(old).rowcount

    def _sealed(self, identifier: uuid.UUID, draft: Draft, reads: tuple[str, ...]) -> bytes:
        return seal(self._tx, _CONTENT, identifier, msgspec.json.encode(_Content(draft, reads)).decode())


def _segment(row: Any, text: str) -> Segment:
    content = msgspec.json.decode(text, type=_Content)
    counted = {name: getattr(row, f"size_{name}") for name in Size.__struct_fields__}
    return Segment(
        id=row.id, owner_id=row.owner_id, draft=content.draft, reads=content.reads, version=row.version,
        archived_at=row.archived_at, created_at=row.created_at, changed_at=row.changed_at,
        size=None if counted["counted_at"] is None else _size(counted),
    )  # fmt: skip


def _size(row: Mapping[Any, Any]) -> Size:
    return Size(**{name: row[name] for name in Size.__struct_fields__})
