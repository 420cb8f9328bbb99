"""How batches become tables: the same rows however they were cut, rules and positions as they were."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.warehouse.rules import (
    duckdb_type,
    joined,
    positions_text,
    reached,
    read_positions,
    rule_lists,
    table_of,
    tables,
    type_in_catalogue,
    with_month,
)
from tests.warehouse.samples import order_batch, sample_batch

TENANT = uuid.UUID(int=1)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=50), st.integers(0, 64))
def test_rule_lists_name_just_the_bits(fired: list[int], rules: int) -> None:
    names = tuple(f"rule_{bit}" for bit in range(rules))
    known = [one & (2**rules - 1) for one in fired]
    found = rule_lists(np.array(known, np.uint64), names)
    assert found.to_pylist() == [[names[bit] for bit in range(rules) if one >> bit & 1] for one in known]


@given(st.lists(st.integers(1, 20), min_size=1, max_size=12), st.integers(0, 120), st.data())
def test_the_cut_of_batches_does_not_matter(sizes: list[int], recorded: int, data: st.DataObject) -> None:
    total = sum(sizes)
    keep = data.draw(st.lists(st.booleans(), min_size=total, max_size=total))
    starts = np.cumsum([0, *sizes[:-1]]).tolist()
    parts = [sample_batch(TENANT, a, n, keep=keep[a : a + n]) for a, n in zip(starts, sizes, strict=True)]
    at = {("transaction", 0): recorded}
    cut, whole = tables(parts, at), tables([sample_batch(TENANT, 0, total, keep=keep)], at)
    assert {name: table.to_pydict() for name, table in cut.items()} == {
        name: table.to_pydict() for name, table in whole.items()
    }
    expected = [n for n in range(total) if keep[n] and n >= recorded]
    assert (cut["transactions"].column("log_offset").to_pylist() if cut else []) == expected
    assert reached(parts, at) == {("transaction", 0): max(total, recorded)}


@given(st.lists(st.datetimes(timezones=st.just(UTC)), max_size=6), st.booleans())
def test_every_row_has_the_month_in_which_it_occurred(moments: list[datetime], one_month: bool) -> None:
    times = moments[:1] * 5 if one_month else moments
    columns = {"occurred_at": pa.array(times, pa.timestamp("us", "UTC")), "log_offset": pa.array(range(len(times)))}
    months = with_month(pa.table(columns)).column("occurred_month").to_pylist()
    assert months == [date(at.year, at.month, 1) for at in times]


def test_batches_of_other_columns_or_versions_stay_apart() -> None:
    batches = [
        sample_batch(TENANT, 0, 2),
        order_batch(TENANT, 0, 3),
        sample_batch(TENANT, 2, 2),
        sample_batch(TENANT, 4, 2, extra="new"),
    ]
    assert [len(batch.offsets) for batch in joined(batches)] == [4, 3, 2]
    found = tables(batches, {})
    assert sorted(found) == ["decisions", "orders", "transactions"]
    assert found["transactions"].column("new").to_pylist() == [None] * 4 + ["new-4", "new-5"]


def test_positions_survive_being_text() -> None:
    positions = {("transaction", 0): 12, ("order", 3): 2**40}
    assert read_positions(positions_text(positions)) == positions
    assert read_positions(None) == {}


def test_names_and_types() -> None:
    assert table_of("customer_profile") == "customer_profiles"
    assert table_of("post") == "post"
    assert duckdb_type(pa.dictionary(pa.int8(), pa.string())) == "VARCHAR"
    assert type_in_catalogue("list", "varchar") == "VARCHAR[]"
    assert type_in_catalogue("decimal(10,2)", None) == "DECIMAL(10,2)"
    with pytest.raises(ValueError, match="no column type"):
        duckdb_type(pa.duration("s"))
