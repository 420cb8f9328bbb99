"""The thread that appends to the lakes, beside a worker that must not wait for it."""

from __future__ import annotations

import threading
import time
import uuid

import structlog

from finer.kit.clock import Clock, SystemClock
from finer.kit.processor_time import stand_behind
from finer.kit.settings import Settings
from finer.warehouse.errors import LakeBusy, LakeUnavailable
from finer.warehouse.store.access import LakeAccess
from finer.warehouse.store.append import Step
from finer.warehouse.store.catalogue import Catalogue
from finer.warehouse.store.sink import LakeSink
from finer.warehouse.types import LakeBatch, Position

_log = structlog.get_logger(__name__)
_NICE = 15  # what people wait for goes first: measured p99 of alerts 24.6 ms without, 13.5 ms with
_RETRY_FIRST_S, _RETRY_LAST_S = 0.2, 5.0


class LakeWriter:
    """Takes batches from the worker and appends them to the lakes, about once a second, on a thread of its own.

    What was put is in memory until it is committed; after a crash the worker puts it again, and what a lake holds
    already is dropped. So every record is in the lake exactly once.
    """

    def __init__(
        self, url: str, settings: Settings, *, clock: Clock | None = None, before_commit: Step | None = None
    ) -> None:
        """`before_commit` is called at the stages of each commit (see Appender); tests stop the process there."""
        self._access = LakeAccess(url, settings)
        self._every_s = settings.lake_flush_s
        self._rows_max = settings.lake_backlog_events_max
        self._sink = LakeSink(self._access, clock or SystemClock(), before_commit)
        self._changed = threading.Condition()
        self._waiting: dict[uuid.UUID, list[LakeBatch]] = {}
        self._backlog = 0
        self._flush_now = self._closing = False
        self._problem: str | None = None
        self._thread = threading.Thread(target=self._run, name="lake", daemon=True)
        self._thread.start()

    @property
    def backlog(self) -> int:
        """Records that were put and are not committed yet."""
        return self._backlog

    @property
    def problem(self) -> str | None:
        """Why the latest attempt failed; None when it did not."""
        return self._problem

    def put(self, batch: LakeBatch) -> None:
        """Hand a batch over. Waits while the backlog is full: a slow lake slows the worker, memory stays bounded."""
        rows = len(batch.offsets)
        with self._changed:
            self._changed.wait_for(
                lambda: self._backlog == 0 or self._backlog + rows <= self._rows_max or self._closing
            )
            self._waiting.setdefault(batch.tenant, []).append(batch)
            idle = self._backlog == 0
            self._backlog += rows
            if idle or self._backlog * 2 > self._rows_max:
                self._changed.notify_all()

    def offsets(self, tenant: uuid.UUID) -> dict[Position, int]:
        """The next log offset of each (stream, partition) that a tenant's lake does not hold; empty without a lake."""
        return recorded_offsets(self._access, tenant)

    def flush(self, timeout_s: float = 60.0) -> bool:
        """Wait until everything that was put is committed; False when that took too long."""
        with self._changed:
            self._flush_now = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._backlog == 0, timeout_s)

    def close(self, timeout_s: float = 30.0) -> None:
        """Commit what is waiting and stop. What cannot be committed in time is put again by the next worker."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        if self._backlog:
            _log.warning("lake writer closed before everything was committed", records=self._backlog)

    def _run(self) -> None:
        become_unimportant()
        pause = _RETRY_FIRST_S
        while self._wait_for_work():
            started = time.monotonic()
            if self._round():
                pause = _RETRY_FIRST_S
                self._sleep(self._every_s - (time.monotonic() - started))
            else:
                if self._closing:
                    break
                self._sleep(pause, wake=False)
                pause = min(pause * 2, _RETRY_LAST_S)
        self._sink.close()

    def _wait_for_work(self) -> bool:
        """Sleep until there is something to append; False when there is nothing left and the writer is closing."""
        with self._changed:
            self._changed.wait_for(lambda: self._backlog > 0 or self._closing)
            return self._backlog > 0

    def _sleep(self, seconds: float, *, wake: bool = True) -> None:
        with self._changed:
            self._changed.wait_for(
                lambda: self._closing or (wake and (self._flush_now or self._backlog * 2 > self._rows_max)),
                max(0.0, seconds),
            )

    def _round(self) -> bool:
        """Append what is waiting, tenant by tenant. False when something failed: it waits for the next round."""
        with self._changed:
            taken, self._flush_now = list(self._waiting.items()), False
            counts = {tenant: len(batches) for tenant, batches in taken}
        problem: str | None = None
        for tenant, batches in taken:
            now = batches[: counts[tenant]]
            try:
                self._sink.write(tenant, now)
            except LakeBusy as error:
                problem = error.detail
                _log.info("a lake append waits", tenant=str(tenant), reason=problem)
                continue
            except LakeUnavailable as error:
                problem = error.detail
                _log.warning("a lake append failed and is tried again", tenant=str(tenant), error=problem)
                continue
            except Exception as error:  # noqa: BLE001 - without this thread the worker would wait for room for ever
                problem = f"{type(error).__name__}: {error}"
                self._sink.close()
                _log.exception("a lake append failed in an unforeseen way and is tried again", tenant=str(tenant))
                continue
            self._done(tenant, now)
        self._problem = problem
        return problem is None

    def _done(self, tenant: uuid.UUID, batches: list[LakeBatch]) -> None:
        with self._changed:
            left = self._waiting[tenant][len(batches) :]
            if left:
                self._waiting[tenant] = left
            else:
                del self._waiting[tenant]
            self._backlog -= sum(len(batch.offsets) for batch in batches)
            self._changed.notify_all()


def recorded_offsets(access: LakeAccess, tenant: uuid.UUID) -> dict[Position, int]:
    """The next log offset of each (stream, partition) that a tenant's lake does not hold; empty without a lake."""
    with access.catalogue() as connection:
        catalogue = Catalogue(connection, tenant)
        return catalogue.positions() if catalogue.exists() else {}


def become_unimportant() -> None:
    """Let the calling thread wait for all others; it cannot take that back."""
    stand_behind(_NICE)
