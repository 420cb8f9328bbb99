"""A watched folder: every content once, whatever happens to names, times, readers and files."""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finer.app.source_run import SourceRun
from finer.ingest.errors import MappingInvalid
from finer.kit.actors import SYSTEM
from finer.kit.db import Database
from finer.sources.errors import SettingsInvalid
from finer.sources.service import manage, opening, upkeep
from finer.sources.types import Credentials, FolderSettings, ItemState, KafkaSettings, Page, State
from tests.sources.conftest import Desk

HEAD = "event_id,occurred_at,customer_id,amount,currency\n"


def _line(number: int, amount: str = "1.50") -> str:
    return f"e{number},2026-11-20T10:00:00Z,c1,{amount},USD\n"


def _write(path: Path, *numbers: int, age_s: float = 60) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + "".join(_line(number) for number in numbers))
    _age(path, age_s)
    return path


def _age(path: Path, age_s: float) -> None:
    at = time.time() - age_s
    os.utime(path, (at, at))


def _ids(desk: Desk) -> list[str]:
    return [record["event_id"] for record in desk.logged()]


def test_files_of_all_formats_are_taken_once_and_oldest_first(desk: Desk) -> None:
    source = desk.add(FolderSettings(folder=str(desk.folder)))
    _write(desk.folder / "b.csv", 3, age_s=100)
    _write(desk.folder / "deep/er/a.csv", 1, 2, age_s=200)
    lines = b"".join(
        b'{"event_id": "e%d", "occurred_at": "2026-11-20T10:00:00Z", "customer_id": "c", "amount": 1}\n' % number
        for number in (4, 5)
    )
    (desk.folder / "c.ndjson.gz").write_bytes(gzip.compress(lines))
    table = pa.table(
        {"event_id": ["e6"], "occurred_at": ["2026-11-20T10:00:00Z"], "customer_id": ["c"], "amount": ["2"]}
    )
    pq.write_table(table, desk.folder / "d.parquet")
    _age(desk.folder / "c.ndjson.gz", 90)
    _age(desk.folder / "d.parquet", 80)
    now = desk.sweep(source)
    assert _ids(desk) == ["e1", "e2", "e3", "e4", "e5", "e6"]
    assert (now.received, now.accepted, now.quarantined, now.lag, now.state) == (6, 6, 0, 0, State.RUNNING)
    assert now.last_record_at is not None
    assert {item.state for item in desk.items(source).values()} == {ItemState.DONE}
    desk.sweep(source, 3)
    assert len(_ids(desk)) == 6


def test_a_file_that_comes_late_is_taken_and_stands_behind_what_came_before(desk: Desk) -> None:
    source = desk.add(FolderSettings(folder=str(desk.folder)))
    _write(desk.folder / "2026-11-20.csv", 3, 4, age_s=100)
    desk.sweep(source)
    late = desk.folder / "2026-11-19.csv"
    late.write_text(HEAD + "e1,2026-11-19T10:00:00Z,c1,1.50,USD\ne2,2026-11-19T09:00:00Z,c1,1.50,USD\n")
    _age(late, 86_400)
    now = desk.sweep(source)
    assert _ids(desk) == ["e3", "e4", "e1", "e2"]
    assert (now.accepted, now.quarantined) == (4, 0)
    # The newest record of the source stays the newest, whatever comes late.
    assert now.last_record_at is not None
    assert now.last_record_at.isoformat() == "2026-11-20T10:00:00+00:00"


def test_a_trial_looks_past_a_file_that_cannot_be_read(desk: Desk) -> None:
    source = desk.add(FolderSettings(folder=str(desk.folder)))
    (desk.folder / "a.csv").write_text("")
    _age(desk.folder / "a.csv", 100)
    found = opening.try_out(source, Credentials(), desk.surroundings())
    assert (found.received, found.notes) == (0, ["a.csv: The file is empty."])
    _write(desk.folder / "b.csv", 1, 2, age_s=200)
    found = opening.try_out(source, Credentials(), desk.surroundings())
    assert (found.received, found.accepted, found.notes) == (2, 2, ["a.csv: The file is empty."])
    assert _ids(desk) == []


