"""Files of any size and foreign shape: the same records as a body, in bounded pieces."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
import zstandard

from finer.ingest.errors import MappingInvalid, UnreadableBody
from finer.ingest.rules import files
from finer.ingest.service import contracts, parsing
from finer.ingest.types.records import Mapping, RefusedRecord
from finer.kit.clock import FixedClock
from finer.kit.errors import FinerError
from tests.ingest.records import GOOD, line, lines

CLOCK = FixedClock(datetime(2026, 11, 20, 12, tzinfo=UTC))


def _read(
    path: Path, contract: str = "transaction", mapping: Mapping | None = None
) -> tuple[pa.Table, list[RefusedRecord]]:
    batches, refused, rows = [], [], 0
    for group in parsing.read_file(path, contracts.contract(contract), mapping, clock=CLOCK):
        (result,) = group.parsed.bodies
        assert result.received == result.accepted + len(result.refused)
        assert result.accepted == group.parsed.batch.num_rows
        rows += result.received
        assert group.rows_read == rows
        assert group.bytes_read <= group.bytes_total == path.stat().st_size
        batches.append(group.parsed.batch)
        refused += result.refused
    return pa.Table.from_batches(batches, contracts.contract(contract).schema), refused


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks so small that records lie across them."""
    monkeypatch.setattr(files, "CHUNK_BYTES", 100)


def _bodies() -> dict[str, bytes]:
    records = [json.loads(line(event_id=f"e{i}", merchant_name=f'Shop "{i}",\nand é')) for i in range(40)]
    frame = pl.DataFrame(records)
    bad = b'{"event_id": 5}\n'
    return {
        "a.ndjson": b"\xef\xbb\xbf" + b"".join(json.dumps(one).encode() + b"\n" for one in records[:20]) + b"\n" + bad
        + b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in records[20:])[:-1],
        "a.json": b" \n[" + b" ,\n ".join(json.dumps(one, indent=1).encode() for one in records) + b"] ",
        "a.csv": frame.write_csv().encode(),
    }  # fmt: skip


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
@pytest.mark.parametrize("name", ["a.ndjson", "a.json", "a.csv"])
def test_text_files_in_pieces_give_what_the_body_gives(tmp_path: Path, name: str, packing: str) -> None:
    data = _bodies()[name]
    path = tmp_path / (name + packing)
    path.write_bytes({"": data, ".gz": gzip.compress(data), ".zst": zstandard.compress(data)}[packing])
    found, refused = _read(path)
    assert found.column("event_id").to_pylist() == [f"e{i}" for i in range(40)]
    assert found.column("merchant_name")[7].as_py() == 'Shop "7",\nand é'
    assert [record.line for record in refused] == ([22] if name == "a.ndjson" else [])


