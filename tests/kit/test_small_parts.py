"""Settings, ids, money, errors, columns and hashing: each says what it is, and refuses what it is not."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.kit.clock import FixedClock
from finer.kit.columns import Columns
from finer.kit.errors import FinerError, InvalidInput, NotFound, TooManyRequests
from finer.kit.hashing import combine_hashes, hash_columns, hash_strings, hash_text
from finer.kit.ids import new_id, read_id, show_id
from finer.kit.moments import EPOCH, from_microseconds, microseconds
from finer.kit.money import Money, exponent
from finer.kit.settings import load_settings


def test_settings_come_from_the_environment_and_then_from_options() -> None:
    settings = load_settings({"FINER_PORT": "9000", "FINER_HOST": "0.0.0.0", "OTHER": "x"}, port=9001, data_dir=None)
    assert (settings.port, settings.host, settings.web_url) == (9001, "0.0.0.0", "http://127.0.0.1:9001")
    assert load_settings(settings.environment()) == settings


@pytest.mark.parametrize(("name", "value"), [("FINER_PORT", "x"), ("FINER_PORT", "0"), ("FINER_LOG", "redis")])
def test_a_wrong_setting_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidInput, match="FINER_<NAME>"):
        load_settings({name: value})


@pytest.mark.parametrize("lake", ["s3:/bucket/finer", "s3:bucket", "S3://bucket"])
def test_a_misspelt_address_of_object_storage_is_not_taken_as_a_folder(lake: str) -> None:
    with pytest.raises(InvalidInput, match="s3://bucket/prefix"):
        load_settings({"FINER_LAKE": lake})


def test_ids_are_uuid_version_7_in_order_of_time() -> None:
    before = datetime.now(UTC)
    made = [new_id() for _ in range(100)]
    assert {identifier.version for identifier in made} == {7}
    assert {identifier.variant for identifier in made} == {uuid.RFC_4122}
    assert len(set(made)) == 100
    stamp = EPOCH + timedelta(milliseconds=made[0].int >> 80)
    assert abs(stamp - before) < timedelta(seconds=5)


@given(st.uuids())
def test_ids_survive_being_shown(identifier: uuid.UUID) -> None:
    assert read_id("alr", show_id("alr", identifier)) == identifier


@given(st.text())
def test_any_other_text_names_nothing(text: str) -> None:
    with pytest.raises(NotFound):
        read_id("alr", text)


def test_money_is_exact() -> None:
    assert str(Money(123_456_789, "PHP")) == "1,234,567.89 PHP"
    assert str(Money(1500, "JPY")) == "1,500 JPY"
    assert str(Money(-1234, "KWD")) == "-1.234 KWD"
    assert Money(10**18, "USD").decimal() == Decimal("10000000000000000.00")
    assert (exponent("VND"), exponent("USD"), exponent("XXX")) == (0, 2, 2)


def test_problem_documents_follow_rfc_9457() -> None:
    document = TooManyRequests("Too fast.", retry_after_s=2).problem("/api/v1/events/order")
    assert document == {
        "type": "urn:finer:problem:too-many-requests",
        "title": "Slow down",
        "status": 429,
        "detail": "Too fast.",
        "instance": "/api/v1/events/order",
        "retry_after_s": 2,
    }
    assert FinerError("x").problem()["status"] == 500


@given(st.datetimes(timezones=st.just(UTC)))
def test_microseconds_are_exact(at: datetime) -> None:
    assert from_microseconds(microseconds(at)) == at


def test_a_fixed_clock_moves_when_told() -> None:
    clock = FixedClock(EPOCH)
    clock.advance(timedelta(days=1))
    assert clock.now() == EPOCH + timedelta(days=1)


def test_hashes_never_change() -> None:
    # Snapshots and partitions of running installations depend on these very numbers.
    assert hash_text("account-1") == 0x72F495388F097081
    assert hash_text("a longer text, more than eight") == 0x1B76BD29EDB7C428
    assert hash_text("") == 1


@given(st.lists(st.one_of(st.none(), st.text(max_size=40)), max_size=30))
def test_hashes_tell_texts_apart_and_nulls_from_texts(texts: list[str | None]) -> None:
    hashes = hash_strings(pa.array(texts, pa.string()))
    for text, value in zip(texts, hashes, strict=True):
        assert int(value) == (0 if text is None else hash_text(text))
    assert len(set(hashes.tolist())) == len(set(texts))
    sliced = pa.array([*texts, "x"], pa.string())[1:]
    assert hash_strings(sliced).tolist() == hash_strings(pa.array([*texts, "x"][1:], pa.string())).tolist()


@given(st.lists(st.lists(st.one_of(st.none(), st.text(max_size=20)), min_size=9, max_size=9), max_size=5))
def test_hashing_columns_together_is_hashing_each(columns: list[list[str | None]]) -> None:
    for start in (0, 3, 9):
        arrays = [pa.array(texts, pa.string()).slice(start) for texts in columns]
        together = hash_columns(arrays)
        assert [row.tolist() for row in together] == [hash_strings(array).tolist() for array in arrays]


def test_texts_hashed_together_are_not_hashed_again() -> None:
    batch = pa.record_batch({"a": ["x", None], "n": [1, 2], "b": ["", "y"]})
    columns, alone = Columns(batch), Columns(batch)
    columns.hash_together(["a", "n", "b", "a", "missing"])
    for name in ("a", "b"):
        assert columns.hashes(name).tolist() == alone.hashes(name).tolist()
    columns.add("a", np.array([1, 2]))
    columns.hash_together(["a"])
    assert columns.pick(np.array([1]), ["b", "a", "n"]) == {"b": ["y"], "a": [2], "n": [2]}


def test_pairs_of_hashes_keep_their_order() -> None:
    a, b = np.array([1, 2], np.uint64), np.array([2, 1], np.uint64)
    assert combine_hashes(a, b)[0] != combine_hashes(b, a)[0]
    assert combine_hashes(a, b)[0] == combine_hashes(b, a)[1]


def test_columns_give_numbers_texts_and_nulls() -> None:
    batch = pa.RecordBatch.from_pydict(
        {
            "name": ["x", None],
            "count": pa.array([None, 7], pa.int64()),
            "at": pa.array([EPOCH, None], pa.timestamp("us", "UTC")),
            "yes": pa.array([True, None]),
            "day": pa.array([1, None], pa.date32()),
        }
    )
    columns = Columns(batch)
    assert columns.hashes("name").tolist() == [hash_text("x"), 0]
    assert columns.values("count").tolist() == [0, 7]
    valid = columns.valid("count")
    assert valid is not None
    assert valid.tolist() == [False, True]
    assert columns.values("at").dtype == np.int64
    assert columns.values("day")[0] == 86_400_000_000
    assert columns.values("yes").tolist() == [True, False]
    columns.add("ratio", np.array([0.5, 2.0]), np.array([True, False]))
    assert columns.arrow("ratio").to_pylist() == [0.5, None]
    assert columns.pick(np.array([1]), ["count", "ratio"]) == {"count": [7], "ratio": [None]}
    alone = Columns(batch.slice(0, 1))
    alone.add("count", np.array([7]))
    assert alone.pick(np.array([0, 0]), ["count"]) == {"count": [7, 7]}
    assert "ratio" in columns
    assert columns.names() == ["name", "count", "at", "yes", "day", "ratio"]
