"""A table of another PostgreSQL, from its cursor on, with what was committed late."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from finer.sources.service.readers.target import TRIAL_ROWS, Target, as_stream, newest
from finer.sources.store.foreign import ForeignTable
from finer.sources.types import Memory, Page, Position, PostgresSettings

_COUNTED_MAX = 100_000


class PostgresReader:
    """Pages in the order of cursor and key, each row version once.

    A row may be committed after others with a later cursor were read. So a sweep takes only rows of transactions before
    its horizon (the oldest that still writes), and looks back over the overlap for rows of transactions between the
    horizon of the sweep before and its own: those are late. Each row was written by one transaction, so no row is
    taken twice and, within the overlap, none is missed.
    """

    def __init__(
        self,
        table: ForeignTable,
        settings: PostgresSettings,
        target: Target,
        memory: Memory,
        *,
        backfill: str = "",
        trial: bool = False,
    ) -> None:
        self.every_s = settings.every_s
        self._table, self._settings, self._target, self._memory = table, settings, target, memory
        self._backfill, self._trial = backfill, trial
        self._part = f"{settings.schema}.{settings.table}/{settings.cursor}"
        self._limit = TRIAL_ROWS if trial else settings.rows

    def sweep(self) -> Iterator[Page]:
        """What is new since the sweep before."""
        stored = {} if self._trial or self._backfill else self._memory.positions().get(self._part, {})
        place: list[str] | None = stored.get("place")
        # A look back that was cut short goes on with the horizon that it had.
        horizon = int(stored["until"]) if "late" in stored else self._table.horizon()
        if place is not None and self._table.has_rows_of_its_own:
            yield from self._look_back(place, int(stored.get("horizon", 0)), horizon, stored.get("late"))
        moved = horizon != stored.get("horizon")
        full = True
        while full:
            batch, following = self._table.after(place, self._limit, horizon, self._backfill)
            full = batch.num_rows == self._limit and not self._trial
            place = following or place
            if following or moved or self._backfill:
                yield self._further(batch, place, horizon, full=full)
            self._backfill = ""

    def _look_back(self, place: list[str], before: int, horizon: int, done: list[str] | None) -> Iterator[Page]:
        while horizon > before:
            batch, done = self._table.late(place, before, horizon, done, self._limit)
            if done is None:
                return
            yield self._page(batch, {"place": place, "horizon": before, "late": done, "until": horizon}, "late rows")

    def _further(self, batch: pa.RecordBatch, place: list[str] | None, horizon: int, *, full: bool) -> Page:
        position: dict[str, Any] = {"horizon": horizon} | ({} if place is None else {"place": place})
        page = self._page(batch, position, f"to {place[0]}" if place else "")
        if full and place is not None:
            page.lag = self._table.waiting(place, _COUNTED_MAX)
        page.restart = bool(self._backfill)
        return page

    def close(self) -> None:
        """Close the connection."""
        self._table.close()

    def _at(self, value: dict[str, Any]) -> Position:
        return Position(self._part, value)

    def _page(self, batch: pa.RecordBatch, position: dict[str, Any], what: str) -> Page:
        what = f"{self._settings.schema}.{self._settings.table} {what}"
        groups = []
        if batch.num_rows:
            groups = [group.parsed for group in self._target.groups(as_stream(batch), "rows.arrow", what)]
        page = Page(groups=groups, what=what, positions=[self._at(position)], lag_unit="rows")
        page.last_record_at, page.lag = newest(groups), 0
        return page