def test_the_same_content_under_another_name_is_taken_once_and_said_so(desk: Desk) -> None:
    source = desk.add(FolderSettings(folder=str(desk.folder)))
    first = _write(desk.folder / "a.csv", 1, 2, age_s=100)
    (desk.folder / "copy of a.csv").write_bytes(first.read_bytes())
    _age(desk.folder / "copy of a.csv", 90)
    desk.sweep(source)
    first.rename(desk.folder / "moved.csv")
    desk.sweep(source)
    assert _ids(desk) == ["e1", "e2"]
    items = desk.items(source)
    assert items["copy of a.csv"].state is ItemState.SAME
    assert "same content as a.csv" in items["copy of a.csv"].note
    assert items["moved.csv"].state is ItemState.SAME
    assert any("copy of a.csv" in note and "a.csv" in note for note in desk.notes(source))
    _age(desk.folder / "moved.csv", 10)
    desk.sweep(source)
    assert _ids(desk) == ["e1", "e2"]


def test_a_file_that_is_still_being_written_waits(desk: Desk) -> None:
    source = desk.add(FolderSettings(folder=str(desk.folder), settle_s=30))
    growing = _write(desk.folder / "a.csv", 1, age_s=1)
    _write(desk.folder / "b.csv.part", 7)
    _write(desk.folder / ".hidden.csv", 8)
    now = desk.sweep(source)
    assert (_ids(desk), now.lag, now.lag_unit) == ([], 1, "files")
    _write(growing, 1, 2, age_s=60)
    assert desk.sweep(source).lag == 0
    assert _ids(desk) == ["e1", "e2"]


def test_a_new_content_under_an_old_name_is_taken_too(desk: Desk) -> None:
    source = desk.add(FolderSettings(folder=str(desk.folder)))
    _write(desk.folder / "daily.csv", 1)
    desk.sweep(source)
    _write(desk.folder / "daily.csv", 2, 3, age_s=30)
    desk.sweep(source)
    assert _ids(desk) == ["e1", "e2", "e3"]


def test_a_broken_file_is_said_so_and_holds_nothing_up(desk: Desk) -> None:
    source = desk.add(FolderSettings(folder=str(desk.folder)))
    (desk.folder / "a.parquet").write_bytes(b"PAR1 this is none")
    (desk.folder / "b.gz").write_bytes(b"")
    (desk.folder / "c.json").write_bytes(
        b'[{"event_id": "x1", "occurred_at": "2026-11-20T10:00:00Z", "customer_id": "c", "amo'
    )
    _write(desk.folder / "d.csv", 1)
    (desk.folder / "e.csv").write_text(HEAD + _line(2) + _line(3, "-4") + _line(4, "x"))
    for place, name in enumerate(["a.parquet", "b.gz", "c.json", "d.csv", "e.csv"]):
        _age(desk.folder / name, 100 - place)
    now = desk.sweep(source)
    items = desk.items(source)
    assert items["a.parquet"].state is items["b.gz"].state is ItemState.FAILED
    assert "cannot be read" in items["a.parquet"].note
    assert "tells no format" in items["b.gz"].note
    assert (items["e.csv"].accepted, items["e.csv"].quarantined) == (1, 2)
    assert _ids(desk) == ["e1", "e2"]
    assert now.state is State.RUNNING
    assert now.received == now.accepted + now.quarantined


