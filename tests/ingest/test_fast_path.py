"""The fast path takes only what the slow path takes, and makes the same of it; nothing that comes in is lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from finer.ingest.rules.escapes import without_escapes
from finer.ingest.service import contracts, parsing
from finer.ingest.types.records import Body, ParsedBody
from finer.kit.settings import load_settings
from tests.ingest.records import GOOD, lines

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
# A key with an escape that has to stay sends its record to the slow path, and means nothing.
SLOW = '"\\"z":0'

_TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "é", "日本", "a\tb", "USD", "x" * 64, "x" * 65, "1234", "pos", "POS", "null", "NaN", "a\0b"]),
)
_NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.decimals(-(10**9), 10**9, places=3, allow_nan=False).map(lambda value: format(value, "f")),
    st.floats(allow_nan=True).map(json.dumps),
    st.sampled_from(
        [
            "0",
            "-0",
            "1",
            "1.0",
            "1.10",
            "1.100",
            "12.345",
            "1e2",
            "1E+2",
            "1e-2",
            "0.01",
            "9999999.99",
            "100000000000",
            "9999999.999",
            "007",
            "1.",
            ".5",
            "+1",
            "-",
            "1e",
            "1e400",
            "99999999999999999",
            "123456789012345678901234567890.12",
            "NaN",
            "Infinity",
            "-Infinity",
            "0.1e1",
            "1.00e00",
        ]
    ),
)


def _naive(first: int, last: int) -> st.SearchStrategy[datetime]:
    """Moments without a zone from the beginning of one year to that of another."""
    start, end = (datetime.fromisoformat(f"{year}-01-01") for year in (first, last))
    return st.datetimes(start, end)


_TIMES = st.one_of(
    _naive(1969, 2030).map(datetime.isoformat),
    _naive(1990, 2026).map(lambda value: value.isoformat() + "Z"),
    st.sampled_from(
        [
            "2026-11-20T10:00:00Z", "2026-11-20 10:00:00", "2026-11-20T10:00:00.1234567Z", "2026-11-20T10:00:00+08:00",
            "2026-11-20T10:00:00-0330", "2026-11-20T10:00:00+08", "2026-11-20T10:00Z", "2026-11-20", "20261120",
            "2026-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
            "2026-13-01T00:00:00Z", "2026-11-20T24:00:00Z", "2026-11-20T23:59:60Z", "2026-11-20t10:00:00z",
            "2026-11-20T10:00:00,5Z", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-11-21T12:00:00Z",
            "2026-11-21T12:00:00.000001Z", "2026-11-20T10:00:00+99:00", "2026-11-20T10:00:00.Z", "10:00:00",
        ]
    ),
)  # fmt: skip


def _quoted(value: str) -> st.SearchStrategy[str]:
    return st.sampled_from([json.dumps(value), json.dumps(value, ensure_ascii=False)])


_VALUES = st.one_of(
    _TEXTS.flatmap(_quoted),
    _TIMES.flatmap(_quoted),
    _NUMBERS,
    _NUMBERS.flatmap(_quoted),
    st.sampled_from(["null", "true", "false", "{}", "[1]", "nul", '"', "", '"\\ud800"', '"\\u0000"']),
)
_KEYS = st.sampled_from(
    [*GOOD, "customerNumber", "transactionAmount", "transactionDate", "transactionTime", "transactionType", "status",
     "merchant_id", "merchantZip", "counterparty_id", "zzz", "other field", "a" * 50]
)  # fmt: skip
_GOOD = {key: json.dumps(value) for key, value in GOOD.items()}
_SPACES = st.sampled_from(["", "", "", " ", "  ", "\t"])


@st.composite
def _record(draw: st.DrawFn) -> str:
    """A record near the contract: right values with some changed, left out, doubled, in any order and spacing."""
    pairs = [(key, value) for key, value in _GOOD.items() if draw(st.integers(0, 9)) or key == "amount"]
    pairs += draw(st.lists(st.tuples(_KEYS, _VALUES), max_size=3))
    if draw(st.booleans()):
        replaced = dict(draw(st.lists(st.tuples(_KEYS, _VALUES), max_size=3)))
        pairs = [(key, replaced.get(key, value)) for key, value in pairs]
    pairs = draw(st.permutations(pairs))
    space = draw(_SPACES)
    inside = f",{space}".join(f'"{key}"{space}:{space}{value}' for key, value in pairs)
    return f"{space}{{{space}{inside}{space}}}{space}"


def _parse(contract: str, data: bytes, kind: str = "ndjson") -> ParsedBody:
    return parsing.parse_body(contracts.contract(contract), Body(data=data, format=kind), NOW)


def _account(parsed: ParsedBody) -> list[Any]:
    return [(record.line, record.errors) for record in parsed.refused]


def _slowed(record: str) -> str:
    head, brace, rest = record.partition("{")
    return f"{head}{brace}{SLOW}{',' if rest.strip() != '}' else ''}{rest}"


@settings(max_examples=400)
@given(st.lists(_record(), min_size=1, max_size=4))
@example(["{}"])
@example(['{"amount": 1.0, "amount": 2}'])
def test_the_fast_path_equals_the_slow_path(records: list[str]) -> None:
    fast = _parse("transaction", "\n".join(records).encode("utf-8", "surrogatepass"))
    slow = _parse("transaction", "\n".join(map(_slowed, records)).encode("utf-8", "surrogatepass"))
    assert fast.received == slow.received == len(records)
    assert fast.batch.equals(slow.batch)
    # A record that is no JSON is reported with the place of the fault, which the extra key moves.
    broken = {"json"}
    assert [(number, [error for error in errors if error.rule not in broken]) for number, errors in _account(fast)] == [
        (number, [error for error in errors if error.rule not in broken]) for number, errors in _account(slow)
    ]


_ORDER = {
    "event_id": '"o1"', "order_id": '"7"', "type": '"placed"', "occurred_at": '"2026-01-01T00:00:00Z"',
    "product_id": '"p"', "quantity": "2", "unit_price": "1.25", "currency": '"USD"', "amount": "2.5",
}  # fmt: skip
_PROFILE = {
    "event_id": '"p1"', "customer_id": '"c"', "date_of_birth": '"1990-02-28"', "income_thousands": "55.5",
    "customer_since": '"2020-01-01"', "email": '"a@b.c"', "phone": '"+1 (555) 01-02"',
}  # fmt: skip
_DATES = st.sampled_from(
    ['"1990-02-29"', '"2000-02-29"', '"1879-12-31"', '"2100-01-01"', '"2100-01-02"', '"1990-2-1"', "19900101", '"x"']
)


@st.composite
def _changed(draw: st.DrawFn, base: dict[str, str], values: st.SearchStrategy[str]) -> str:
    record = base | dict(draw(st.lists(st.tuples(st.sampled_from(list(base)), values), max_size=2)))
    return "{" + ",".join(f'"{key}":{value}' for key, value in record.items()) + "}"


@given(st.lists(_changed(_ORDER, _VALUES | st.integers(-9, 9).map(str)), min_size=1, max_size=3))
def test_the_fast_path_equals_the_slow_path_for_orders(records: list[str]) -> None:
    fast, slow = (_parse("order", "\n".join(lines).encode()) for lines in (records, list(map(_slowed, records))))
    assert fast.batch.equals(slow.batch)
    assert fast.received == slow.received


@given(st.lists(_changed(_PROFILE, _VALUES | _DATES), min_size=1, max_size=3))
def test_the_fast_path_equals_the_slow_path_for_profiles(records: list[str]) -> None:
    fast, slow = (
        _parse("customer_profile", "\n".join(lines).encode()) for lines in (records, list(map(_slowed, records)))
    )
    assert fast.batch.equals(slow.batch)
    assert fast.received == slow.received


@settings(max_examples=300)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(st.binary(max_size=40), max_size=5).map(b"\n".join),
        st.lists(_record(), max_size=3).map(lambda found: "\n".join(found).encode("utf-8", "surrogatepass")),
    ),
    st.sampled_from(["ndjson", "json", "csv", "parquet", "arrow"]),
    st.sampled_from(["transaction", "order", "customer_profile", "activity"]),
)
def test_no_bytes_crash_and_none_are_lost(data: bytes, kind: str, contract: str) -> None:
    group = parsing.parse_group(contracts.contract(contract), [Body(data=data, format=kind)], NOW)
    (result,) = group.bodies
    assert result.error is not None or result.received == result.accepted + len(result.refused)
    assert group.batch.num_rows == result.accepted
    if kind == "ndjson" and result.error is None:
        assert result.received == sum(
            1 for one in data.removeprefix(b"\xef\xbb\xbf").split(b"\n") if one.strip(b" \t\r")
        )


@given(st.integers(0, 400), st.binary(min_size=1, max_size=3), st.sampled_from(["ndjson", "csv", "json"]))
def test_a_damaged_body_keeps_its_good_records(place: int, damage: bytes, kind: str) -> None:
    whole = lines(4)
    if kind == "json":
        whole = b"[" + whole.replace(b"\n", b",")[:-1] + b"]"
    elif kind == "csv":
        whole = b"event_id,customer_id,amount,occurred_at\n" + b"e,c,1,2026-11-20T10:00:00Z\n" * 9
    data = whole[:place] + damage + whole[place:]
    group = parsing.parse_group(contracts.contract("transaction"), [Body(data=data, format=kind)], NOW)
    (result,) = group.bodies
    assert result.error is not None or result.received == result.accepted + len(result.refused) > 0


@given(st.lists(st.lists(_record(), max_size=3), min_size=1, max_size=5))
def test_a_group_gives_what_its_bodies_give_alone(bodies: list[list[str]]) -> None:
    contract = contracts.contract("transaction")
    sent = [Body(data="\n".join(one).encode("utf-8", "surrogatepass")) for one in bodies]
    group = parsing.parse_group(contract, sent, NOW)
    start = 0
    for body, result in zip(sent, group.bodies, strict=True):
        (alone,) = parsing.parse_group(contract, [body], NOW).bodies
        assert (result.received, result.accepted, result.refused) == (alone.received, alone.accepted, alone.refused)
        assert result.unknown_fields == alone.unknown_fields
        assert (result.error is None) == (alone.error is None)
        if result.error is None:
            mine = group.batch.slice(start, result.accepted)
            assert mine.equals(parsing.parse_body(contract, body, NOW).batch)
        start += result.accepted
    assert start == group.batch.num_rows


@given(st.lists(st.tuples(_TEXTS, _TEXTS), min_size=1, max_size=4), st.booleans())
@example([("Phở & Hà Nội", "a/b")], False)
@example([("\U0001f600", "\\u00e9"), ('"\\', "\u2028")], True)
def test_texts_with_escapes_are_those_that_they_stand_for(texts: list[tuple[str, str]], array: bool) -> None:
    records = [GOOD | {"event_id": f"e{at}", "merchant_name": one, name: 1} for at, (one, name) in enumerate(texts)]

    def parse(ascii_only: bool) -> ParsedBody:
        written = [json.dumps(record, ensure_ascii=ascii_only) for record in records]
        if ascii_only:
            # As PHP and Go write it.
            written = [text.replace("/", "\\/").replace("&", "\\u0026") for text in written]
        data = f"[{','.join(written)}]" if array else "\n".join(written)
        body = Body(data=data.encode("utf-8", "surrogatepass"), format="json" if array else "ndjson")
        return parsing.parse_body(contracts.contract("transaction"), body, NOW)

    plain, escaped = parse(False), parse(True)
    assert escaped.batch.equals(plain.batch)
    assert escaped.unknown_fields == plain.unknown_fields
    assert [(one.line, one.errors) for one in escaped.refused] == [(one.line, one.errors) for one in plain.refused]


def test_texts_with_escapes_do_not_leave_the_fast_path() -> None:
    written = json.dumps(GOOD | {"merchant_name": "Phở \U0001f600 Hà Nội"}).replace("Ph", "\\/\\u0026").encode()
    bodies = [Body(data=written + b"\n" + written), Body(data=b"[" + written + b"]", format="json"), Body(data=written)]
    found = parsing.parse_bodies(contracts.contract("transaction"), bodies, load_settings({}), 0)
    assert [body.accepted for body in found.bodies] == [2, 1, 1]
    assert set(found.batch["merchant_name"].to_pylist()) == {"/&ở \U0001f600 Hà Nội"}


def test_escapes_that_have_to_stay_stay() -> None:
    stay = [rb"\ud83d", rb"\ud83dx", rb"\ude00\ud83d", rb"\u00", rb"\u00g0", rb"\u000a", rb"\u0022", rb"\u005c",
            rb"\\u00e9", rb"\n", rb"\"", b"\\", b"\\u"]  # fmt: skip
    for text in stay:
        data = b'{"a": "' + text + b'"}\n{"b": \\u0031}\n'
        assert without_escapes(data, np.array([len(data)]))[0] == data
    data = b'{"broken": "\n{"a": "\\u00e9"}\n'
    plain, ends = without_escapes(data * 2, np.array([12, len(data), len(data) + 12, 2 * len(data)]))
    assert plain == '{"broken": "\n{"a": "é"}\n'.encode() * 2
    assert ends.tolist() == [12, len(plain) // 2, len(plain) // 2 + 12, len(plain)]
