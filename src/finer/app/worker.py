"""`finer worker`: reads the log and takes every record through the pipeline. One worker writes each partition."""

from __future__ import annotations

import shutil
import signal
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from itertools import groupby
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import structlog

from finer.app.pipeline import Pipeline
from finer.app.process import settle
from finer.app.set_aside import Failures
from finer.app.tenants import Tenants
from finer.features import service as features
from finer.fraud.service import label_rows, rule_sets
from finer.fraud.service import verdicts as fraud
from finer.ingest.types.receipts import READER
from finer.kit.actors import SYSTEM
from finer.kit.clock import Clock
from finer.kit.db import NO_TENANT, WORKER, Database, connect
from finer.kit.deduplication import Deduplicator
from finer.kit.live import overhear, receive
from finer.kit.lock_keys import LockKey
from finer.kit.log import CHANNEL, LogReader, LogRow, Position, PostgresLog
from finer.kit.moments import microseconds
from finer.kit.settings import Settings
from finer.kit.snapshots import SnapshotRefused, child_finished, read_notes, write_in_child
from finer.kit.stopping import StopEvent
from finer.kit.write_pipeline import WritePipeline
from finer.warehouse.service import lake as warehouse

_log = structlog.get_logger(__name__)
_IDLE_S = 0.05  # how long a worker that was not woken waits before it looks by itself
_HANDLED_AGAIN_S = 0.5
_HANDLER_PATIENCE_S = 5.0  # how long the end waits for a handler
_ROWS_MAX = 256
_LAKE_PATIENCE_S = 5.0  # how long deciding stops for the lake before a snapshot