@pytest.mark.parametrize("packing", ["gz", "zst"])
def test_what_stands_before_the_break_of_a_packed_file_is_kept(tmp_path: Path, packing: str) -> None:
    data = b"".join(line(event_id=f"e{i}", merchant_name=uuid.UUID(int=i * 7**40).hex) + b"\n" for i in range(20_000))
    packed = gzip.compress(data) if packing == "gz" else zstandard.compress(data)
    path = tmp_path / f"a.ndjson.{packing}"
    path.write_bytes(packed[: len(packed) // 2])
    groups = parsing.read_file(path, contracts.contract("transaction"), clock=CLOCK)
    ids: list[str] = []
    with pytest.raises(UnreadableBody, match="ends too early"):  # noqa: PT012 - what comes before it is what counts
        for group in groups:
            ids += group.parsed.batch.column("event_id").to_pylist()
    assert len(ids) > 5_000
    assert ids == [f"e{i}" for i in range(len(ids))]


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_packed_bomb_is_unpacked_in_pieces(packing: str) -> None:
    zeros = bytes(256 << 20)
    bomb = files.Unpacked(
        io.BytesIO(gzip.compress(zeros, 1) if packing == "gzip" else zstandard.compress(zeros)), packing
    )
    found = 0
    tracemalloc.start()
    while part := bomb.read(1 << 20):
        found += len(part)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == len(zeros)
    assert peak < 160 << 20


class _Ticking:
    """A clock that is an hour later at every look."""

    def __init__(self) -> None:
        self.looks = 0

    def now(self) -> datetime:
        self.looks += 1
        return CLOCK.now() + timedelta(hours=self.looks)


@pytest.mark.usefixtures("small_chunks")
def test_every_group_is_received_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "long.ndjson"
    path.write_bytes(lines(5))
    clock = _Ticking()
    moments = []
    for group in parsing.read_file(path, contracts.contract("transaction"), clock=clock):
        (column,) = {moment.as_py() for moment in group.parsed.batch.column("received_at")}
        assert column == group.parsed.received_at
        moments.append(column)
    assert len(moments) > 2
    assert moments == sorted(set(moments))


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_table_files_are_read_in_batches(tmp_path: Path, name: str) -> None:
    frame = pl.DataFrame([GOOD | {"event_id": f"e{i}", "amount": float(i)} for i in range(70_000)])
    path = tmp_path / name
    if name == "a.parquet":
        frame.write_parquet(path)
    else:
        frame.write_ipc(path)
    found, refused = _read(path)
    assert found.num_rows == 69_999
    assert [(record.line, record.errors[0].rule) for record in refused] == [(1, "range")]


@pytest.mark.usefixtures("small_chunks")
def test_a_truncated_packed_file_keeps_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson.gz"
    path.write_bytes(gzip.compress(lines(5000), compresslevel=1)[:-2000])
    seen: list[int] = []

    def read() -> None:
        seen.extend(
            group.parsed.batch.num_rows
            for group in parsing.read_file(path, contracts.contract("transaction"), clock=CLOCK)
        )

    with pytest.raises(UnreadableBody, match="ends too early"):
        read()
    assert sum(seen) > 1000


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.ndjson", b""),
        ("a.json", b'{"a": 1}'),
        ("a.parquet", b"PAR1"),
        ("a.arrow", b"nonsense"),
        ("a.csv", b"x,y\n1,2\n"),
        ("a.txt", b"x"),
        ("a.ndjson.gz", b"nonsense"),
        ("a.parquet.gz", b"nonsense"),
    ],
)
def test_files_that_cannot_be_read_are_told(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(FinerError) as raised:
        _read(path)
    assert raised.value.status in (400, 415)


def test_a_record_without_an_end_is_refused_and_the_next_one_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "CHUNK_BYTES", 1000)
    monkeypatch.setattr(files, "_RECORD_BYTES_MAX", 5000)
    path = tmp_path / "a.ndjson"
    path.write_bytes(lines(2) + b'{"x": "' + b"y" * 20_000 + b'"}\n' + lines(2, start=2) + b'{"x": "' + b"y" * 9000)
    found, refused = _read(path)
    assert found.column("event_id").to_pylist() == ["e0", "e1", "e2", "e3"]
    assert [(record.line, record.errors[0].rule) for record in refused] == [(3, "too_large"), (6, "too_large")]
    for name, data in (("b.json", b'[{"x": "' + b"y" * 20_000), ("b.csv", b'amount\n"' + b"y" * 20_000)):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UnreadableBody, match="does not end"):
            _read(tmp_path / name)


RETAIL = Path(__file__).parents[2] / "docs/examples/online_retail_mapping.yaml"
_ROWS: list[dict[str, Any]] = [
    {"InvoiceNo": "1", "StockCode": "22423", "Quantity": 6, "UnitPrice": 2.55, "CustomerID": 17850},
    {"InvoiceNo": "C2", "StockCode": "22423", "Quantity": -1, "UnitPrice": 2.55, "CustomerID": 17850},
    {"InvoiceNo": "3", "StockCode": "POST", "Quantity": 1, "UnitPrice": 18.0, "CustomerID": None},
    {"InvoiceNo": "4", "StockCode": "22423", "Quantity": -9, "UnitPrice": 0.0, "CustomerID": None},
    {"InvoiceNo": "5", "StockCode": "22423", "Quantity": 9, "UnitPrice": 0.0, "CustomerID": None},
    {"InvoiceNo": "6", "StockCode": "22423", "Quantity": 2, "UnitPrice": 0.0, "CustomerID": 17850},
    {"InvoiceNo": "C7", "StockCode": "D", "Quantity": -1, "UnitPrice": 5.0, "CustomerID": 17850},
    {"InvoiceNo": "A8", "StockCode": "B", "Quantity": 1, "UnitPrice": 11062.06, "CustomerID": None},
    {"InvoiceNo": "A9", "StockCode": "B", "Quantity": 1, "UnitPrice": -11062.06, "CustomerID": None},
    {"InvoiceNo": "10", "StockCode": "PADS", "Quantity": 1, "UnitPrice": 0.001, "CustomerID": 13952},
    {"InvoiceNo": "1", "StockCode": "22423", "Quantity": 6, "UnitPrice": 2.55, "CustomerID": 17850},
]
_EXPECTED = [
    ("1-1", "placed", 1530, "17850"),
    ("C2-2", "cancelled", -255, "17850"),
    ("3-3", "placed", 1800, None),
    ("4-4", "adjustment", 0, None),
    ("5-5", "adjustment", 0, None),
    ("6-6", "placed", 0, "17850"),
    ("C7-7", "adjustment", -500, "17850"),
    ("A8-8", "adjustment", 1106206, None),
    ("1-11", "placed", 1530, "17850"),
]


