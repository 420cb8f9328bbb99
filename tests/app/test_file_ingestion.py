"""`finer ingest` without its command line: what is told of files, and how far it runs ahead of the workers."""

from __future__ import annotations

import gzip
import os
import signal
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.progress import Progress

from finer.app import file_ingestion
from finer.app.file_ingestion import FileReport, ingest_files
from finer.ingest.errors import UnknownContract, UnknownFileFormat
from finer.ingest.rules import files
from finer.ingest.service import receipts
from finer.ingest.types.receipts import READER
from finer.kit.actors import SYSTEM
from finer.kit.db import Database
from finer.kit.errors import InvalidInput, NotFound
from finer.kit.log import PostgresLog
from finer.kit.settings import Settings
from tests.ingest.records import line, lines


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of a few records."""
    monkeypatch.setattr(files, "CHUNK_BYTES", 2_000)


def _ingest(
    database: Database, tenant: uuid.UUID, *paths: Path, contract: str = "transaction", backlog: int = 10**9
) -> FileReport:
    return ingest_files(
        database, Settings(), tenant, contract, paths, backlog_events_max=backlog, progress=Progress(disable=True)
    )


def _received(database: Database, tenant: uuid.UUID) -> int:
    with database.transaction(tenant, SYSTEM) as tx:
        return sum(receipt.received for receipt in receipts.list_receipts(tx, limit=500).items)


@pytest.mark.usefixtures("small_chunks")
def test_every_record_of_several_files_is_accounted_for(database: Database, tenant: uuid.UUID, tmp_path: Path) -> None:
    first, second = tmp_path / "first.ndjson", tmp_path / "second.ndjson.gz"
    first.write_bytes(lines(100) + b"broken\n")
    second.write_bytes(gzip.compress(lines(50, 100) + line(amount=-1) + b"\n" + line(amount=-2)))
    report = _ingest(database, tenant, first, second)
    assert (report.received, report.accepted, report.quarantined, report.stopped) == (153, 150, 3, "")
    assert [(cause.field, cause.rule, cause.records) for cause in report.causes] == [
        ("amount", "range", 2),
        ("", "json", 1),
    ]
    assert len(report.receipts) > 2
    assert _received(database, tenant) == 153


@pytest.mark.usefixtures("small_chunks")
def test_a_truncated_file_is_taken_in_up_to_there_and_the_report_says_so(
    database: Database, tenant: uuid.UUID, tmp_path: Path
) -> None:
    file = tmp_path / "cut.ndjson.gz"
    # Not really compressed, so that it is known what stands before the cut; some bytes of it are gzip's own.
    file.write_bytes(gzip.compress(lines(2_000), 0)[:300_000])
    report = _ingest(database, tenant, file)
    assert report.accepted == lines(2_000)[: 300_000 - 100].count(b"\n")
    assert _received(database, tenant) == report.received == report.accepted
    assert "ends too early" in report.stopped
    assert str(file) in report.stopped


def test_nothing_is_taken_in_when_one_of_the_files_cannot_be(
    database: Database, tenant: uuid.UUID, tmp_path: Path
) -> None:
    good, folder = tmp_path / "good.ndjson", tmp_path / "folder.ndjson"
    good.write_bytes(lines(3))
    folder.mkdir()
    (tmp_path / "good.txt").write_bytes(lines(3))
    with pytest.raises(NotFound, match=r"There is no file .*none\.csv"):
        _ingest(database, tenant, good, tmp_path / "none.csv")
    with pytest.raises(InvalidInput, match="Is a directory"):
        _ingest(database, tenant, good, folder)
    os.mkfifo(tmp_path / "pipe.ndjson")
    with pytest.raises(InvalidInput, match="is a pipe"):
        _ingest(database, tenant, good, tmp_path / "pipe.ndjson")
    with pytest.raises(UnknownFileFormat, match=r"good\.txt"):
        _ingest(database, tenant, good, tmp_path / "good.txt")
    with pytest.raises(UnknownContract):
        _ingest(database, tenant, good, contract="nonsense")
    assert _received(database, tenant) == 0


class _Interrupted(Progress):
    """Somebody presses Ctrl-C when the first part of a file is there."""

    def update(self, *_: Any, **__: Any) -> None:
        # A shell that runs the tests in the background has Python ignore the signal itself.
        signal.default_int_handler(signal.SIGINT, None)


@pytest.mark.usefixtures("small_chunks")
def test_who_stops_it_by_hand_is_told_what_was_taken_in(database: Database, tenant: uuid.UUID, tmp_path: Path) -> None:
    path = tmp_path / "many.ndjson"
    path.write_bytes(lines(500))
    report = ingest_files(
        database, Settings(), tenant, "transaction", [path], backlog_events_max=10**9,
        progress=_Interrupted(disable=True),
    )  # fmt: skip
    assert 0 < report.received < 500
    assert report.received == _received(database, tenant)
    assert "many.ndjson: stopped by hand" in report.stopped


@pytest.fixture
def nobody_reads(worker_database: Database) -> Iterator[None]:
    """The pipeline has consumed the whole log."""
    _consume(worker_database)
    yield
    _consume(worker_database)


def _consume(worker_database: Database) -> int:
    """Move the pipeline to the end of the log, as a worker would; returns by how many events."""
    moved = 0
    with worker_database.transaction(uuid.UUID(int=0), SYSTEM) as tx:
        for position, (head, consumed) in PostgresLog.progress(tx.connection, READER).items():
            if head > consumed:
                PostgresLog.advance(tx, READER, position, consumed, head)
                moved += head - consumed
    return moved


@pytest.mark.usefixtures("small_chunks", "nobody_reads")
def test_a_file_never_runs_further_ahead_of_the_workers_than_allowed(
    database: Database, worker_database: Database, tenant: uuid.UUID, tmp_path: Path
) -> None:
    file = tmp_path / "long.ndjson"
    file.write_bytes(lines(1_000))
    found: list[FileReport] = []
    thread = threading.Thread(target=lambda: found.append(_ingest(database, tenant, file, backlog=20)))
    thread.start()
    behind = []
    while thread.is_alive():
        behind.append(_consume(worker_database))
        thread.join(0.01)
    assert found[0].accepted == 1_000
    # The group that passes the limit is the last one before the wait; a group is about 8 records here.
    assert 0 < max(behind) <= 20 + 10


@pytest.mark.usefixtures("small_chunks", "nobody_reads")
def test_a_file_does_not_wait_for_workers_that_are_not_there(
    database: Database, tenant: uuid.UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_ingestion, "_NO_WORKER_S", 0.2)
    file = tmp_path / "long.ndjson"
    file.write_bytes(lines(500))
    report = _ingest(database, tenant, file, backlog=1)
    assert report.accepted == 500
    assert report.seconds < 5
