"""Bad input, item by item: a clear error or a quarantined record; what is good beside it is accepted."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
import zstandard

from finer.ingest.service import contracts, parsing
from finer.ingest.types.records import Body, FieldError, ParsedBody
from finer.kit.errors import FinerError
from tests.ingest.records import line, lines

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def _parse(data: bytes, **options: Any) -> ParsedBody:
    return parsing.parse_body(contracts.contract("transaction"), Body(data=data, **options), NOW)


def _refused(data: bytes) -> FieldError:
    """The only error of a record between two good ones."""
    parsed = _parse(lines(1) + data + b"\n" + lines(1, start=1))
    assert parsed.batch.column("event_id").to_pylist() == ["e0", "e1"]
    (record,) = parsed.refused
    assert (record.line, record.raw) == (2, data[: 64 * 1024])
    (error,) = record.errors
    assert error.reason.endswith((".", ")")) or "valid JSON" in error.reason
    return error


def test_a_producer_whose_clock_is_ahead_is_believed_for_a_day_and_no_longer() -> None:
    for occurred_at in ("2026-11-21T11:59:59Z", "2026-11-21T19:59:59+08:00", "1999-01-01T00:00:00Z"):
        parsed = _parse(line(occurred_at=occurred_at))
        assert (parsed.received, parsed.refused) == (1, [])
        # Our own clock stands beside the producer's: what is fresh is known by it alone.
        assert parsed.batch.column("received_at").to_pylist() == [NOW]
    for occurred_at in ("2026-11-21T12:00:01Z", "2027-01-01T00:00:00Z"):
        assert _refused(line(event_id="x", occurred_at=occurred_at)).rule == "timestamp_range"


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"amount": float("nan")}, "amount", "not_finite"),
        ({"amount": float("inf")}, "amount", "not_finite"),
        ({"amount": float("-inf")}, "amount", "not_finite"),
        ({"amount": 1e300}, "amount", "overflow"),
        ({"amount": 10**17}, "amount", "overflow"),
        ({"amount": 100_000_000_000}, "amount", "range"),
        ({"amount": 0}, "amount", "range"),
        ({"amount": 1.005}, "amount", "money_precision"),
        ({"amount": 12.5, "currency": "JPY"}, "amount", "money_precision"),
        ({"amount": True}, "amount", "type"),
        ({"amount": "twelve"}, "amount", "type"),
        ({"amount": [1]}, "amount", "type"),
        ({"amount": {"value": 1}}, "amount", "type"),
        ({"amount": None}, "amount", "required"),
        ({"amount": ""}, "amount", "required"),
        ({"customer_id": None}, "customer_id", "required"),
        ({"customer_id": True}, "customer_id", "type"),
        ({"customer_id": 1.5}, "customer_id", "type"),
        ({"event_id": 5}, "event_id", "type"),
        ({"event_id": "x" * 65}, "event_id", "max_length"),
        ({"merchant_name": "x" * 129}, "merchant_name", "max_length"),
        ({"merchant_city": "a\0b"}, "merchant_city", "forbidden_character"),
        ({"merchant_city": "\ud800"}, "", "invalid_utf8"),
        ({"occurred_at": "0000-01-01T00:00:00Z"}, "occurred_at", "timestamp_range"),
        ({"occurred_at": "9999-12-31T23:59:59Z"}, "occurred_at", "timestamp_range"),
        ({"occurred_at": "1969-12-31T23:59:59Z"}, "occurred_at", "timestamp_range"),
        ({"occurred_at": "2026-11-21T12:00:01Z"}, "occurred_at", "timestamp_range"),
        ({"occurred_at": "2026-02-30T00:00:00Z"}, "occurred_at", "type"),
        ({"occurred_at": "yesterday"}, "occurred_at", "type"),
        ({"occurred_at": 1_700_000_000}, "occurred_at", "type"),
        ({"type": "gift"}, "type", "allowed_values"),
        ({"channel": "fax"}, "channel", "allowed_values"),
        ({"merchant_country": "ph"}, "merchant_country", "pattern"),
        ({"mcc": "54111"}, "mcc", "max_length"),
        ({"card_last4": "12a4"}, "card_last4", "pattern"),
        ({"card_last4": "١٢٣٤"}, "card_last4", "pattern"),
    ],
)
def test_a_wrong_value_is_told_by_field_and_rule(changes: dict[str, object], field: str, rule: str) -> None:
    error = _refused(line(**changes))
    assert (error.field, error.rule) == (field, rule)


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (line()[:-1], "json"),
        (line()[1:], "json"),
        (line() + line(), "json"),
        (b"[1, 2]", "json"),
        (b'"text"', "json"),
        (b"12", "json"),
        (b"nonsense", "json"),
        (line().replace(b"Corner", b"Cor\xffner"), "invalid_utf8"),
        (line().replace(b"Corner", b"Cor\xc3"), "invalid_utf8"),
        (line().replace(b"Corner", b"\xed\xa0\x80"), "invalid_utf8"),
        (line().replace(b"Corner", b"Cor\\ud800ner"), "invalid_text"),
        (line().replace(b"Corner", b"Cor\\u0000ner"), "forbidden_character"),
        (line().replace(b"Corner", b"Cor\x01ner"), "json"),
        (line().replace(b"12.34", b"1.2.3"), "json"),
        (line().replace(b"12.34", b"012"), "json"),
        (b"[" * 200_000, "json"),
        (b'{"a":' * 200_000, "json"),
        (line()[:-1] + b', "amount": 1}', "duplicate_key"),
        (line()[:-1] + b', "transactionAmount": 1}', "duplicate_key"),
        (line().replace(b"12.34", b"9" * 5000), "type"),
        (line().replace(b"12.34", b"1e99999999999999999999"), "overflow"),
        (line().replace(b"12.34", b"1e-99999"), "overflow"),
    ],
)
def test_a_broken_record_is_told_by_rule(raw: bytes, rule: str) -> None:
    assert _refused(raw).rule == rule


def test_a_text_of_ten_megabytes_is_refused_and_only_its_beginning_kept() -> None:
    raw = line(merchant_name="x" * 10_000_000)
    parsed = _parse(lines(1) + raw + b"\n" + lines(1, start=1))
    (record,) = parsed.refused
    assert record.raw == raw[: 64 * 1024]
    assert (record.raw_bytes, record.raw_truncated, len(record.sha256)) == (len(raw), True, 32)
    assert record.errors[0].rule == "max_length"
    assert len(record.errors[0].value) < 200
    assert parsed.batch.num_rows == 2


def test_every_broken_field_of_a_record_is_told() -> None:
    (record,) = _parse(line(amount=-1, type="gift", mcc="x", customer_id=None, occurred_at="soon")).refused
    assert [(error.field, error.rule) for error in record.errors] == [
        ("type", "allowed_values"),
        ("occurred_at", "type"),
        ("customer_id", "required"),
        ("amount", "range"),
        ("mcc", "pattern"),
    ]


def test_unknown_fields_are_left_out_and_named() -> None:
    parsed = _parse(line(loyalty=1, colour="red") + b"\n" + line(size=[1, {"a": 2}], event_id="e1"))
    assert parsed.batch.num_rows == 2
    assert sorted(parsed.unknown_fields) == ["colour", "loyalty", "size"]
    many = _parse(line(**{f"f{i}": i for i in range(30)}))
    assert many.unknown_fields == [f"f{i}" for i in range(10)]


def test_blank_lines_a_byte_order_mark_and_other_line_ends_do_not_shift_line_numbers() -> None:
    data = b"\xef\xbb\xbf" + line() + b"\r\n\r\n  \n\nnonsense\r\n" + line(event_id="e1") + b"\r\n\n"
    parsed = _parse(data)
    assert (parsed.received, parsed.batch.num_rows) == (3, 2)
    assert [record.line for record in parsed.refused] == [5]


@pytest.mark.parametrize("kind", ["ndjson", "json", "csv", "parquet", "arrow"])
@pytest.mark.parametrize("data", [b"", b" \n\r\n\t"])
def test_an_empty_body_is_told(kind: str, data: bytes) -> None:
    with pytest.raises(FinerError, match="empty") as raised:
        _parse(data, format=kind)
    assert raised.value.status == 400


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("json", b"12"),
        ("json", b"nonsense"),
        ("csv", b"nonsense\n1\n"),
        ("csv", b"\xff\xfe\n1\n"),
        ("csv", b"amount,transactionAmount\n1,2\n"),
        ("parquet", b"PAR1 but no"),
        ("parquet", lines(2)),
        ("arrow", b"ARROW1 but no"),
        ("arrow", lines(2)),
        ("arrow", b"\xff\xff\xff\xff\xff\xff\xff\x7f"),
    ],
)
def test_a_body_of_another_format_is_told(kind: str, data: bytes) -> None:
    with pytest.raises(FinerError) as raised:
        _parse(data, format=kind)
    assert raised.value.status == 400
    assert raised.value.detail.endswith((".", "ndjson."))


def test_wrong_content_types_and_contracts_name_what_there_is() -> None:
    with pytest.raises(FinerError, match="application/x-ndjson") as raised:
        parsing.format_of("text/html; charset=utf-8")
    assert raised.value.status == 415
    with pytest.raises(FinerError, match="academic_record, activity, customer_profile") as missing:
        contracts.contract("transactions")
    assert missing.value.status == 404
    with pytest.raises(FinerError, match="gzip, zstd") as encoding:
        _parse(lines(1), encoding="br")
    assert encoding.value.status == 415


def _packed(data: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        return gzip.compress(data)
    return zstandard.ZstdCompressor(write_content_size=encoding == "zstd").compress(data)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_packed_bodies_are_unpacked_frames_after_frames(encoding: str) -> None:
    packed = _packed(lines(3), encoding) + _packed(lines(2, start=3), encoding)
    assert _parse(packed, encoding=encoding).batch.num_rows == 5


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_truncated_or_damaged_packed_body_is_refused_whole(encoding: str) -> None:
    packed = _packed(lines(200), encoding)
    for data in (packed[:-1], packed[: len(packed) // 2], packed[:3], b"nonsense", packed + b"nonsense", b""):
        with pytest.raises(FinerError) as raised:
            _parse(data, encoding=encoding)
        assert raised.value.status == 400


def _bomb(encoding: str, size: int) -> bytes:
    megabyte = bytes(1 << 20)
    if encoding == "gzip":
        gzip_stream = zlib.compressobj(9, wbits=31)
        return b"".join(gzip_stream.compress(megabyte) for _ in range(size >> 20)) + gzip_stream.flush()
    declared = size if encoding == "zstd with its size" else -1
    zstd_stream = zstandard.ZstdCompressor(write_content_size=declared > 0).compressobj(size=declared)
    return b"".join(zstd_stream.compress(megabyte) for _ in range(size >> 20)) + zstd_stream.flush()


@pytest.mark.parametrize(("encoding", "padding"), [("gzip", b""), ("gzip", bytes(9)), ("zstd", b"")])
def test_a_body_of_more_packed_pieces_than_anybody_needs_is_refused(encoding: str, padding: bytes) -> None:
    """Each takes a decompressor of its own: 200,000 empty ones in 4 MB kept all other senders waiting for 15 s."""
    with pytest.raises(FinerError, match="Pack it as one") as raised:
        _parse(_packed(b"", encoding) * 20_000, encoding=encoding)
    assert raised.value.status == 413
    packed = b"".join(_packed(line(event_id=f"e{i}") + b"\n", encoding) + padding for i in range(200))
    assert _parse(packed, encoding=encoding).batch.num_rows == 200


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "zstd with its size"])
def test_a_decompression_bomb_is_refused_before_it_takes_memory(encoding: str) -> None:
    limit = 1 << 20
    body = Body(data=_bomb(encoding, 128 * limit), encoding=encoding.split(maxsplit=1)[0])
    tracemalloc.start()
    try:
        with pytest.raises(FinerError, match="unpacks to more than") as raised:
            parsing.parse_body(contracts.contract("transaction"), body, NOW, unpacked_bytes_max=limit)
        assert tracemalloc.get_traced_memory()[1] < 8 * limit
    finally:
        tracemalloc.stop()
    assert raised.value.status == 413


def test_too_many_records_are_refused_as_a_whole() -> None:
    contract = contracts.contract("transaction")
    for kind, data in (
        ("ndjson", b"{}\n" * 101),
        ("json", b"[" + b",".join([b"{}"] * 101) + b"]"),
        ("csv", b"amount\n" + b"1\n" * 101),
    ):
        with pytest.raises(FinerError) as raised:
            parsing.parse_body(contract, Body(data=data, format=kind), NOW, records_max=100)
        assert raised.value.status == 413
    assert parsing.parse_body(contract, Body(data=b"{}\n\n" * 100), NOW, records_max=100).received == 100


def test_the_next_body_works_after_any_of_them() -> None:
    for data in (b"", b"\xff" * 100, b"[" * 100, lines(1)[:-20]):
        parsing.parse_group(contracts.contract("transaction"), [Body(data=data)], NOW)
    assert _parse(lines(2)).batch.num_rows == 2


@pytest.mark.parametrize(
    ("body", "received", "accepted", "where"),
    [
        (b"[]", 0, 0, []),
        (b" [ ] ", 0, 0, []),
        (b"[" + line() + b"]", 1, 1, []),
        (b" [\n" + line() + b" ,\n" + line(event_id="e1") + b"\n] \n", 2, 2, []),
        (line(), 1, 1, []),
        (b"[" + line() + b", 5, " + line(event_id="e1") + b"]", 3, 2, [2]),
        (b"[" + line() + b', {"a": }, ' + line(event_id="e1") + b"]", 3, 2, [2]),
        (b"[" + line() + b"," + line(event_id="e1"), 2, 1, [2]),
        (b"[" + line() + b"," + line(event_id="e1") + b",]", 3, 2, [3]),
        (b"[" + line() + b"] trailing", 2, 1, [2]),
        (b"[" + line() + b",,"  + line(event_id="e1") + b"]", 3, 2, [2]),
        (b"[" + line() + b', {"merchant_name": "]},{\\"["}]', 2, 1, [2]),
        (b"[" + line() + b', "never closed]', 2, 1, [2]),
        (b"[" + line() + b"}," + line(event_id="e1") + b"]", 2, 1, [1]),
    ],
)  # fmt: skip
def test_elements_of_an_array_are_taken_one_by_one(body: bytes, received: int, accepted: int, where: list[int]) -> None:
    parsed = _parse(body, format="json")
    assert (parsed.received, parsed.batch.num_rows) == (received, accepted)
    assert [record.line for record in parsed.refused] == where


HEADER = b"event_id,customer_id,amount,occurred_at,merchant_name\n"


@pytest.mark.parametrize(
    ("rows", "names", "refused"),
    [
        (b"e,c,1,2026-11-20T10:00:00Z,Shop", ["Shop"], []),
        (b'e,c,1,2026-11-20T10:00:00Z,"a, b"\r\n', ["a, b"], []),
        (b'e,c,1,2026-11-20T10:00:00Z,"say ""hi"""\r\n', ['say "hi"'], []),
        (b'e,c,1,2026-11-20T10:00:00Z,"two\nlines"\ne,c,x,,\n', ["two\nlines"], [(4, "required"), (4, "type")]),
        (b"\n\ne,c,1,2026-11-20T10:00:00Z,\n\n", [None], []),
        (b"e,c,1,2026-11-20T10:00:00Z\n", [], [(2, "columns")]),
        (b"e,c,1,2026-11-20T10:00:00Z,a,b\n", [], [(2, "columns")]),
        (b'e,c,1,2026-11-20T10:00:00Z,"open\n', [], [(2, "csv")]),
        (b'e,c,1,2026-11-20T10:00:00Z,"a"b\n', [], [(2, "csv")]),
        (b"e,c,1,2026-11-20T10:00:00Z,caf\xe9\n", [], [(2, "invalid_utf8")]),
        (b"e,c,1,2026-11-20T10:00:00Z,a\0b\n", [], [(2, "forbidden_character")]),
        ("e,c,1,2026-11-20T10:00:00Z,café\n".encode(), ["café"], []),
    ],
)
def test_csv_follows_rfc_4180(rows: bytes, names: list[str | None], refused: list[tuple[int, str]]) -> None:
    parsed = _parse(HEADER + rows, format="csv")
    assert parsed.batch.column("merchant_name").to_pylist() == names
    found = sorted((record.line, error.rule) for record in parsed.refused for error in record.errors)
    assert found == refused
    assert parsed.received == len(names) + len(parsed.refused)


def test_problems_hold_only_text_that_a_database_can_keep() -> None:
    (record,) = _parse(b'{"mcc": "a\\u0000\\ud800", "\\ud800": 1, "channel": "\\ud800"}').refused
    values = [error.value for error in record.errors]
    assert "a\\u0000\\ud800" in values
    assert not any("\0" in value for value in values)
    assert all(value.encode() is not None for value in values)
