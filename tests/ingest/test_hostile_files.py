"""Files that somebody made to hurt, and files that reality made: each has a clear answer, none takes the machine."""

from __future__ import annotations

import io
import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finer.ingest.errors import UnreadableBody
from finer.ingest.rules.table_batches import table_batches
from finer.ingest.service import contracts, parsing, quarantine, receipts
from finer.ingest.store.decoding import Decoder
from finer.ingest.types.receipts import Receipt
from finer.ingest.types.records import Body, RefusedRecord
from finer.kit.errors import TooLarge
from finer.kit.tx import Tx
from tests.ingest.records import GOOD, line, lines

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HALF_A_GIGABYTE = 512 << 20


def parquet(rows: int = 100, **options: object) -> bytes:
    table = pa.table({name: [value] * rows for name, value in GOOD.items()})
    sink = io.BytesIO()
    pq.write_table(table, sink, use_dictionary=False, compression="zstd", **options)
    return sink.getvalue()


def stream(rows: int = 100) -> bytes:
    table = pa.table({name: [value] * rows for name, value in GOOD.items()})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return sink.getvalue()


def zigzag(value: int) -> bytes:
    """A number as Thrift's compact protocol writes it."""
    rest, found = value << 1, bytearray()
    while rest > 127:
        found.append(rest & 127 | 128)
        rest >>= 7
    found.append(rest)
    return bytes(found)


def lying_page(data: bytes) -> bytes:
    """The file, with a page whose header claims two gigabytes when unpacked."""
    metadata = pq.ParquetFile(io.BytesIO(data)).metadata
    column = metadata.row_group(0).column(metadata.num_columns - 1)
    start = column.data_page_offset
    # A header begins with its type (field 1) and the size of the page when unpacked (field 2), both numbers.
    assert data[start] == 0x15
    assert data[start + 2] == 0x15
    end = start + 3
    while data[end] & 128:
        end += 1
    big = zigzag(2**31 - 1 - 64)
    grown = len(big) - (end + 1 - start - 3)
    # The footer's places stay right, because the page is the last one before it; only its own length has to grow.
    footer = data[-8:-4]
    body = data[: start + 3] + big + data[end + 1 : -8 - int.from_bytes(footer, "little")]
    return body + data[len(body) - grown : -8] + footer + b"PAR1"


def lying_batch(data: bytes) -> bytes:
    """The stream, with a compressed buffer that claims two gigabytes when unpacked."""
    # Every compressed buffer begins with its unpacked length as eight bytes, before zstd's magic number.
    at = data.index(b"\x28\xb5\x2f\xfd") - 8
    return data[:at] + struct.pack("<q", 2**31 - 64) + data[at + 8 :]


@pytest.mark.parametrize(("kind", "data"), [("parquet", lying_page(parquet())), ("arrow", lying_batch(stream()))])
def test_d02_a_header_that_claims_gigabytes_ends_a_copy_and_nothing_else(kind: str, data: bytes) -> None:
    decoder = Decoder(memory_bytes_max=HALF_A_GIGABYTE)
    with pytest.raises((TooLarge, UnreadableBody)) as raised:
        list(decoder.batches(kind, io.BytesIO(data)))
    assert raised.value.detail.endswith(".")
    # The next file is read.
    assert sum(batch.num_rows for batch, _ in decoder.batches("parquet", io.BytesIO(parquet()))) == 100
    decoder.close()


def test_d02_the_limit_of_memory_is_one_of_the_operating_system() -> None:
    decoder = Decoder(memory_bytes_max=64 << 20)
    text = pa.array(["x" * 1_000_000 + str(i) for i in range(100)])
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, pa.schema([("text", pa.string())])) as writer:
        writer.write_batch(pa.record_batch([text], ["text"]))
    with pytest.raises(TooLarge, match="takes more than its 64 MB of memory"):
        list(decoder.batches("arrow", io.BytesIO(sink.getvalue())))
    assert sum(batch.num_rows for batch, _ in decoder.batches("parquet", io.BytesIO(parquet()))) == 100
    decoder.close()