def _retail() -> pl.DataFrame:
    return pl.DataFrame(_ROWS).with_columns(
        InvoiceDate=pl.lit(datetime.fromisoformat("2011-07-01T09:30:00")),
        Country=pl.lit("EIRE"),
        Description=pl.lit(None, pl.String),
    )


@pytest.mark.parametrize("name", ["retail.parquet", "retail.csv", "retail.ndjson"])
def test_the_retail_mapping_tells_every_kind_of_row(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    frame = _retail()
    if name.endswith("parquet"):
        frame.write_parquet(path)
    elif name.endswith("csv"):
        frame.write_csv(path)
    else:
        frame.with_columns(pl.col("InvoiceDate").dt.to_string("iso:strict")).write_ndjson(path)
    mapping = parsing.load_mapping(RETAIL, contracts.contract("order"))
    found, refused = _read(path, "order", mapping)
    columns = ("event_id", "type", "amount_minor", "customer_id")
    assert list(zip(*(found.column(column).to_pylist() for column in columns), strict=True)) == _EXPECTED
    # The shop's half past nine in July is half past eight in UTC.
    assert set(found.column("occurred_at").to_pylist()) == {datetime(2011, 7, 1, 8, 30, tzinfo=UTC)}
    assert set(found.column("currency").to_pylist()) == {"GBP"}
    rules = [(error.field, error.rule) for record in refused for error in record.errors]
    assert rules == [("unit_price", "range"), ("unit_price", "money_precision")]
    # A line of CSV counts the header too.
    shift = 1 if name.endswith("csv") else 0
    assert [record.line for record in refused] == [9 + shift, 10 + shift]
    assert all(b"22423" not in record.raw for record in refused)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "not YAML"),
        ("contract: order", "a mapping has"),
        ("columns: {a: b}\ncolour: 1", "colour"),
        ("contract: activity\ncolumns: {quantity: x}", "for the contract 'activity'"),
        ("columns: {quantities: x}", "no such field"),
        ("columns: {quantity: x}\ntimezone: Mars/Base", "time zone"),
        ("columns: {quantity: x}\ntypes: {a: money}", "is not a type"),
        ("columns: {quantity: {join: a}}", "joined value"),
        ("columns: {quantity: true}", "write an expression"),
        ("columns: {quantity: 9999-99-99}", "not YAML"),
        ("columns: {quantity: x}\ntypes: [a]", "types: write"),
        ("columns: {quantity: x}\ntypes: {a: [text]}", "is not a type"),
        ("columns: {quantity: x}\ntimezone: Asia", "time zone"),
        ("columns: {quantity: x}\ntypes: {a: &a [x, x], b: [*a, *a]}", "an anchor or an alias"),
        ("columns: " + "[" * 100_000, "nested deeper"),
    ],
)
def test_a_wrong_mapping_names_the_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text)
    with pytest.raises(MappingInvalid, match=message):
        parsing.load_mapping(path, contracts.contract("order"))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("quantity: Quantities * 2", "Quantities"),
        ("quantity: Quantity *", "quantity"),
        ("event_id: {join: [Invoice, row_number]}", "no column 'Invoice'"),
    ],
)
def test_a_mapping_that_does_not_fit_the_file_is_told(tmp_path: Path, columns: str, message: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text("columns: {" + columns + "}")
    _retail().write_parquet(tmp_path / "r.parquet")
    with pytest.raises(MappingInvalid, match=message):
        _read(tmp_path / "r.parquet", "order", parsing.load_mapping(path, contracts.contract("order")))
    _retail().write_csv(tmp_path / "r.csv")
    with pytest.raises(MappingInvalid, match="types"):
        _read(tmp_path / "r.csv", "order", parsing.load_mapping(path, contracts.contract("order")))


def test_a_column_that_a_csv_lacks_is_told_once_with_those_that_it_has(tmp_path: Path) -> None:
    _retail().write_csv(tmp_path / "r.csv")
    path = tmp_path / "m.yaml"
    path.write_text(RETAIL.read_text().replace("StockCode", "StokCode"))
    with pytest.raises(MappingInvalid, match=r"the file has no column StokCode; it has InvoiceNo, StockCode, ") as told:
        _read(tmp_path / "r.csv", "order", parsing.load_mapping(path, contracts.contract("order")))
    assert "types" in told.value.detail
    # What nothing is made of may be absent.
    path.write_text(RETAIL.read_text().replace("types:", "types:\n  Remark: string"))
    found, _ = _read(tmp_path / "r.csv", "order", parsing.load_mapping(path, contracts.contract("order")))
    assert found.num_rows == len(_EXPECTED)