class Worker:
    """One process with its state: windows, remembered event ids, positions."""

    pipeline: Pipeline

    def __init__(self, url: str, settings: Settings) -> None:
        self._url, self._settings = url, settings
        self._stop = StopEvent()
        self._reader = connect(url, WORKER, name="finer-worker")
        self._log = LogReader(self._reader)
        self._database = Database(url, WORKER, connections=3)
        self._effects = WritePipeline(url, WORKER, name="finer-effects")
        self._tenants = Tenants(self._database)
        self._handlers: dict[str, Callable[[str], None]] = {
            rule_sets.CHANNEL: self._tenants.rules_changed,
            label_rows.CHANNEL: self._frauds_known,
        }
        # Rules are read and compiled beside deciding, which goes on with those before. The process may end meanwhile.
        self._beside = threading.Thread(target=self._handle, name="handlers", daemon=True)
        self._to_handle: SimpleQueue[tuple[str, str] | None] = SimpleQueue()
        self._lake = warehouse.LakeWriter(url, settings)
        self._failures = Failures(self._reader, self._database)
        log = PostgresLog.identity(self._reader)
        self._snapshots = Snapshots(settings.data_path / "snapshots", self._database.clock, log)
        self._in_lake: dict[tuple[uuid.UUID, Position], int] = {}
        self._told: list[LogRow] = []

    def run(self) -> None:
        """Work until SIGTERM."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        self._become_the_only_one()
        if self._stop.is_set():
            self.close()
            return
        self._listen()
        # Connected before anything is read: a crash of the server that takes rows of the log ends what commits them.
        with self._effects.transaction(NO_TENANT, SYSTEM):
            pass
        self.pipeline = self._restore()
        self._beside.start()
        self._failures.recall()
        settle()
        _log.info("worker is ready", consumed=sum(self.pipeline.consumed.values()))
        next_snapshot = time.monotonic() + self._settings.snapshot_every_s
        try:
            while not self._stop.is_set():
                if not self._turn():
                    self._wait()
                if time.monotonic() > next_snapshot:
                    self._take_snapshot(self._snapshots.write, _LAKE_PATIENCE_S)
                    next_snapshot = time.monotonic() + self._settings.snapshot_every_s
            # A clean stop leaves nothing to replay.
            self._take_snapshot(self._snapshots.write_now, 60.0)
        finally:
            self.close()

    def close(self) -> None:
        """Give up what was opened."""
        self._stop.set()
        self._to_handle.put(None)
        if self._beside.is_alive():
            self._beside.join(_HANDLER_PATIENCE_S)
        self._lake.close()
        self._effects.close()
        self._database.close()
        self._reader.close()

    def _take_snapshot(self, write: Callable[[Pipeline], None], patience_s: float) -> None:
        # A snapshot is only of use where the lake has come as far: what was queued is committed first. One that is
        # ahead of the lake would in time take the place of the last that can be used.
        self._finish()
        if self._lake.flush(patience_s):
            write(self.pipeline)
        else:
            _log.error("no snapshot is taken because the lake does not keep up; the last one stays in use")

    def _become_the_only_one(self) -> None:
        # Offsets are compared and swapped in any case; the lock only keeps a second worker from working for nothing.
        while not self._stop.is_set():
            row = self._reader.execute("select pg_try_advisory_lock(%s)", (LockKey.WORKER.value,)).fetchone()
            if row is not None and row[0]:
                return
            self._stop.wait(0.5)

    def _listen(self) -> None:
        # PostgreSQL wakes each connection that listens at every notification, so that one listens to everything. What
        # was notified before is read later, whatever it was about.
        for channel in (CHANNEL, *self._handlers):
            self._reader.execute(f"listen {channel}")
        # What this says of the log is read at the next turn.
        overhear(self._reader, lambda channel, payload: self._pass_on([(channel, payload)]))

    def _restore(self) -> Pipeline:
        """The state of the newest usable snapshot, or none, and from where the log must be read again."""
        consumed = PostgresLog.consumed(self._reader, READER)
        self._snapshots.put_aside_strangers(consumed, partial(PostgresLog.appended_at_us, self._reader))
        found = self._snapshots.restore(self._settings, self._lake_needs(consumed))
        if found is None:
            if consumed:
                _log.warning("there is no usable snapshot; windows are made anew from what the log still holds")
            engine = features.Engine(fraud.windows(), pool_events=self._settings.window_pool_events)
            found = engine, Deduplicator(self._settings.deduplication_events), {}
        engine, seen, applied = found
        engine.warm()
        pipeline = Pipeline(self._effects, self._tenants, engine, seen, self._lake)
        pipeline.consumed, pipeline.in_lake = consumed, self._in_lake
        pipeline.begin(applied, PostgresLog.begins(self._reader, consumed))
        return pipeline

    def _lake_needs(self, consumed: dict[Position, int]) -> dict[Position, int]:
        """The first offset of each position that some tenant's lake does not hold yet, though it was consumed."""
        needed = dict(consumed)
        for tenant, stream, partition, end in PostgresLog.tenant_ends(self._reader):
            position = (stream, partition)
            reached = self._in_lake[tenant, position] = self._lake.offsets(tenant).get(position, 0)
            if reached < min(end, consumed.get(position, 0)):
                first = PostgresLog.first_of(self._reader, tenant, position, reached)
                needed[position] = min(needed.get(position, 0), first)
        return needed

    def _turn(self) -> bool:
        """Read once and process what was there; False when that was all that there was.

        Who appends notifies with the commit: what was not there to be read is still to be announced.
        """
        rows, self._told = self._told, []
        if not rows:
            self._pass_on(receive(self._reader, 0))  # what it says of the log is read now
            rows = self._log.read(self.pipeline.applied, _ROWS_MAX)
        for group in _groups(rows, self._settings.worker_batch_events, self.pipeline.starts_anew, self._failures.alone):
            if self._failures.hopeless(group[0]):
                self._finish()
                self._pass_by(group[0])
                continue
            try:
                self.pipeline.process(group)
            except Exception as error:
                self._failures.note(self.pipeline.at_work, error)
                # What was under way may have failed as well: it is counted now, and not when these rows are given up.
                with suppress(Exception):
                    self._finish()
                raise
        return len(rows) >= _ROWS_MAX

    def _frauds_known(self, payload: str) -> None:
        self.pipeline.window_rows.changed(payload)

    def _pass_by(self, row: LogRow) -> None:
        """Go on behind a row that cannot be processed."""
        position, end = (row.stream, row.partition), row.base_offset + row.count
        consumed = self.pipeline.consumed.get(position, 0)
        if end > consumed:
            self._failures.set_aside(row, consumed)
            self.pipeline.consumed[position] = end
        else:
            # It was decided before this process began, and is only in the way of restoring what came after it.
            _log.error(
                "a decided row is left out of the restored state", stream=row.stream, base_offset=row.base_offset
            )
        self.pipeline.applied[position] = end

    def _wait(self) -> None:
        """Until there may be rows to be read. What is under way is finished as soon as it is answered."""
        while not (heard := receive(self._reader, _IDLE_S, beside=self._effects.awaits)):
            if not self._effects.is_answered():
                return
            self._finish()
        self._told = self._log.told(self._pass_on(heard), self.pipeline.applied)

    def _pass_on(self, heard: list[tuple[str, str]]) -> list[str]:
        """Let what is not about the log be handled; returns what is."""
        for channel, payload in heard:
            if channel != CHANNEL:
                self._to_handle.put((channel, payload))
        return [payload for channel, payload in heard if channel == CHANNEL]

    def _handle(self) -> None:
        while (heard := self._to_handle.get()) is not None:
            channel, payload = heard
            while not self._stop.is_set():
                try:
                    self._handlers[channel](payload)
                    break
                except Exception:  # noqa: BLE001 - whatever failed, the firm's rules and labels have to be looked at
                    _log.exception("a notification could not be handled; all firms are looked at", channel=channel)
                    payload = ""
                    self._stop.wait(_HANDLED_AGAIN_S)

    def _finish(self) -> None:
        try:
            self.pipeline.finish()
        except Exception as error:
            self._failures.note(self.pipeline.at_work, error)
            raise


