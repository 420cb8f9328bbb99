"""Object storage: each content below a prefix once; what goes away is read again."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from finer.kit.db import Database
from finer.sources.errors import SettingsInvalid
from finer.sources.service import opening
from finer.sources.service.readers.objects import Objects
from finer.sources.types import Credentials, ItemState, ObjectSettings, Source, State
from tests.sources.conftest import Desk, made_desk
from tests.support.object_storage import ACCESS_KEY, REGION, SECRET_KEY, object_storage

KEY = Credentials(user=ACCESS_KEY, secret=SECRET_KEY)
LINES = "event_id,occurred_at,customer_id,amount\n"


@pytest.fixture(scope="module")
def storage() -> Iterator[str]:
    with object_storage() as address:
        yield address


@pytest.fixture
def bucket(storage: str) -> tuple[str, fs.S3FileSystem]:
    """A new bucket, and what writes to it."""
    name = f"bucket-{uuid.uuid4().hex[:8]}"
    system = fs.S3FileSystem(
        access_key=ACCESS_KEY, secret_key=SECRET_KEY, endpoint_override=storage.removeprefix("http://"), scheme="http",
        region=REGION, allow_bucket_creation=True,
    )  # fmt: skip
    system.create_dir(name)
    return name, system


@pytest.fixture
def desk(storage: str, database: Database, database_url: str, data_path: Path, tmp_path: Path) -> Desk:
    return made_desk(database, database_url, data_path, tmp_path, storage.removeprefix("http://"))


def _put(system: fs.S3FileSystem, path: str, content: bytes) -> None:
    with system.open_output_stream(path) as stream:
        stream.write(content)


def _rows(*numbers: int) -> bytes:
    return (LINES + "".join(f"e{number},2026-11-20T10:00:00Z,c,1\n" for number in numbers)).encode()


def _source(desk: Desk, storage: str, bucket: str, prefix: str = "in/") -> Source:
    settings = ObjectSettings(endpoint=storage, bucket=bucket, prefix=prefix)
    return desk.add(settings, credentials=KEY)


def test_objects_below_the_prefix_are_taken_once(desk: Desk, storage: str, bucket: tuple[str, fs.S3FileSystem]) -> None:
    name, system = bucket
    source = _source(desk, storage, name)
    _put(system, f"{name}/other/b.csv", _rows(9))
    # Below the prefix is nothing yet, or nothing any more: storage knows no folders, so that is no fault.
    now = desk.sweep(source)
    assert (now.received, now.state, now.error) == (0, State.RUNNING, "")
    _put(system, f"{name}/in/a.csv", _rows(1, 2))
    _put(system, f"{name}/in/copy.csv", _rows(1, 2))
    table = pa.table({"event_id": ["e3"], "occurred_at": ["2026-11-20T10:00:00Z"], "customer_id": ["c"], "amount": [1]})
    pq.write_table(table, f"{name}/in/deep/c.parquet", filesystem=system)
    now = desk.sweep(source, 2)
    assert sorted(record["event_id"] for record in desk.logged()) == ["e1", "e2", "e3"]
    assert (now.received, now.lag, now.state) == (3, 0, State.RUNNING)
    states = sorted(item.state.value for item in desk.items(source).values())
    assert states == ["done", "done", "same"]
    _put(system, f"{name}/in/a.csv", _rows(4))
    desk.sweep(source, 2)
    assert len(desk.logged()) == 4


@pytest.mark.parametrize("packed", ["gz", "zst"])
def test_packed_objects_are_read_as_they_are_stored(
    desk: Desk, storage: str, bucket: tuple[str, fs.S3FileSystem], packed: str
) -> None:
    name, system = bucket
    with system.open_output_stream(f"{name}/in/a.csv.{packed}", compression="detect") as stream:
        stream.write(_rows(1, 2, 3))
    now = desk.sweep(_source(desk, storage, name))
    assert (now.received, now.accepted, now.state, now.error) == (3, 3, State.RUNNING, "")


def test_storage_that_goes_away_in_mid_read_is_read_again(
    desk: Desk, storage: str, bucket: tuple[str, fs.S3FileSystem], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, system = bucket
    _put(system, f"{name}/in/a.csv", _rows(*range(2_000)))
    source = _source(desk, storage, name)
    whole = Objects.list

    def shorter(self: Objects) -> list[object]:
        # The listing and the object disagree: it was replaced, or the copy broke off.
        from dataclasses import replace

        monkeypatch.setattr(Objects, "list", whole)
        return [replace(one, size=one.size + 1) for one in whole(self)]

    monkeypatch.setattr(Objects, "list", shorter)
    now = desk.sweep(source)
    assert now.state is State.FAILING
    assert "bytes" in now.error
    now = desk.sweep(source)
    assert (now.received, now.state) == (2_000, State.RUNNING)
    assert {item.state for item in desk.items(source).values()} == {ItemState.DONE}


def test_a_bucket_that_is_not_there_is_said_so(desk: Desk, storage: str) -> None:
    now = desk.sweep(_source(desk, storage, "no-such-bucket"))
    assert now.state is State.FAILING
    assert "no-such-bucket" in now.error


def test_a_look_shows_the_newest_object(desk: Desk, storage: str, bucket: tuple[str, fs.S3FileSystem]) -> None:
    name, system = bucket
    _put(system, f"{name}/in/a.csv", _rows(1, 2))
    source = _source(desk, storage, name)
    assert opening.try_out(source, KEY, desk.surroundings()).accepted == 2
    assert desk.logged() == []


def test_e01_storage_inside_is_refused(desk: Desk, storage: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"minio\.example:9000 in FINER_SOURCES_HOSTS"):
        _source(desk, "http://minio.example:9000", "bucket")
    now = desk.sweep(_source(desk, "https://127.0.0.1:8443", "bucket"))
    assert now.state is State.STOPPED
    assert "inside a network" in now.error