def test_d02_a_hostile_body_is_refused_and_its_neighbour_is_taken() -> None:
    hostile, good = Body(data=lying_page(parquet()), format="parquet"), Body(data=parquet(3), format="parquet")
    group = parsing.parse_group(contracts.contract("transaction"), [hostile, good], NOW)
    assert isinstance(group.bodies[0].error, TooLarge | UnreadableBody)
    assert group.bodies[1].accepted == 3


def test_d02_a_process_that_was_ended_from_outside_is_replaced() -> None:
    before = {one.pid for one in psutil.Process().children()}
    decoder = Decoder()
    list(decoder.batches("parquet", io.BytesIO(parquet(1))))
    (child,) = [one for one in psutil.Process().children() if one.pid not in before]
    child.kill()
    child.wait(10)
    assert sum(batch.num_rows for batch, _ in decoder.batches("parquet", io.BytesIO(parquet(5)))) == 5
    decoder.close()


@settings(max_examples=40)
@given(place=st.integers(0, 100_000), value=st.integers(0, 255), kind=st.sampled_from(["parquet", "arrow"]))
def test_d02_one_wrong_byte_is_read_or_told(place: int, value: int, kind: str) -> None:
    data = bytearray(_SMALL[kind])
    data[place % len(data)] = value
    group = parsing.parse_group(contracts.contract("transaction"), [Body(data=bytes(data), format=kind)], NOW)
    result = group.bodies[0]
    assert result.error is not None or result.received == result.accepted + len(result.refused)


_SMALL = {"parquet": parquet(5), "arrow": stream(5)}


def test_the_process_with_limits_reads_what_the_library_reads() -> None:
    decoder = Decoder()
    for kind, data in (("parquet", parquet(3_000)), ("arrow", stream(3_000))):
        expected = pa.Table.from_batches([batch for batch, _ in table_batches(kind, io.BytesIO(data))])
        found = pa.Table.from_batches([batch for batch, _ in decoder.batches(kind, io.BytesIO(data))])
        assert found.equals(expected)
    decoder.close()


def read(path: Path, contract: str = "transaction") -> tuple[int, list[RefusedRecord]]:
    """How many records of a file are accepted, and what is refused of it."""
    accepted, refused = 0, list[RefusedRecord]()
    for group in parsing.read_file(path, contracts.contract(contract)):
        (result,) = group.parsed.bodies
        accepted += result.accepted
        refused += result.refused
    return accepted, refused


def test_d01_a_csv_of_a_million_columns_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_bytes(b"event_id," + b",".join(b"c%d" % i for i in range(1_000_000)) + b"\n" + b"x," * 1_000_000 + b"\n")
    started = time.process_time()
    with pytest.raises(UnreadableBody, match="The header of the CSV has 1,000,001 columns; at most"):
        read(path)
    assert time.process_time() - started < 10


def test_a_header_with_other_separators_is_told_that_cells_have_commas_between_them(tmp_path: Path) -> None:
    path = tmp_path / "payments.csv"
    for mark, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        path.write_text(f"event_id{mark}amount\ne1{mark}5\n")
        with pytest.raises(UnreadableBody, match=f"separated by commas, and not by {name}"):
            read(path)


def csv(**changes: str) -> bytes:
    record = {name: str(value) for name, value in GOOD.items()} | changes
    return ",".join(record.values()).encode() + b"\n"


HEADER = ",".join(GOOD).encode() + b"\n"