def test_reading_goes_on_exactly_where_it_was_cut_off(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    source = desk.add(FolderSettings(folder=str(desk.folder)))
    path = desk.folder / "large.csv"
    path.write_text(HEAD + "".join(_line(number) for number in range(5_000)))
    _age(path, 60)
    monkeypatch.setattr("finer.ingest.rules.files.CHUNK_BYTES", 40_000)
    died = _dies_after(monkeypatch, pages=2)
    now = desk.sweep(source)
    assert died()
    assert 0 < now.received < 5_000
    assert desk.items(source)["large.csv"].state is ItemState.READING
    assert desk.items(source)["large.csv"].records == now.received
    now = desk.sweep(source)
    assert _ids(desk) == [f"e{number}" for number in range(5_000)]
    assert (now.received, desk.items(source)["large.csv"].records) == (5_000, 5_000)


def _dies_after(monkeypatch: pytest.MonkeyPatch, pages: int) -> Callable[[], bool]:
    """The disk goes away in mid-read, once."""
    from finer.sources.service.readers.files import FileReader

    whole, left = FileReader.sweep, [pages]

    def sweep(self: FileReader) -> Iterator[Page]:
        for page in whole(self):
            yield page
            left[0] -= 1
            if left[0] == 0:
                raise OSError(5, "Input/output error")

    monkeypatch.setattr(FileReader, "sweep", sweep)
    return lambda: left[0] <= 0


def test_a_paused_source_takes_nothing_and_resumes(desk: Desk) -> None:
    source = desk.add(FolderSettings(folder=str(desk.folder)))
    _write(desk.folder / "a.csv", 1)
    desk.sweep(source)
    _write(desk.folder / "b.csv", 2)
    reader = desk.run(source)
    with desk.firm.tx() as tx:
        assert manage.find(tx, source.id).lag == 0
        paused = manage.pause(tx, source.id)
    # While nobody looks, nobody knows what waits.
    assert (paused.state, paused.lag) == (State.PAUSED, None)
    reader.run(sweeps=1)
    assert _ids(desk) == ["e1"]
    with desk.firm.tx() as tx:
        manage.resume(tx, source.id)
    desk.sweep(source)
    assert _ids(desk) == ["e1", "e2"]


def test_a_reader_that_was_thought_dead_writes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    source = desk.add(FolderSettings(folder=str(desk.folder)))
    _write(desk.folder / "a.csv", 1)
    late = desk.run(source)
    whole = SourceRun._sweep

    def overtaken(self: SourceRun, *arguments: object) -> None:
        if self is late:
            monkeypatch.setattr(SourceRun, "_sweep", whole)
            desk.sweep(source)
        whole(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(SourceRun, "_sweep", overtaken)
    late.run(sweeps=1)
    assert _ids(desk) == ["e1"]
    assert desk.now(source).received == 1


def test_a_backfill_takes_files_again_under_the_same_event_ids(desk: Desk) -> None:
    source = desk.add(FolderSettings(folder=str(desk.folder)))
    _write(desk.folder / "a.csv", 1)
    desk.sweep(source)
    with desk.firm.tx() as tx:
        manage.backfill(tx, source.id, "2100-01-01T00:00:00Z")
    desk.sweep(source)
    assert _ids(desk) == ["e1"]
    with desk.firm.tx() as tx:
        manage.backfill(tx, source.id, "")
    desk.sweep(source)
    assert _ids(desk) == ["e1", "e1"]


def test_a_mapping_makes_records_of_foreign_columns(desk: Desk) -> None:
    mapping = """
types: {id: integer, who: string, when: local_timestamp, cents: integer}
timezone: Asia/Manila
columns:
  event_id: {join: [who, id], with: "-"}
  customer_id: who
  occurred_at: when
  amount: cents / 100
  currency: "'PHP'"
"""
    source = desk.add(FolderSettings(folder=str(desk.folder), pattern="*.csv"), mapping=mapping)
    (desk.folder / "a.csv").write_text("id,who,when,cents\n7,ann,2026-11-20T10:00:00,1250\n8,bob,nonsense,3\n")
    _write(desk.folder / "b.ndjson", 1)
    _age(desk.folder / "a.csv", 60)
    now = desk.sweep(source)
    [record] = desk.logged()
    assert (record["event_id"], record["amount_minor"], record["occurred_at"].hour) == ("ann-7", 1250, 2)
    assert (now.accepted, now.quarantined) == (1, 1)


_TYPES = "types: {id: string, when: timestamp, cents: integer}"
_COLUMNS = """
columns:
  event_id: id
  customer_id: id
  occurred_at: when
  amount: {amount}
"""
_KAFKA = KafkaSettings(brokers="kafka.example:9093", topic="payments")


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        ("dollars / 100", "dollars"),
        ("cents + id", "needs a number"),
        ("cents /", "is missing"),
        ("no_such(cents)", "no_such"),
    ],
)
@pytest.mark.parametrize("pattern", ["*.csv", "daily-*.jsonl.gz", ""])
def test_a_mapping_that_cannot_work_is_refused_when_it_is_saved(
    desk: Desk, pattern: str, amount: str, reason: str
) -> None:
    settings = FolderSettings(folder=str(desk.folder), pattern=pattern) if pattern else _KAFKA
    credentials = Credentials(user="u", secret="s")
    with pytest.raises(MappingInvalid, match=r"columns\.amount") as refused:
        desk.add(settings, mapping=_TYPES + _COLUMNS.format(amount=amount), credentials=credentials)
    assert reason in str(refused.value)
    desk.add(settings, mapping=_TYPES + _COLUMNS.format(amount="cents / 100"), credentials=credentials)


