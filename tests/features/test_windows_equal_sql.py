"""The stream's features equal the lake's SQL, whatever the order of arrival, the batches and the windows.

So do those of what became known of events later, whenever it is told, also when it is taken back.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from finer.features.service import Engine, lake_query
from finer.features.types import DELAYED, Aggregate, Entity, FeatureDefinition, FeatureSet
from finer.kit.columns import Columns
from finer.kit.hashing import hash_text

ENTITIES = (
    Entity("account", ("account_id",)),
    Entity("device", ("account_id", "device_id")),
    Entity("shop", ("shop",)),
    Entity("shop_told", ("shop",), told=True),
    Entity("device_told", ("account_id", "device_id"), told=True),
)
START = datetime(2026, 3, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SCHEMA = pa.schema(
    [
        ("tenant", pa.int64()), ("offset", pa.int64()), ("duplicate", pa.bool_()),
        ("occurred_at", pa.timestamp("us", "UTC")),
        ("account_id", pa.string()), ("device_id", pa.string()), ("shop", pa.string()), ("country", pa.string()),
        ("amount", pa.int64()), ("rate", pa.float64()), ("night", pa.bool_()),
    ]
)  # fmt: skip
TOLD = pa.schema(
    [
        ("tenant", pa.int64()), ("offset", pa.int64()), ("occurred_at", pa.timestamp("us", "UTC")),
        ("account_id", pa.string()), ("device_id", pa.string()), ("shop", pa.string()), ("weight", pa.int64()),
    ]
)  # fmt: skip
EXACT = {Aggregate.COUNT, Aggregate.SUM, Aggregate.MIN, Aggregate.MAX, Aggregate.DISTINCT, Aggregate.FIRST,
         Aggregate.LAST, Aggregate.PREVIOUS}  # fmt: skip

INSTANTS = [START + half * timedelta(milliseconds=500) for half in range(80)]
INSTANTS += [START + timedelta(hours=hour) for hour in range(40)]
EXTREMES = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)]


@st.composite
def arrivals(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Events in the order of arrival: in order of time, slightly late, or in any order; with ties and odd dates."""
    random = Random(draw(st.integers(0, 10**9)))
    count = draw(st.integers(1, 90))
    lateness = draw(st.sampled_from([0, 2, 10, 1000]))
    span = random.sample(INSTANTS, draw(st.sampled_from([4, 20, len(INSTANTS)])))
    times = sorted(random.choice(EXTREMES) if random.random() < 0.02 else random.choice(span) for _ in range(count))
    times = [times[i] for i in sorted(range(count), key=lambda i: i + random.uniform(0, lateness))]
    accounts = draw(st.sampled_from(["a", "ab", "abcdef"]))
    return [
        {
            "tenant": random.choice([1, 1, 1, 2]),
            "duplicate": random.random() < 0.1,
            "occurred_at": time,
            "account_id": random.choice([*accounts * 3, None]),
            "device_id": random.choice(["x", "y", None]),
            "shop": random.choice(["s", "s", "t", None]),
            "country": random.choice(["US", "PH", "DE", None]),
            "amount": random.choice([None, -700, 0, 1, 99, 12_345, 80_000, 10**9]),
            "rate": random.choice([None, 0.1, 0.25, -3.125, 1e6]),
            "night": random.choice([True, True, False, None]),
        }
        for time in times
    ]


@st.composite
def tellings(draw: st.DrawFn) -> list[dict[str, Any]]:
    """What is told from which event on, in that order: at any times, many at once, some of it taken back later."""
    random = Random(draw(st.integers(0, 10**9)))
    found: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(0, 30))):
        offset = random.choice([0, 5, random.randrange(90)])
        row = {
            "tenant": random.choice([1, 1, 2]), "offset": offset,
            "occurred_at": random.choice([*INSTANTS, *EXTREMES]), "account_id": random.choice(["a", "b", None]),
            "device_id": random.choice(["x", "y", None]), "shop": random.choice(["s", "t", None]), "weight": 1,
        }  # fmt: skip
        found.append(row)
        if random.random() < 0.3:
            found.append(row | {"offset": offset + random.choice([0, 1, 40]), "weight": -1})
    return sorted(found, key=lambda row: row["offset"])


windows = st.one_of(
    st.none(), st.sampled_from([1, 2, 10, 60, 3600, 86_400, 90 * 86_400]).map(lambda seconds: seconds * SECOND)
)


@st.composite
def definitions(draw: st.DrawFn) -> FeatureDefinition:
    aggregate = draw(st.sampled_from(list(Aggregate)))
    value, decimals = None, None
    if aggregate in (Aggregate.SUM, Aggregate.MEAN, Aggregate.MIN, Aggregate.MAX, Aggregate.STDDEV):
        value, decimals = draw(st.sampled_from([("amount", None), ("rate", 3)]))
    elif aggregate in (Aggregate.FIRST, Aggregate.LAST, Aggregate.PREVIOUS):
        value, decimals = draw(st.sampled_from([("amount", 0), ("rate", 3), ("country", None)]))
    elif aggregate is Aggregate.DISTINCT:
        value = draw(st.sampled_from(["country", "amount", "device_id"]))
    elif aggregate is Aggregate.COUNT:
        value = draw(st.sampled_from([None, "amount", "country"]))
    window, delay = draw(windows), timedelta(0)
    if window is not None and window <= timedelta(days=1) and aggregate in DELAYED:
        delay = draw(st.sampled_from([0, 0, 1, 5, 60, 3600, 86_400])) * SECOND
    return FeatureDefinition(
        name="f",
        entity=draw(st.sampled_from([entity.name for entity in ENTITIES if not entity.told])),
        aggregate=aggregate,
        window=window,
        value=value,
        where=draw(st.sampled_from([None, None, "night"])),
        decimals=decimals,
        delay=delay,
    )


