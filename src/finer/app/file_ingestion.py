"""`finer ingest`: files of any size through the same contract, log and pipeline as every other record."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from rich.progress import Progress

from finer.ingest.service import contracts, parsing, receipts
from finer.ingest.types.contracts import Contract
from finer.ingest.types.receipts import READER, Receipt
from finer.ingest.types.records import FileGroup, Mapping
from finer.kit.actors import SYSTEM
from finer.kit.db import API, DATABASE_GONE, Connection, Database, connect
from finer.kit.errors import FinerError, InvalidInput, NotFound
from finer.kit.ids import show_id
from finer.kit.log import PostgresLog
from finer.kit.settings import Settings

_LOOK_S = 0.02
_NO_WORKER_S = 5.0  # workers that have not moved for so long are not there, or are stuck: a file does not wait for them


class Cause(msgspec.Struct, frozen=True):
    """How many records a broken rule held back, with the first reason as an example."""

    field: str
    rule: str
    records: int
    example: str


class FileReport(msgspec.Struct, frozen=True):
    """What became of the records of the files. Duplicates are found by the worker later; the receipts tell them."""

    received: int
    accepted: int
    quarantined: int
    seconds: float
    causes: list[Cause]
    receipts: list[str]
    stopped: str = ""
    """Why not everything was read, for people; empty when it was. What was counted stands."""


class _Tally:
    """Counts over all files."""

    def __init__(self) -> None:
        self.received = self.accepted = self.quarantined = 0
        self.causes: Counter[tuple[str, str]] = Counter()
        self.examples: dict[tuple[str, str], str] = {}
        self.receipts: list[str] = []

    def add(self, receipt: Receipt, group: FileGroup) -> None:
        self.received += receipt.received
        self.accepted += receipt.accepted
        self.quarantined += receipt.quarantined
        self.receipts.append(show_id("rct", receipt.id))
        for refused in group.parsed.bodies[0].refused:
            for error in refused.errors:
                key = (error.field, error.rule)
                self.causes[key] += 1
                self.examples.setdefault(key, error.reason)

    def report(self, seconds: float, stopped: str) -> FileReport:
        causes = [
            Cause(field, rule, count, self.examples[field, rule]) for (field, rule), count in self.causes.most_common()
        ]
        return FileReport(self.received, self.accepted, self.quarantined, seconds, causes, self.receipts, stopped)


def ingest_files(
    database: Database,
    settings: Settings,
    tenant: uuid.UUID,
    contract: str,
    files: Sequence[Path],
    *,
    mapping: Path | None = None,
    backlog_events_max: int,
    progress: Progress,
) -> FileReport:
    """Take in the files one after the other.

    A file that is not there, has no format or an unknown contract raises before any is taken in; a file that cannot be
    read on, a database that goes away, or Ctrl-C ends the work, and the report says where and why.
    """
    with database.transaction(tenant, SYSTEM, read_only=True) as tx:
        known = contracts.load(tx).named(contract)
    chosen: Mapping | None = None if mapping is None else parsing.load_mapping(mapping, known)
    readers = [_reader(file, known, chosen) for file in files]
    tally = _Tally()
    started = time.monotonic()
    stopped = ""
    with connect(database.url, API, name="finer-ingest") as watcher:
        backlog = _Backlog(watcher, backlog_events_max)
        for file, reader in zip(files, readers, strict=True):
            task = progress.add_task(file.name, total=file.stat().st_size)
            try:
                for group in _read_ahead(reader):
                    with database.transaction(tenant, SYSTEM) as tx:
                        (answer,) = receipts.append(tx, group.parsed, settings.partitions)
                    if isinstance(answer, FinerError):
                        raise answer
                    tally.add(answer, group)
                    progress.update(task, completed=group.bytes_read)
                    backlog.wait()
            except FinerError as error:
                stopped = f"{file}: {error.detail}"
                break
            except KeyboardInterrupt:
                stopped = f"{file}: stopped by hand, so the rest was not read. Run it again: what is already there is "
                stopped += "recognised by its event id."
                break
            except DATABASE_GONE as error:
                stopped = f"{file}: the database went away, so the rest was not read. Run it again: what is already "
                stopped += f"there is recognised by its event id. {error}"
                break
    return tally.report(time.monotonic() - started, stopped)


def _reader(file: Path, contract: Contract, mapping: Mapping | None) -> Iterator[FileGroup]:
    try:
        # A pipe would be waited for, and is at its end when the file is opened again to be read.
        if file.exists() and not (file.is_file() or file.is_dir()):
            raise InvalidInput(f"{file} is a pipe or a device, and not a file. Nothing was taken in.")
        with file.open("rb"):
            return parsing.read_file(file, contract, mapping)
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {file}. Nothing was taken in.") from error
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}. Nothing was taken in.") from error


def _read_ahead(groups: Iterator[FileGroup]) -> Iterator[FileGroup]:
    """The same groups; a thread reads and checks the next one while this one is committed."""
    with ThreadPoolExecutor(1, thread_name_prefix="reader") as pool:
        following = pool.submit(next, groups, None)
        while (group := following.result()) is not None:
            following = pool.submit(next, groups, None)
            yield group


class _Backlog:
    """Holds a file back while the workers are too far behind, but only while they move: there may be none."""

    def __init__(self, connection: Connection, events_max: int) -> None:
        self._connection = connection
        self._events_max = events_max
        self._consumed = -1
        self._moved_at = 0.0

    def wait(self) -> None:
        while self._behind() > self._events_max and time.monotonic() - self._moved_at < _NO_WORKER_S:
            time.sleep(_LOOK_S)

    def _behind(self) -> int:
        consumed = sum(PostgresLog.consumed(self._connection, READER).values())
        if consumed != self._consumed:
            self._consumed, self._moved_at = consumed, time.monotonic()
        return sum(PostgresLog.heads(self._connection).values()) - consumed
