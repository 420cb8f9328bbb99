"""The same records in any format give the same batch."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.ingest.errors import UnreadableBody
from finer.ingest.service import contracts, parsing
from finer.ingest.types.records import Body, ParsedBody
from finer.kit.columns import Columns
from tests.ingest.records import GOOD, line

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
_NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)


@st.composite
def _transaction(draw: st.DrawFn) -> dict[str, Any]:
    moment = draw(st.datetimes(datetime.fromisoformat("1971-01-01"), datetime.fromisoformat("2026-01-01")))
    record = GOOD | {
        "event_id": draw(st.text("abc0", min_size=1, max_size=8)),
        "occurred_at": moment.isoformat(timespec="microseconds") + "Z",
        "amount": draw(st.integers(1, 10**8)) / 100,
        "merchant_name": draw(_NAMES),
        "card_last4": draw(st.sampled_from([None, "0000", "1234"])),
        "channel": draw(st.sampled_from([None, "pos", "WEB"])),
        "device_id": draw(st.none() | _NAMES),
        "status": draw(st.sampled_from([None, "settled"])),
    }
    return {key: value for key, value in record.items() if value is not None}


def _parse(data: bytes, kind: str, contract: str = "transaction") -> ParsedBody:
    return parsing.parse_body(contracts.contract(contract), Body(data=data, format=kind), NOW)


def _ndjson(records: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


def _csv(records: list[dict[str, Any]]) -> bytes:
    names = sorted({name for record in records for name in record})
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue().encode()


def _table(records: list[dict[str, Any]]) -> pa.Table:
    names = sorted({name for record in records for name in record})
    columns = {name: pa.array([record.get(name) for record in records]) for name in names}
    times = [datetime.fromisoformat(record["occurred_at"]) for record in records]
    return pa.table(columns | {"occurred_at": pa.array(times, pa.timestamp("us", "UTC"))})


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def _stream(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _file(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return sink.getvalue()


@pytest.mark.parametrize(("kind", "write"), [("parquet", _parquet), ("arrow", _file)])
def test_files_one_after_the_other_are_refused_and_text_that_reads_like_it_is_not(
    kind: str, write: Callable[[pa.Table], bytes]
) -> None:
    # The library reads the last footer over the records of the first file: as many would be missing without a word.
    texts = [GOOD | {"event_id": name, "merchant_name": f"{magic}{magic}"} for name, magic in
             (("first", "PAR1"), ("second", "ARROW1"))]  # fmt: skip
    data = write(_table(texts))
    assert _parse(data, kind).batch.num_rows == 2
    with pytest.raises(UnreadableBody, match="several files, one after the other; send each by itself"):
        _parse(data + write(_table(texts[:1])), kind)


@given(st.lists(_transaction(), min_size=1, max_size=6))
def test_all_formats_give_the_same_batch(records: list[dict[str, Any]]) -> None:
    expected = _parse(_ndjson(records), "ndjson")
    assert expected.batch.num_rows == len(records)
    table = _table(records)
    for kind, data in (
        ("json", json.dumps(records, indent=2).encode()),
        ("csv", _csv(records)),
        ("parquet", _parquet(table)),
        ("arrow", _stream(table)),
        ("arrow", _file(table)),
    ):
        found = _parse(data, kind)
        assert found.refused == [], kind
        assert found.batch.equals(expected.batch), kind


_ANY_TEXTS = st.fixed_dictionaries(
    {
        "event_id": st.sampled_from(["e1", "e2", "", "e" * 64, "e" * 65, "\u00e9" * 64, "\u00e9" * 65]),
        "customer_id": st.sampled_from(["c1", "c2", "", "nul\0", "\U0001f4b3"]),
        "account_id": st.sampled_from([None, "a1", "a2"]),
        "merchant_name": st.sampled_from([None, "Shop", "Caf\u00e9", "x" * 129]),
        "channel": st.sampled_from([None, "pos", "web", "POS", "fax"]),
        "mcc": st.sampled_from([None, "5411", "541", "54112", "54a1"]),
        "currency": st.sampled_from([None, "USD", "EUR", "usd", "US"]),
    }
)


@given(st.lists(_ANY_TEXTS, min_size=1, max_size=5), st.data())
def test_texts_that_stay_as_they_were_sent_are_held_to_the_same_rules(
    records: list[dict[str, str | None]], data: st.DataObject
) -> None:
    # Some fields are the same in all records, so that whole columns need no change.
    same = data.draw(st.sets(st.sampled_from(sorted(records[0]))))
    rows = [GOOD | row | {name: records[0][name] for name in same} for row in records]
    rows = [{name: value for name, value in row.items() if value is not None} for row in rows]
    expected, found = _parse(_ndjson(rows), "ndjson"), _parse(_stream(_table(rows)), "arrow")
    assert found.batch.equals(expected.batch)
    told = [
        [(one.line, error.field, error.rule) for one in each.refused for error in one.errors]
        for each in (found, expected)
    ]
    assert told[0] == told[1]


def test_a_batch_that_is_taken_in_slices_gives_every_row() -> None:
    count = 40_000
    names = ["Caf\u00e9" if i % 3 else f"Shop {i}" for i in range(count)]
    table = pa.table(
        {key: pa.array([value] * count) for key, value in GOOD.items()}
        | {"event_id": [f"e{i}" for i in range(count)], "merchant_name": names}
        | {"mcc": ["5411" if i != 35_000 else "x" for i in range(count)]}
    )
    parsed = _parse(_stream(table), "arrow")
    assert [(one.line, one.errors[0].field) for one in parsed.refused] == [(35_001, "mcc")]
    kept = [i for i in range(count) if i != 35_000]
    assert parsed.batch.column("event_id").to_pylist() == [f"e{i}" for i in kept]
    assert parsed.batch.column("merchant_id").to_pylist() == [names[i] for i in kept]


def _one_column(name: str, array: pa.Array, rows: int = 3) -> ParsedBody:
    base = {key: pa.array([value] * rows) for key, value in GOOD.items()}
    table = pa.table(base | {name: array})
    return _parse(_stream(table), "arrow")


@pytest.mark.parametrize(
    "array",
    [
        pa.array(["USD", "EUR", None]).dictionary_encode(),
        pa.array(["USD", "EUR", None], pa.large_string()),
        pa.array([b"USD", b"EUR", None]),
        pa.array(["USD", "EUR", None], pa.string_view()),
    ],
)
def test_texts_of_any_arrow_type(array: pa.Array) -> None:
    assert _one_column("currency", array).batch.column("currency").to_pylist() == ["USD", "EUR", "USD"]


@pytest.mark.parametrize(
    "array",
    [
        pa.array([1.5, 2.25, 300.0]),
        pa.array([Decimal("1.50"), Decimal("2.25"), Decimal("300.00")]),
        pa.array([Decimal("1.5000"), Decimal("2.2500"), Decimal("300.0000")], pa.decimal128(38, 4)),
        pa.array([Decimal("1.5"), Decimal("2.25"), Decimal(300)], pa.decimal256(50, 2)),
        pa.array(["1.5", "2.25", "300"]),
    ],
)
def test_amounts_of_any_arrow_type_are_exact(array: pa.Array) -> None:
    assert _one_column("amount", array).batch.column("amount_minor").to_pylist() == [150, 225, 30000]


@pytest.mark.parametrize(
    "array",
    [
        pa.array([float("nan"), float("inf"), 1.005]),
        pa.array([Decimal("0.00"), Decimal("-1.00"), Decimal("100000000000.00")]),
        pa.array([0, -1, 100_000_000_000]),
        pa.array([2**62, 2**63 - 1, -(2**63)]),
        pa.array([True, False, None]),
        pa.array([[1], [2], None]),
        pa.array([1e300, -1e300, None]),
        pa.array([date(2026, 1, 1)] * 3),
    ],
)
def test_wrong_amounts_of_any_arrow_type_are_refused_one_by_one(array: pa.Array) -> None:
    parsed = _one_column("amount", array)
    assert (parsed.received, parsed.batch.num_rows, len(parsed.refused)) == (3, 0, 3)
    assert [record.line for record in parsed.refused] == [1, 2, 3]
    assert all(json.loads(record.raw)["customer_id"] == "c1" for record in parsed.refused)


_TEN = datetime.fromisoformat("2026-01-01T10:00:00")


@pytest.mark.parametrize(
    "array",
    [
        pa.array([_TEN] * 3, pa.timestamp("us")),
        pa.array([_TEN] * 3, pa.timestamp("ns")),
        pa.array([_TEN] * 3, pa.timestamp("ms")),
        pa.array([_TEN] * 3, pa.timestamp("s")),
        pa.array([datetime(2026, 1, 1, 18, tzinfo=timezone(timedelta(hours=8)))] * 3, pa.timestamp("us", "+08:00")),
        pa.array(["2026-01-01T10:00:00Z", "2026-01-01 10:00:00", "2026-01-01T18:00:00+08:00"]),
    ],
)
def test_timestamps_of_any_arrow_type(array: pa.Array) -> None:
    found = _one_column("occurred_at", array).batch.column("occurred_at").to_pylist()
    assert found == [datetime(2026, 1, 1, 10, tzinfo=UTC)] * 3


def test_timestamps_out_of_range_are_refused_in_any_type() -> None:
    far = [-(10**17), 253_402_300_799_000_000, 10**18]
    parsed = _one_column("occurred_at", pa.array(far, pa.timestamp("us")))
    assert {error.rule for record in parsed.refused for error in record.errors} <= {"timestamp_range", "type"}
    assert len(parsed.refused) == 3


def test_numbers_as_customer_ids_are_taken_as_their_digits() -> None:
    parsed = _one_column("customer_id", pa.array([17850, None, -5]))
    assert parsed.batch.column("customer_id").to_pylist() == ["17850"]
    assert [(record.line, record.errors[0].rule) for record in parsed.refused] == [(2, "required"), (3, "type")]


@pytest.mark.parametrize(
    "array",
    [
        pa.array([1.5, float("nan"), None]),
        pa.array([Decimal("1.50"), Decimal("2.25"), None]),
        pa.array([Decimal("1.50"), Decimal("2.25"), None], pa.decimal256(50, 2)),
        pa.array([True, False, None]),
        pa.array([[1], [2], None]),
        pa.array([{"a": 1}, {"a": 2}, None]),
    ],
)
@pytest.mark.parametrize("name", ["event_id", "customer_id", "merchant_name"])
def test_what_is_no_text_is_refused_one_by_one_where_a_text_belongs(name: str, array: pa.Array) -> None:
    parsed = _one_column(name, array)
    assert [record.line for record in parsed.refused][:2] == [1, 2]
    assert {(record.errors[0].field, record.errors[0].rule) for record in parsed.refused[:2]} == {(name, "type")}
    assert parsed.received == parsed.batch.num_rows + len(parsed.refused) == 3


def test_days_and_bytes_of_one_length_are_taken_as_their_text() -> None:
    days = _one_column("merchant_name", pa.array([date(2026, 1, 2), None, date(2026, 1, 3)]))
    assert days.batch.column("merchant_name").to_pylist() == ["2026-01-02", None, "2026-01-03"]
    sized = _one_column("merchant_name", pa.array([b"abcd", b"\xff\xff\xff\xff", b"efgh"], pa.binary(4)))
    assert sized.batch.column("merchant_name").to_pylist() == ["abcd", "efgh"]
    assert [(record.line, record.errors[0].rule) for record in sized.refused] == [(2, "invalid_utf8")]


def test_arrow_streams_one_after_the_other_are_all_read() -> None:
    table = pa.table({key: pa.array([value] * 2) for key, value in GOOD.items()})
    other = table.drop_columns(["mcc"]).append_column("shoe", pa.array([44, 45]))
    parsed = _parse(_stream(table) + _stream(other), "arrow")
    assert (parsed.received, parsed.batch.num_rows) == (4, 4)
    assert parsed.unknown_fields == ["shoe"]
    for rest in (b"\0" * 64, b"more", _stream(table)[:-40]):
        with pytest.raises(UnreadableBody):
            _parse(_stream(table) + rest, "arrow")


def test_broken_text_in_a_parquet_column_refuses_its_record_only() -> None:
    broken = pa.array([b"Shop", b"Caf\xe9", b"Caf\xc3\xa9"]).view(pa.binary()).view(pa.string())
    base = {key: pa.array([value] * 3) for key, value in GOOD.items()}
    parsed = _parse(_parquet(pa.table(base | {"merchant_name": broken})), "parquet")
    assert parsed.batch.column("merchant_name").to_pylist() == ["Shop", "Café"]
    (record,) = parsed.refused
    assert (record.line, record.errors[0].field, record.errors[0].rule) == (2, "merchant_name", "invalid_utf8")
    assert b"Caf" in record.raw


def test_arrow_offsets_that_point_outside_are_refused() -> None:
    table = pa.table({"customer_id": pa.array(["abc", "def"])})
    stream = _stream(table)
    good = np.array([0, 3, 6], np.int32).tobytes()
    assert stream.count(good) == 1
    bad = stream.replace(good, np.array([0, 3, 1_000_000], np.int32).tobytes())
    group = parsing.parse_group(contracts.contract("transaction"), [Body(data=bad, format="arrow")], NOW)
    assert group.bodies[0].error is not None


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.99])
def test_truncated_arrow_and_parquet_are_refused_whole(cut: float) -> None:
    table = _table([GOOD] * 500)
    for kind, data in (("parquet", _parquet(table)), ("arrow", _file(table)), ("arrow", _stream(table)[:-8])):
        group = parsing.parse_group(
            contracts.contract("transaction"), [Body(data=data[: int(len(data) * cut)], format=kind)], NOW
        )
        (result,) = group.bodies
        assert result.error is not None
        assert group.batch.num_rows == 0


def test_the_legacy_field_names_are_understood() -> None:
    legacy = {
        "customerNumber": 4711, "cardLast4Digits": "0042", "transactionDate": "2026-11-19",
        "transactionTime": "23:59:59", "transactionAmount": "1,5".replace(",", "."), "transactionType": "PURCHASE",
        "merchantName": "Shop", "merchantCity": "Manila", "merchantState": "NCR", "merchantZip": 1000, "stateCode": "X",
    }  # fmt: skip
    for kind, data in (("ndjson", _ndjson([legacy])), ("csv", _csv([legacy]))):
        parsed = _parse(data, kind)
        (row,) = parsed.batch.to_pylist()
        assert row["customer_id"] == row["account_id"] == "4711"
        assert row["occurred_at"] == datetime(2026, 11, 19, 23, 59, 59, tzinfo=UTC)
        assert (row["amount_minor"], row["currency"], row["type"], row["status"]) == (
            150,
            "USD",
            "purchase",
            "authorized",
        )
        assert (row["merchant_id"], row["merchant_zip"], row["state_code"]) == ("Shop", "1000", "X")
        assert row["event_id"].startswith("auto-")
        assert parsed.unknown_fields == []
    missing = _parse(_ndjson([{key: value for key, value in legacy.items() if key != "transactionTime"}]), "ndjson")
    assert missing.refused[0].errors[0].reason == (
        "occurred_at needs both transactionDate and transactionTime; transactionTime is missing."
    )


def test_legacy_profiles_are_understood() -> None:
    legacy = {
        "customerNumber": 4711, "dateOfBirth": "1980-02-29", "branchNumber": 12, "citizenshipCode": "PH",
        "currCountryCode": "SG", "employmentStatus": "employed", "incomeInThousands": 55.5, "marketSegment": "mass",
        "maritalStatus": "single", "stateCode": 3, "City": "Cebu", "customerOpeningDate": "2001-05-06", "Gender": "F",
    }  # fmt: skip
    parsed = _parse(_ndjson([legacy]), "ndjson", "customer_profile")
    (row,) = parsed.batch.to_pylist()
    assert row["occurred_at"] == row["received_at"] == NOW
    assert (row["date_of_birth"], row["customer_since"]) == (date(1980, 2, 29), date(2001, 5, 6))
    assert (row["income_thousands"], row["branch_number"], row["residence_country"]) == (55.5, "12", "SG")
    unborn = _parse(_ndjson([legacy | {"customerOpeningDate": "1970-01-01"}]), "ndjson", "customer_profile")
    assert unborn.refused[0].errors[0].rule == "born_before_opening"


def test_a_derived_event_id_is_that_of_the_content() -> None:
    without = line(event_id=None)
    other = line(event_id=None, amount=12.35)
    reordered = json.dumps(dict(reversed(list(json.loads(without).items())))).replace("12.34", "12.340").encode()
    ids = _parse(b"\n".join([without, other, reordered]), "ndjson").batch.column("event_id").to_pylist()
    assert ids[0] == ids[2] != ids[1]
    assert len(ids[0]) == 37
    assert ids[0] == "auto-" + ids[0][5:].lower()


def test_ids_and_fingerprints_tell_duplicates_from_conflicts() -> None:
    data = b"\n".join([line(), line(merchant_city="Cebu"), line(amount=99), line(event_id="e1")])
    columns = Columns(_parse(data, "ndjson").batch)
    ids, contents = contracts.identify(columns, contracts.contract("transaction"), 5)
    assert ids[0] == ids[1] == ids[2] != ids[3]
    assert contents.dtype == np.uint32
    assert contents[0] == contents[1] != contents[2]
    assert ids[0] != contracts.identify(columns, contracts.contract("transaction"), 6)[0][0]


def test_gzip_of_every_format() -> None:
    body = Body(data=gzip.compress(_parquet(_table([GOOD]))), format="parquet", encoding="gzip")
    assert parsing.parse_body(contracts.contract("transaction"), body, NOW).batch.num_rows == 1
