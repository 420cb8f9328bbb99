"""`finer ingest`: files of any size through the same contract, log and pipeline as every other record."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.progress import Progress

from finer.app.pipeline import CONSUMER
from finer.ingest import service as ingest
from finer.ingest.types import FileGroup, Mapping, Receipt
from finer.kit.actors import SYSTEM
from finer.kit.db import API, Connection, Database, connect
from finer.kit.errors import FinerError, NotFound
from finer.kit.ids import show_id
from finer.kit.log import PostgresLog
from finer.kit.settings import Settings


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

    def report(self, seconds: float) -> FileReport:
        causes = [
            Cause(field, rule, count, self.examples[field, rule]) for (field, rule), count in self.causes.most_common()
        ]
        return FileReport(self.received, self.accepted, self.quarantined, seconds, causes, self.receipts)


def ingest_files(
    database: Database,
    settings: Settings,
    tenant: uuid.UUID,
    contract: str,
    files: Sequence[Path],
    mapping: Path | None,
    progress: Progress,
) -> FileReport:
    """Take in the files one after the other. Raises NotFound for a file that cannot be read, before any is taken in."""
    for file in files:
        if not file.is_file():
            raise NotFound(f"There is no file {file}. Nothing was taken in.")
    ingest.contract(contract)
    chosen: Mapping | None = None if mapping is None else ingest.load_mapping(mapping, contract)
    tally = _Tally()
    started = time.monotonic()
    with connect(database.url, API, name="finer-ingest") as watcher:
        for file in files:
            task = progress.add_task(file.name, total=file.stat().st_size)
            for group in ingest.read_file(file, contract, chosen):
                with database.transaction(tenant, SYSTEM) as tx:
                    (answer,) = ingest.append(tx, contract, group.parsed, settings.partitions)
                if isinstance(answer, FinerError):
                    raise answer
                tally.add(answer, group)
                progress.update(task, completed=group.bytes_read)
                _wait_for_workers(watcher, settings)
    return tally.report(time.monotonic() - started)


def _wait_for_workers(connection: Connection, settings: Settings) -> None:
    """Hold back while the workers are too far behind, but only while they move: there may be none."""
    last = -1
    while True:
        consumed = PostgresLog.consumed(connection, CONSUMER)
        done = sum(consumed.values())
        behind = sum(PostgresLog.heads(connection).values()) - done
        if behind <= settings.backlog_events_max or done == last:
            return
        last = done
        time.sleep(0.25)