@st.composite
def told_definitions(draw: st.DrawFn) -> FeatureDefinition:
    entity = draw(st.sampled_from([entity.name for entity in ENTITIES if entity.told]))
    return FeatureDefinition("f", entity, Aggregate.COUNT, draw(windows.filter(lambda window: window is not None)))


def feature_sets() -> st.SearchStrategy[FeatureSet]:
    def named(found: list[FeatureDefinition]) -> FeatureSet:
        renamed = [msgspec.structs.replace(d, name=f"{d.entity}.f{i}") for i, d in enumerate(found)]
        return FeatureSet(ENTITIES, renamed)

    return st.lists(st.one_of(definitions(), definitions(), told_definitions()), min_size=1, max_size=14).map(named)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    feature_set=feature_sets(),
    rows=arrivals(),
    told=tellings(),
    cuts=st.lists(st.integers(0, 90), max_size=4),
    restart=st.integers(0, 5),
)
def test_stream_equals_lake(
    feature_set: FeatureSet, rows: list[dict[str, Any]], told: list[dict[str, Any]], cuts: list[int], restart: int
) -> None:
    for offset, row in enumerate(rows):
        row["offset"] = offset
    streamed = stream(feature_set, rows, told, cuts, restart)
    for tenant in (1, 2):
        kept = [row for row in rows if row["tenant"] == tenant and not row["duplicate"]]
        if not kept:
            continue
        table = pa.Table.from_pylist(kept, schema=SCHEMA)
        with duckdb.connect() as lake:
            lake.execute("SET threads = 1")
            lake.register("events", table)
            lake.register("known", pa.Table.from_pylist([row for row in told if row["tenant"] == tenant], schema=TOLD))
            answer = lake.execute(lake_query(feature_set, "events", told="known")).to_arrow_table()
        assert answer.column("offset").to_pylist() == [row["offset"] for row in kept]
        for definition in feature_set.definitions:
            for offset, wanted in zip(
                answer.column("offset").to_pylist(), answer.column(definition.name).to_pylist(), strict=True
            ):
                compare(definition, streamed[offset][definition.name], wanted, offset)
    for row in rows:
        if row["duplicate"]:
            assert all(value is None for value in streamed[row["offset"]].values())


def stream(
    feature_set: FeatureSet, rows: list[dict[str, Any]], told: list[dict[str, Any]], cuts: list[int], restart: int
) -> dict[int, dict[str, Any]]:
    """Values by offset and name, with batches cut at `cuts` and by tenant, restored from a snapshot on the way.

    What is told comes before the event of its offset, or before any that follows where none has it.
    """
    engine = Engine(feature_set, lateness=timedelta(days=4_000_000))
    found: dict[int, dict[str, Any]] = {}
    edges = sorted({0, len(rows), *(cut for cut in (*cuts, *(row["offset"] for row in told)) if cut < len(rows))})
    for number, (start, end) in enumerate(pairwise(edges)):
        if number == restart:
            with tempfile.TemporaryDirectory() as directory:
                engine.snapshot(Path(directory) / "state", {"offset": start})
                engine, notes = Engine.restore(
                    Path(directory) / "state", feature_set, lateness=timedelta(days=4_000_000)
                )
                assert notes == {"offset": start}
        tell(engine, [row for row in told if row["offset"] == start])
        part = rows[start:end]
        while part:
            size = next((i for i, row in enumerate(part) if row["tenant"] != part[0]["tenant"]), len(part))
            found |= take(engine, feature_set, part[:size])
            part = part[size:]
    assert engine.metrics()["truncated"] == 0
    return found


def tell(engine: Engine, rows: list[dict[str, Any]]) -> None:
    for tenant in (1, 2):
        own = Columns(pa.RecordBatch.from_pylist([row for row in rows if row["tenant"] == tenant], schema=TOLD))
        hashes = {name: own.hashes(name) for name in ("account_id", "device_id", "shop")}
        engine.tell(hashes, own.values("occurred_at"), own.values("weight"), tenant)


def take(engine: Engine, feature_set: FeatureSet, rows: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    batch = pa.RecordBatch.from_pylist(rows, schema=SCHEMA)
    columns = Columns(batch)
    skip = columns.values("duplicate")
    engine.step(columns, rows[0]["tenant"], skip if skip.any() else None)
    found: dict[int, dict[str, Any]] = {row["offset"]: {} for row in rows}
    for name in feature_set.names:
        values, valid = columns.values(name), columns.valid(name)
        for i, row in enumerate(rows):
            found[row["offset"]][name] = None if valid is not None and not valid[i] else values[i]
    return found


def compare(definition: FeatureDefinition, got: Any, wanted: Any, offset: int) -> None:
    where = f"{definition} at offset {offset}: stream {got}, lake {wanted}"
    if wanted is None or got is None:
        assert (got is None) == (wanted is None), where
    elif definition.is_text:
        assert int(got) == hash_text(wanted), where
    elif definition.aggregate in EXACT:
        assert got == wanted, where
    else:
        assert np.isclose(got, wanted, rtol=1e-9, atol=1e-9), where
