"""A real Kafka: offsets live with the records, so nothing is taken twice or lost, whatever dies."""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from finer.ingest.service import quarantine
from finer.kit.db import Database
from finer.sources.errors import SettingsInvalid
from finer.sources.rules.hosts import pairs_of, written_brokers
from finer.sources.service import manage, opening
from finer.sources.types import KafkaFormat, KafkaSecurity, KafkaSettings, Source, State
from tests.sources.conftest import Desk, made_desk
from tests.support.kafka import make_topic, missing, running_kafka
from tests.support.server import free_port

_REASON = missing()
pytestmark = pytest.mark.skipif(bool(_REASON) and not os.environ.get("CI"), reason=_REASON or "never")


@pytest.fixture(scope="session")
def brokers() -> Iterator[str]:
    assert not _REASON, _REASON
    with running_kafka() as address:
        yield address


@pytest.fixture
def desk(brokers: str, database: Database, database_url: str, data_path: Path, tmp_path: Path) -> Desk:
    return made_desk(database, database_url, data_path, tmp_path, brokers)


@pytest.fixture
def topic(brokers: str) -> str:
    return make_topic(brokers, f"t-{uuid.uuid4().hex[:10]}")


@pytest.fixture
def send(brokers: str, topic: str) -> Callable[..., None]:
    """Send messages to a partition and wait until they are there."""
    producer = Producer({"bootstrap.servers": brokers})

    def send(*values: bytes | None, partition: int = 0) -> None:
        for value in values:
            producer.produce(topic, value, partition=partition)
        assert producer.flush(10) == 0

    return send


def _settings(brokers: str, topic: str, **more: Any) -> KafkaSettings:
    return KafkaSettings(brokers=brokers, topic=topic, group=f"g-{topic}", security=KafkaSecurity.PLAINTEXT, **more)


def _record(number: int, **more: Any) -> bytes:
    record = {"event_id": f"e{number}", "occurred_at": "2026-11-20T10:00:00Z", "customer_id": "c", "amount": 2}
    return msgspec.json.encode(record | more)


def _ids(desk: Desk) -> list[str]:
    return sorted((record["event_id"] for record in desk.logged()), key=lambda one: int(one[1:]))


def _until(desk: Desk, source: Source, records: int, sweeps: int = 40) -> Source:
    """Read on until so many records came: joining a group takes a few sweeps."""
    for _ in range(sweeps):
        now = desk.sweep(source, 4)
        if now.received >= records or now.state is not State.RUNNING:
            return now
    raise AssertionError(f"{now.received} records of {records} came: {now.error}")


def test_records_come_once_and_in_order_however_often_the_reader_dies(
    desk: Desk, brokers: str, topic: str, send: Callable[..., None]
) -> None:
    source = desk.add(_settings(brokers, topic))
    send(*(_record(number) for number in range(0, 100, 2)))
    send(*(_record(number) for number in range(1, 100, 2)), partition=1)
    now = _until(desk, source, 100)
    # The second reader begins where the first one stopped, by our positions and not by Kafka's.
    send(_record(100), _record(101))
    now = _until(desk, source, 102)
    assert _ids(desk) == [f"e{number}" for number in range(102)]
    assert (now.received, now.lag, now.lag_unit) == (102, 0, "messages")
    # The group at Kafka has heard of it.
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": f"g-{topic}"})
    [committed] = consumer.committed([TopicPartition(topic, 0)], timeout=10)
    consumer.close()
    assert committed.offset >= 50


