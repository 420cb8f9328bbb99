"""Which rows stand before which batch: frauds that became known, and what is forgotten of erased people.

Some are written down by offset, others wait.

New rows are taken before the next batch of their firm, and the offset of that batch is kept with its effects. Records
that are taken through the pipeline once more find the rows before the same records.

Rows outlive the log: the record of a row may be gone when the log is read again, and its firm may send none for long.
Windows of which a snapshot says that they hold what stands below an offset must hold those rows too: they are told
before it is written, or with the firm's next batch.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from finer.app.tenants import Tenants, WindowRow
from finer.kit.log import Position


@dataclass
class _Pinned:
    """Rows of a position in the order of their offsets, and those offsets."""

    rows: deque[WindowRow]
    offsets: set[int]


class WindowRows:
    """Rows by tenant and position that the windows do not hold yet."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants
        self._pinned: dict[uuid.UUID, dict[Position, _Pinned]] = {}
        self._waiting: dict[uuid.UUID, list[WindowRow]] = {}

    def begin(self, held: Mapping[Position, int], *, untold: bool = False) -> None:
        """Read what every firm has from these offsets on; the windows hold all rows below them.

        With `untold` they hold no fraud that became known, wherever.
        """
        for tenant in self._tenants.all():
            self._pinned[tenant] = {
                position: _Pinned(deque(rows), {row.offset for row in rows})
                for position, rows in self._tenants.window_rows_pinned(tenant, held, untold=untold).items()
            }

    def left_behind(self, applied: Mapping[Position, int]) -> Iterator[tuple[uuid.UUID, list[WindowRow]]]:
        """Rows below these offsets that no batch has taken, by firm; they are given once."""
        for tenant, by_position in self._pinned.items():
            found = [
                row for position, pinned in by_position.items() for row in _below(pinned, applied.get(position, 0))
            ]
            if found:
                yield tenant, found

    def changed(self, payload: str) -> None:
        """Rows wait of a firm, or of any where the payload is empty: they are read before the firm's next batch."""
        for tenant in list(self._waiting) if not payload else [uuid.UUID(payload)]:
            self._waiting.pop(tenant, None)

    def stands_before(self, tenant: uuid.UUID, position: Position, offset: int) -> bool:
        """Whether rows that the windows do not hold stand before the record of an offset: a batch begins there."""
        pinned = self._pinned.get(tenant, {}).get(position)
        return pinned is not None and offset in pinned.offsets

    def due(self, tenant: uuid.UUID, position: Position, offset: int) -> list[WindowRow]:
        """Rows that stand before the record of an offset or an earlier one, in their order; they are given once."""
        pinned = self._pinned.get(tenant, {}).get(position)
        return [] if pinned is None else _below(pinned, offset + 1)

    def waiting(self, tenant: uuid.UUID) -> list[WindowRow]:
        """Rows that wait, the oldest first."""
        found = self._waiting.get(tenant)
        if found is None:
            # Noted before it is read: what is told of meanwhile is read again.
            self._waiting[tenant] = []
            found = self._tenants.window_rows_waiting(tenant)
            if found:
                self._waiting.pop(tenant, None)
        return found


def _below(pinned: _Pinned, offset: int) -> list[WindowRow]:
    """Take out the rows below an offset."""
    found = []
    while pinned.rows and pinned.rows[0].offset < offset:
        found.append(pinned.rows.popleft())
    return found