def test_a_mapping_of_columns_with_types_of_their_own_is_saved(desk: Desk) -> None:
    mapping = _COLUMNS.format(amount="dollars / 100")
    for pattern in ("*.parquet", "*"):
        desk.add(FolderSettings(folder=str(desk.folder), pattern=pattern), mapping=mapping)


@pytest.mark.parametrize("folder", ["/etc", "/", "relative", "{root}/../..", "{root}-other", "\0", "{root}/link"])
def test_e01_only_folders_of_the_firm_can_be_watched(desk: Desk, folder: str) -> None:
    (desk.folder / "link").symlink_to("/etc")
    with pytest.raises(SettingsInvalid, match=r"FINER_SOURCES_FOLDERS|no folder"):
        desk.add(FolderSettings(folder=folder.replace("{root}", str(desk.folder))))


def test_e01_links_lead_nowhere(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    _write(outside / "secret.csv", 666)
    (desk.folder / "link.csv").symlink_to(outside / "secret.csv")
    (desk.folder / "folder").symlink_to(outside, target_is_directory=True)
    os.mkfifo(desk.folder / "pipe.csv")
    source = desk.add(FolderSettings(folder=str(desk.folder)))
    assert desk.sweep(source).received == 0
    # A folder that becomes a link between the listing and the opening.
    from finer.kit.clock import SystemClock
    from finer.sources.errors import SourceFailed
    from finer.sources.service.readers.folder import Folder

    _write(desk.folder / "real/secret.csv", 1)
    files = Folder(desk.folder, FolderSettings(folder=str(desk.folder)), SystemClock())
    [listed] = files.list()
    (desk.folder / "real/secret.csv").unlink()
    (desk.folder / "real").rmdir()
    (desk.folder / "real").symlink_to(outside, target_is_directory=True)
    with pytest.raises(SourceFailed), files.open(listed, whole=True):
        pass


def test_a_file_that_went_long_ago_is_forgotten_and_one_of_a_source_that_rested_is_not(
    desk: Desk, worker_database: Database
) -> None:
    source = desk.add(FolderSettings(folder=str(desk.folder)))
    gone, _ = _write(desk.folder / "gone.csv", 1), _write(desk.folder / "kept.csv", 2)
    desk.sweep(source)
    gone.unlink()

    def forget() -> set[str]:
        with worker_database.transaction(desk.firm.tenant.id, SYSTEM) as tx:
            upkeep.forget_old(tx)
        return set(desk.items(source))

    with desk.firm.tx() as tx:
        tx.connection.exec_driver_sql(
            "update sources_items set seen_at = seen_at - interval '1 year' where tenant_id = %s", (tx.tenant,)
        )
    assert forget() == {"gone.csv", "kept.csv"}
    desk.sweep(source)
    assert forget() == {"kept.csv"}
    assert desk.sweep(source).accepted == 2