def test_lines_of_another_encoding_are_refused_and_the_others_taken(tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    broken = csv(event_id="e2", merchant_name="CAFE").replace(b"CAFE", "CAFÉ".encode("cp1252"))
    path.write_bytes(HEADER + csv(event_id="e1", merchant_name="CAFÉ") + broken + csv(event_id="e3"))
    accepted, [refused] = read(path)
    assert (accepted, refused.line, refused.errors[0].rule) == (2, 3, "invalid_utf8")
    assert "0xc9" in refused.errors[0].reason


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("suffix", ["csv", "ndjson", "json"])
def test_a_file_in_utf_16_is_told_with_its_encoding(tmp_path: Path, encoding: str, suffix: str) -> None:
    text = {"csv": (HEADER + csv()).decode(), "ndjson": line().decode(), "json": f"[{line().decode()}]"}[suffix]
    marks = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
    path = tmp_path / f"wide.{suffix}"
    path.write_bytes(marks.get(encoding, b"") + text.encode(encoding))
    with pytest.raises(UnreadableBody, match=r"is UTF-(16|32), and not UTF-8\. Write it as UTF-8"):
        read(path)
    body = Body(data=path.read_bytes(), format=suffix)
    assert isinstance(
        parsing.parse_group(contracts.contract("transaction"), [body], NOW).bodies[0].error, UnreadableBody
    )


def test_nul_bytes_are_refused_with_their_record(tmp_path: Path) -> None:
    path = tmp_path / "nul.csv"
    path.write_bytes(HEADER + csv(event_id="e1") + csv(event_id="e\0") + csv(event_id="e3"))
    accepted, [refused] = read(path)
    assert (accepted, refused.line) == (2, 3)
    path = tmp_path / "nul.ndjson"
    path.write_bytes(line(event_id="e1") + b"\n" + line(event_id="eX").replace(b"eX", b"e\0") + b"\n" + bytes(100))
    accepted, found = read(path)
    assert (accepted, [one.line for one in found]) == (1, [2, 3])


def test_a_file_whose_columns_change_in_the_middle_keeps_the_rows_that_fit(tmp_path: Path) -> None:
    path = tmp_path / "changed.csv"
    # The sender's new version begins in the same file: another header, one more column.
    path.write_bytes(HEADER + csv(event_id="e1") + HEADER[:-1] + b",loyalty\n" + csv(event_id="e2")[:-1] + b",gold\n")
    accepted, refused = read(path)
    assert (accepted, [one.errors[0].rule for one in refused]) == (1, ["columns", "columns"])
    assert "The record has 14 cells, and the header has 13" in refused[1].errors[0].reason
    changed = tmp_path / "changed.ndjson"
    changed.write_bytes(line(event_id="e1") + b"\n" + line(event_id="e2", amount={"value": 1}) + b"\n" + lines(1, 3))
    accepted, refused = read(changed)
    assert (accepted, [(one.line, one.errors[0].field) for one in refused]) == (2, [(2, "amount")])


def send(tx: Tx, path: Path) -> Receipt:
    (group,) = parsing.read_file(path, contracts.contract("transaction"))
    (receipt,) = receipts.append(tx, group.parsed, 1)
    assert isinstance(receipt, Receipt)
    return receipt


def test_g04_late_and_out_of_order_files_keep_their_times_and_the_future_is_refused(tx: Tx, tmp_path: Path) -> None:
    now = tx.now()
    moments = [now - timedelta(days=400), now, now - timedelta(days=1), now + timedelta(days=3)]
    path = tmp_path / "late.ndjson"
    path.write_bytes(
        b"\n".join(line(event_id=f"e{i}", occurred_at=f"{at:%Y-%m-%dT%H:%M:%SZ}") for i, at in enumerate(moments))
    )
    receipt = send(tx, path)
    assert (receipt.accepted, receipt.quarantined) == (3, 1)
    (record,) = quarantine.list_quarantined(tx).items
    assert (record.line, record.errors[0].field, record.errors[0].rule) == (4, "occurred_at", "timestamp_range")


def test_the_same_file_under_two_names_is_the_same_records(tmp_path: Path) -> None:
    content = lines(20).replace(b'"event_id": ', b'"x": ')  # without ids of their own
    ids = []
    for name in ("january.ndjson", "january (1).ndjson"):
        path = tmp_path / name
        path.write_bytes(content)
        (group,) = parsing.read_file(path, contracts.contract("transaction"))
        ids.append(group.parsed.batch.column("event_id").to_pylist())
    assert ids[0] == ids[1]
    assert len(ids[0]) == 20
