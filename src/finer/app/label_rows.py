"""Which rows of frauds that became known stand before which batch: those written down by offset, and those that wait.

New rows are taken before the next batch of their firm, and the offset of that batch is kept with its effects. Records
that are taken through the pipeline once more find the rows before the same records.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from finer.app.tenants import Tenants
from finer.fraud.service.label_rows import LabelRow
from finer.kit.log import Position


@dataclass
class _Pinned:
    """Rows of a position in the order of their offsets, and those offsets."""

    rows: deque[LabelRow]
    offsets: set[int]


class LabelRows:
    """Rows by tenant and position that the windows do not hold yet."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants
        self._held: Mapping[Position, int] = {}
        self._pinned: dict[tuple[uuid.UUID, Position], _Pinned] = {}
        self._waiting: dict[uuid.UUID, list[LabelRow]] = {}

    def begin(self, applied: Mapping[Position, int]) -> None:
        """The windows hold all rows below these offsets: a snapshot was taken there."""
        self._held = dict(applied)

    def changed(self, payload: str) -> None:
        """Rows wait of a firm, or of any where the payload is empty: they are read before the firm's next batch."""
        for tenant in list(self._waiting) if not payload else [uuid.UUID(payload)]:
            self._waiting.pop(tenant, None)

    def stands_before(self, tenant: uuid.UUID, position: Position, offset: int) -> bool:
        """Whether rows that the windows do not hold stand before the record of an offset: a batch begins there."""
        return offset in self._of(tenant, position).offsets

    def due(self, tenant: uuid.UUID, position: Position, offset: int) -> list[LabelRow]:
        """Rows that stand before the record of an offset or an earlier one, in their order; they are given once."""
        pinned, found = self._of(tenant, position).rows, []
        while pinned and pinned[0].offset <= offset:
            found.append(pinned.popleft())
        return found

    def waiting(self, tenant: uuid.UUID) -> list[LabelRow]:
        """Rows that wait, the oldest first."""
        found = self._waiting.get(tenant)
        if found is None:
            # Noted before it is read: what is told of meanwhile is read again.
            self._waiting[tenant] = []
            found = self._tenants.label_rows_waiting(tenant)
            if found:
                self._waiting.pop(tenant, None)
        return found

    def _of(self, tenant: uuid.UUID, position: Position) -> _Pinned:
        found = self._pinned.get((tenant, position))
        if found is None:
            rows = self._tenants.label_rows_pinned(tenant, position, self._held.get(position, 0))
            found = self._pinned[tenant, position] = _Pinned(deque(rows), {row.offset for row in rows})
        return found
