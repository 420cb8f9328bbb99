"""Profiles of the lake: names and values that want to be SQL, columns with a million values, tables without rows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from finer.kit.settings import Settings
from finer.quality.rules import learning
from finer.quality.types import Reference
from finer.warehouse.errors import LakeUnavailable
from finer.warehouse.service import lake as warehouse
from finer.warehouse.service import profiles
from finer.warehouse.types import Bins, KeyTest, LakeBatch
from tests.quality.flows import START

HOSTILE = "x'); drop table transactions; --"
SPAN = (START, START + timedelta(hours=1))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=str(tmp_path), lake_flush_s=0.02)


@pytest.fixture
def reader(database_url: str, settings: Settings) -> Iterator[warehouse.LakeReader]:
    found = warehouse.LakeReader(database_url, settings, memory_mb=256, threads=1)
    yield found
    found.close()


def stored(database_url: str, settings: Settings, tenant: uuid.UUID, rows: int, columns: dict[str, Any]) -> None:
    at = pa.array([START + timedelta(microseconds=n) for n in range(rows)], pa.timestamp("us", "UTC"))
    events = {"event_id": [f"e{n}" for n in range(rows)], "occurred_at": at, "received_at": at, **columns}
    writer = warehouse.LakeWriter(database_url, settings)
    writer.put(
        LakeBatch(
            tenant=tenant, stream="parcel", partition=0, next_offset=rows, offsets=np.arange(rows),
            events=pa.RecordBatch.from_pydict({name: pa.array(one) for name, one in events.items()}),
        )
    )  # fmt: skip
    assert writer.flush(240)
    writer.close()


def test_c01_values_of_records_and_names_of_fields_are_no_sql(
    database_url: str, settings: Settings, reader: warehouse.LakeReader
) -> None:
    tenant = uuid.uuid4()
    stored(database_url, settings, tenant, 600, {"note": [HOSTILE, "plain"] * 300})
    (found,) = profiles.summarise_columns(reader, tenant, "parcel", {"note": False}, SPAN)
    assert set(found.top) == {HOSTILE, "plain"}
    bins = [Bins("note", values=(HOSTILE, "plain"))]
    (step,) = profiles.profile_steps(reader, tenant, "parcel", ("note",), bins, (*SPAN, 3600))
    assert (step.rows, step.nulls, step.counts) == (600, [0], [[300, 300, 0]])
    given: dict[str, Any] = {"value": HOSTILE}
    ids, records = profiles.find_keys(reader, tenant, "parcel", "note", KeyTest.VALUE, given, SPAN, 5)
    assert (len(ids), records) == (5, 300)
    with pytest.raises(LakeUnavailable):
        profiles.profile_steps(reader, tenant, "parcel", ('note"); drop table parcel; --',), (), (*SPAN, 3600))
    assert profiles.profile_steps(reader, tenant, 'parcel"; drop table parcel; --', ("note",), (), (*SPAN, 10)) == []


def test_a_column_with_very_many_values_is_not_compared(
    database_url: str, settings: Settings, reader: warehouse.LakeReader
) -> None:
    tenant, rows = uuid.uuid4(), 50_000
    stored(database_url, settings, tenant, rows, {"note": [f"value {n}" for n in range(rows)], "size": np.arange(rows)})
    note, size = profiles.summarise_columns(reader, tenant, "parcel", {"note": False, "size": True}, SPAN)
    draft = learning.reference_of(note.column, note.top, note.deciles, note.distinct)
    assert draft is not None
    bins = [Bins(draft.field, values=draft.values), Bins("size", edges=size.deciles)]
    (step,) = profiles.profile_steps(reader, tenant, "parcel", (), bins, (*SPAN, 3600))
    assert learning.with_shares(draft, step.counts[0]) is None
    compared = learning.with_shares(Reference(field="size", edges=size.deciles), step.counts[1])
    assert compared is not None
    assert all(abs(share - 0.1) < 0.02 for share in compared.shares)


def test_a_table_without_rows_or_no_table_has_no_profile(reader: warehouse.LakeReader) -> None:
    nobody = uuid.uuid4()
    assert profiles.profile_steps(reader, nobody, "parcel", ("note",), (), (*SPAN, 10)) == []
    assert profiles.summarise_columns(reader, nobody, "parcel", {"note": False}, SPAN) == []
    assert profiles.find_keys(reader, nobody, "parcel", "note", KeyTest.ABSENT, {}, SPAN, 5) == ([], 0)