def _groups(
    rows: list[LogRow], events_max: int, starts_anew: Callable[[LogRow], bool], alone: Callable[[LogRow], bool]
) -> list[list[LogRow]]:
    """Neighbours of one position, tenant and header, up to `events_max` events, never across a row that starts anew.

    A row for which `alone` holds is a group of its own, and so is what follows a place that a row was taken from.
    """
    groups: list[list[LogRow]] = []
    for _, run in groupby(rows, key=lambda row: (row.stream, row.partition, row.tenant, row.header)):
        group: list[LogRow] = []
        count = 0
        for row in run:
            boundary = (
                starts_anew(row)
                or alone(row)
                or bool(group and (alone(group[-1]) or group[-1].base_offset + group[-1].count != row.base_offset))
            )
            if group and (count + row.count > events_max or boundary):
                groups.append(group)
                group, count = [], 0
            group.append(row)
            count += row.count
        groups.append(group)
    return groups


class Snapshots:
    """Snapshots of a worker's state on disk, written by a forked child so that the worker hardly pauses."""

    KEEP = 2

    def __init__(self, folder: Path, clock: Clock, log: str) -> None:
        """`log` is the identity of the log that the state is made from."""
        self._folder = folder
        self._clock = clock
        self._log = log
        self._child: int | None = None
        self._last: dict[Position, tuple[int, int]] = {}
        """The last row of each position that the state holds, as the snapshot says that it was made from."""

    def write_now(self, pipeline: Pipeline) -> None:
        """Write the state in this process, before it ends."""
        self._writer(pipeline)()

    def write(self, pipeline: Pipeline) -> None:
        """Fork; the child writes the state as it is now. At most one child at a time."""
        if self._child is not None:
            finished = child_finished(self._child)
            if finished is None:
                return
            self._child = None
            if not finished:
                _log.error("a snapshot could not be written; the log is kept long enough to replay without it")
        self._child = write_in_child(self._writer(pipeline))

    def _writer(self, pipeline: Pipeline) -> Callable[[], None]:
        pipeline.settle()
        target = self._folder / f"{microseconds(self._clock.now()) * 1000:020d}"
        positions = [[stream, partition, offset] for (stream, partition), offset in pipeline.applied.items()]
        self._last |= pipeline.last
        last = [[*position, *row] for position, row in self._last.items()]

        def write() -> None:
            pipeline.seen.snapshot(target / "seen", {})
            # Written last: a folder with windows is a whole snapshot.
            pipeline.engine.snapshot(target / "windows", {"log": self._log, "positions": positions, "last": last})
            for old in sorted(self._folder.glob("[0-9]*"))[: -self.KEEP]:
                shutil.rmtree(old, ignore_errors=True)

        return write

    def put_aside_strangers(
        self, consumed: dict[Position, int], appended_at_us: Callable[[Position, int], int | None]
    ) -> None:
        """Keep snapshots of another log, or of a history that this one has not had, from ever being restored.

        The latter are of a later state of this database, whose backup was restored: they hold more than the database
        knows of, or other records stand behind the same offsets by now, which `appended_at_us` tells of the row that
        begins at an offset; None where the log has dropped it. Snapshots of earlier versions are told by less.
        """
        for folder in self._found():
            try:
                notes = read_notes(folder / "windows")
            except SnapshotRefused:
                continue
            beyond = any(offset > consumed.get(position, 0) for position, offset in _positions(notes).items())
            other = any(appended_at_us(at, base) not in (us, None) for at, (base, us) in _last_rows(notes).items())
            if beyond or other or notes.get("log", self._log) != self._log:
                aside = folder.with_name(f"of-another-database-{folder.name}")
                # One of that name is this very snapshot, put aside before its folder was restored from a copy.
                shutil.rmtree(aside, ignore_errors=True)
                folder.rename(aside)
                _log.warning(
                    "a snapshot holds records that this database does not have: it is of another database, or the "
                    "database was restored to an earlier state. It is put aside; delete it when it is not missed",
                    folder=str(aside),
                )

    def _found(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*"), reverse=True) if self._folder.is_dir() else []

    def restore(
        self, settings: Settings, needed: dict[Position, int]
    ) -> tuple[features.Engine, Deduplicator, dict[Position, int]] | None:
        """The newest snapshot that is not beyond what `needed` says must be seen again; None without one."""
        for folder in self._found():
            try:
                engine, notes = features.Engine.restore(
                    folder / "windows", fraud.windows(), pool_events=settings.window_pool_events
                )
                applied = _positions(notes)
                if any(applied.get(position, 0) > offset for position, offset in needed.items()):
                    continue
                seen, _ = Deduplicator.restore(folder / "seen", settings.deduplication_events)
            except SnapshotRefused as error:
                _log.warning("a snapshot cannot be used; an older one is tried", error=error.detail)
                continue
            self._last = _last_rows(notes)
            return engine, seen, applied
        return None


def _positions(notes: Mapping[str, Any]) -> dict[Position, int]:
    return {(stream, int(at)): int(offset) for stream, at, offset in notes["positions"]}


def _last_rows(notes: Mapping[str, Any]) -> dict[Position, tuple[int, int]]:
    return {(stream, int(at)): (int(base), int(us)) for stream, at, base, us in notes.get("last", ())}