def test_what_was_not_committed_is_read_again(
    desk: Desk, brokers: str, topic: str, send: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = desk.add(_settings(brokers, topic))
    send(_record(1), _record(2))
    from finer.sources.service import taking

    whole = taking.take

    def lost(tx: Any, reading: Any, page: Any, partitions: int) -> Any:
        taken = whole(tx, reading, page, partitions)
        if page.groups:
            monkeypatch.setattr(taking, "take", whole)
            raise RuntimeError("the process dies before the commit")
        return taken

    monkeypatch.setattr(taking, "take", lost)
    for _ in range(20):
        if desk.sweep(source, 4).state is State.FAILING:
            break
    assert _ids(desk) == []
    with desk.firm.tx() as tx:
        manage.resume(tx, source.id)
        manage.pause(tx, source.id)
        manage.resume(tx, source.id)
    _until(desk, source, 2)
    assert _ids(desk) == ["e1", "e2"]


def test_poison_goes_to_quarantine_with_its_place(
    desk: Desk, brokers: str, topic: str, send: Callable[..., None]
) -> None:
    source = desk.add(_settings(brokers, topic))
    pretty = msgspec.json.format(_record(2), indent=2)
    send(_record(1), b"not json", pretty, b"\xff\xfe", None, _record(3, amount=-5), b"[1]", _record(4))
    now = _until(desk, source, 7)
    assert _ids(desk) == ["e1", "e2", "e4"]
    assert (now.accepted, now.quarantined) == (3, 4)
    with desk.firm.tx() as tx:
        kept = quarantine.list_quarantined(tx, limit=10).items
    assert sorted(record.line for record in kept) == [1, 3, 5, 6]
    assert any(note.endswith("that are empty and hold no record: 1.") for note in desk.notes(source))
    assert _positions(desk, source) == {f"{topic}/0": {"offset": 8}, f"{topic}/1": {"offset": 0}}


def _positions(desk: Desk, source: Source) -> dict[str, Any]:
    return desk.run(source).positions()


def test_batches_of_lines_and_of_arrow_are_read(desk: Desk, brokers: str) -> None:
    lines, arrow = (make_topic(brokers, f"b-{uuid.uuid4().hex[:8]}", 1) for _ in range(2))
    producer = Producer({"bootstrap.servers": brokers})
    producer.produce(lines, b"\n".join([_record(1), b"", b"broken", _record(2)]))
    producer.produce(lines, _record(3))
    table = pa.table(
        {
            "event_id": ["e4", "e5"],
            "occurred_at": ["2026-11-20T10:00:00Z"] * 2,
            "customer_id": ["c"] * 2,
            "amount": [1, 0],
        }
    )
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    bomb = io.BytesIO()
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 200_000, pa.int32()), pa.array(["x" * 2000]))
    batch = pa.record_batch([text, text, text], names=["event_id", "customer_id", "occurred_at"])
    with pa.ipc.new_stream(bomb, batch.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_batch(batch)
    assert len(bomb.getvalue()) < 900_000
    for value in (sink.getvalue(), b"no arrow", bomb.getvalue(), sink.getvalue()):
        producer.produce(arrow, value)
    assert producer.flush(10) == 0
    first = desk.add(_settings(brokers, lines, format=KafkaFormat.NDJSON))
    now = _until(desk, first, 4)
    assert (now.accepted, now.quarantined) == (3, 1)
    second = desk.add(_settings(brokers, arrow, format=KafkaFormat.ARROW))
    now = _until(desk, second, 6)
    assert (now.accepted, now.quarantined) == (2, 4)
    assert now.received == now.accepted + now.quarantined
    with desk.firm.tx() as tx:
        kept = quarantine.list_quarantined(tx, limit=500).items
    unreadable = [record for record in kept if record.errors[0].rule == "unreadable"]
    assert sorted(record.line for record in unreadable) == [1, 2]
    assert any("more than 128 MiB" in record.errors[0].reason for record in unreadable)
    assert _positions(desk, second) == {f"{arrow}/0": {"offset": 4}}


def test_a_backfill_begins_at_a_moment_or_at_the_earliest(
    desk: Desk, brokers: str, topic: str, send: Callable[..., None]
) -> None:
    source = desk.add(_settings(brokers, topic, begin="latest"))
    send(_record(1))
    for _ in range(10):
        if _positions(desk, desk.sweep(source, 4)):
            break
    assert _positions(desk, source)[f"{topic}/0"] == {"offset": 1}
    send(_record(2))
    _until(desk, source, 1)
    assert _ids(desk) == ["e2"]
    with desk.firm.tx() as tx:
        ahead = datetime.now(UTC) + timedelta(days=1)
        assert manage.backfill(tx, source.id, ahead.isoformat()).backfill
    for _ in range(10):
        if not desk.sweep(source, 4).backfill:
            break
    assert _ids(desk) == ["e2"]
    with desk.firm.tx() as tx:
        manage.backfill(tx, source.id, "")
    _until(desk, source, 3)
    assert _ids(desk) == ["e1", "e2", "e2"]
    assert desk.now(source).backfill == ""


def test_a_look_takes_nothing_and_joins_no_group(
    desk: Desk, brokers: str, topic: str, send: Callable[..., None]
) -> None:
    source = desk.add(_settings(brokers, topic))
    send(_record(1), b"broken")
    with desk.firm.tx() as tx:
        credentials = manage.credentials_of(tx, source.id)
    found = opening.try_out(source, credentials, desk.surroundings())
    assert (found.received, found.accepted, found.quarantined) == (2, 1, 1)
    assert found.problems
    assert {one.field for one in found.records[0]} >= {"event_id", "amount_minor"}
    assert _ids(desk) == []
    assert desk.now(source).received == 0


def test_a_topic_that_is_not_there_stops_the_source(desk: Desk, brokers: str) -> None:
    source = desk.add(_settings(brokers, "nothing-here"))
    now = desk.sweep(source)
    assert now.state is State.STOPPED
    assert "topic" in now.error


def test_a_broker_that_is_gone_is_tried_again(
    database: Database, database_url: str, data_path: Path, tmp_path: Path
) -> None:
    port = free_port()
    desk = made_desk(database, database_url, data_path, tmp_path, f"127.0.0.1:{port}")
    now = desk.sweep(desk.add(_settings(f"127.0.0.1:{port}", "t")))
    assert now.state is State.FAILING
    assert now.next_try_at is not None
    assert now.failures == 1


def test_e01_brokers_inside_are_refused(
    database: Database, database_url: str, data_path: Path, tmp_path: Path, brokers: str
) -> None:
    desk = made_desk(database, database_url, data_path, tmp_path, "")
    with pytest.raises(SettingsInvalid, match="FINER_SOURCES_HOSTS"):
        desk.add(_settings(brokers, "t"))
    source = desk.add(KafkaSettings(brokers=brokers, topic="t", security=KafkaSecurity.SSL))
    now = desk.sweep(source)
    assert now.state is State.STOPPED
    assert "leads inside a network" in now.error


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (" A.example:9093 ,b.example:9094", "a.example:9093,b.example:9094"),
        ("[2001:DB8::1]:9093", "[2001:db8::1]:9093"),
        ("2001:db8::1:9093", "[2001:db8::1]:9093"),
    ],
)
def test_e01_the_library_gets_the_addresses_that_were_looked_at(given: str, written: str) -> None:
    assert written_brokers(pairs_of(given)) == written
    assert pairs_of(written) == pairs_of(given)


def test_e01_a_cluster_cannot_send_us_to_brokers_inside(
    database: Database, database_url: str, data_path: Path, tmp_path: Path, brokers: str, topic: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    # The address that is listed answers; the brokers that it names are others.
    from finer.sources.service import reach

    asked: list[str] = []
    whole = reach.Reach.address_of

    def noted(self: reach.Reach, host: str, port: int) -> str:
        asked.append(f"{host}:{port}")
        return whole(self, host, port)

    monkeypatch.setattr(reach.Reach, "address_of", noted)
    desk = made_desk(database, database_url, data_path, tmp_path, brokers.replace("127.0.0.1", "localhost"))
    source = desk.add(_settings(brokers.replace("127.0.0.1", "localhost"), topic))
    now = desk.sweep(source)
    assert now.state is State.STOPPED
    assert "127.0.0.1" in now.error
    assert asked[-1] == brokers
