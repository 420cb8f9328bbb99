"""How batches become lake tables: names, types and encodings. Pure."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping
from datetime import date

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from finer.warehouse.types import Array, DecisionColumns, LakeBatch, Position

DECISIONS = "decisions"
LABELS = "labels"
MONTH = "occurred_month"
"""The first day of the month (UTC) in which a record occurred: tables are partitioned by it."""
SORTED_BY = ("occurred_at", "log_partition", "log_offset")
ACTIONS = pa.array(["approve", "review", "block"])
_TABLES = {
    "transaction": "transactions",
    "order": "orders",
    "customer_profile": "customer_profiles",
    "activity": "activities",
    "social_post": "social_posts",
    "market_price": "market_prices",
    "academic_record": "academic_records",
    "utility_payment": "utility_payments",
    "system_metric": "system_metrics",
}
_NOT_KEPT = frozenset({"awaited"})  # says how a record travelled, not what happened
_SAMPLE_ROWS = 2048

LABEL_SCHEMA = pa.schema(
    [
        ("event_id", pa.string()),
        ("occurred_at", pa.timestamp("us", "UTC")),
        ("verdict", pa.string()),
        ("known_at", pa.timestamp("us", "UTC")),
        ("source", pa.string()),
    ]
)

_DUCKDB_TYPES = {
    pa.string(): "VARCHAR",
    pa.bool_(): "BOOLEAN",
    pa.uint8(): "UTINYINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.uint64(): "UBIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.date32(): "DATE",
    pa.timestamp("us", "UTC"): "TIMESTAMP WITH TIME ZONE",
    pa.list_(pa.string()): "VARCHAR[]",
}
_LAKE_TYPES = {
    "varchar": "VARCHAR",
    "boolean": "BOOLEAN",
    "uint8": "UTINYINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "uint64": "UBIGINT",
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "date": "DATE",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
}
_ARROW_TYPES = {name: kind for kind, name in _DUCKDB_TYPES.items()}


def table_of(stream: str) -> str:
    """The lake table that holds the records of a contract."""
    return _TABLES.get(stream, stream)


def quoted(name: str) -> str:
    """A name as SQL takes it, whatever stands in it."""
    return '"' + name.replace('"', '""') + '"'


def column_name(feature: str) -> str:
    """The lake column of a feature: `account.count_10s` is `account_count_10s`, so that SQL needs no quotes."""
    return feature.replace(".", "_")


def duckdb_type(kind: pa.DataType) -> str:
    """The SQL type of an Arrow type. Raises ValueError for a type that no contract has."""
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    found = _DUCKDB_TYPES.get(plain)
    if found is None:
        raise ValueError(f"The lake has no column type for Arrow's {kind}; add it to finer.warehouse.rules.")
    return found


def arrow_type(sql_type: str) -> pa.DataType:
    """The inverse of `duckdb_type`."""
    return _ARROW_TYPES[sql_type]


def type_in_catalogue(name: str, element: str | None) -> str:
    """The SQL type of a type name in the DuckLake catalogue; `element` is the element type of a list."""
    if name == "list" and element is not None:
        return f"{_LAKE_TYPES.get(element, element.upper())}[]"
    return _LAKE_TYPES.get(name, name.upper())


def positions_text(positions: Mapping[Position, int]) -> str:
    """Positions as the JSON text that a lake commit carries."""
    return json.dumps({"positions": [[stream, partition, at] for (stream, partition), at in sorted(positions.items())]})


def read_positions(text: str | None) -> dict[Position, int]:
    """The inverse of `positions_text`; no text is no positions."""
    if not text:
        return {}
    return {(stream, int(partition)): int(at) for stream, partition, at in json.loads(text)["positions"]}


_CHANGES = {
    "created_table": "create {}",
    "inserted_into_table": "append to {}",
    "deleted_from_table": "delete from {}",
    "altered_table": "alter {}",
    "dropped_table": "drop {}",
    "compacted_table": "merge files of {}",
    "merge_adjacent": "merge files of {}",
    "rewrite_delete": "rewrite files of {}",
}


def read_changes(text: str, names: Mapping[int, str]) -> list[str]:
    """What a commit did, from DuckLake's own list (`created_table:"main"."orders",inserted_into_table:1`)."""
    found = []
    for change in text.split(","):
        kind, _, what = change.partition(":")
        if kind in _CHANGES:
            name = (
                names.get(int(what), "a table that is gone") if what.isdigit() else what.rsplit(".", 1)[-1].strip('"')
            )
            found.append(_CHANGES[kind].format(name))
    return found


def tables(batches: Iterable[LakeBatch], recorded: Mapping[Position, int]) -> dict[str, pa.Table]:
    """Lake tables by name from the rows of `batches` that are kept and lie at or after the recorded offsets."""
    parts: dict[str, list[pa.Table]] = {}
    for batch in joined(batches):
        rows = _rows(batch, recorded.get((batch.stream, batch.partition), 0))
        if rows is not None and not rows.any():
            continue
        place = {
            "log_partition": _constant(len(batch.offsets), batch.partition, pa.int32()),
            "log_offset": pa.array(batch.offsets, pa.int64()),
        }
        events = {
            name: column
            for name, column in zip(batch.events.schema.names, batch.events.columns, strict=True)
            if name not in _NOT_KEPT
        }
        made = {table_of(batch.stream): pa.table(events | place)}
        if batch.decisions is not None:
            shared = {name: events[name] for name in ("event_id", "occurred_at")}
            made[DECISIONS] = pa.table(shared | place | _decided(batch.decisions, len(batch.offsets)))
        for name, table in made.items():
            parts.setdefault(name, []).append(table if rows is None else table.filter(pa.array(rows)))
    return {name: pa.concat_tables(found, promote_options="default") for name, found in parts.items()}


def joined(batches: Iterable[LakeBatch]) -> list[LakeBatch]:
    """The same rows in as few batches as columns and versions allow: a small batch costs what a large one costs."""
    groups: dict[Hashable, list[LakeBatch]] = {}
    for batch in batches:
        decided = batch.decisions
        versions: Hashable = None
        if decided is not None:
            kinds = tuple((name, _kind(values)) for name, values in decided.features.items())
            scored = decided.scores is not None
            versions = (
                decided.rule_ids,
                decided.feature_set,
                decided.rule_pack,
                decided.model,
                scored,
                kinds,
                decided.shadow_ids,
                decided.challenger,
            )
        schema = batch.events.schema
        key = (batch.stream, batch.partition, tuple(schema.names), tuple(schema.types), versions)
        groups.setdefault(key, []).append(batch)
    return [batch for group in groups.values() for batch in _join(group)]


def _join(group: list[LakeBatch]) -> list[LakeBatch]:
    last = group[-1]
    whole = pa.Table.from_batches([batch.events for batch in group], last.events.schema).combine_chunks().to_batches()
    if len(group) == 1 or len(whole) != 1:
        # Nothing to join, or texts of more than 2 GiB, which one Arrow array cannot hold.
        return group
    keep = None
    if any(batch.keep is not None for batch in group):
        keep = np.concatenate([np.ones(len(b.offsets), bool) if b.keep is None else b.keep for b in group])
    one = msgspec.structs.replace(
        last,
        events=whole[0],
        offsets=np.concatenate([batch.offsets for batch in group]),
        keep=keep,
        decisions=_join_decisions([batch.decisions for batch in group if batch.decisions is not None]),
    )
    return [one]


def _join_decisions(group: list[DecisionColumns]) -> DecisionColumns | None:
    if not group:
        return None
    return msgspec.structs.replace(
        group[-1],
        actions=np.concatenate([one.actions for one in group]),
        fired=np.concatenate([one.fired for one in group]),
        scores=_joined_scores([one.scores for one in group]),
        challenger_scores=_joined_scores([one.challenger_scores for one in group]),
        shadow=np.concatenate(shadow) if (shadow := [one.shadow for one in group if one.shadow is not None]) else None,
        features={name: _concatenate([one.features[name] for one in group]) for name in group[-1].features},
    )


def _joined_scores(parts: list[Array | None]) -> Array | None:
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if known else None


def _kind(values: Array | pa.Array) -> Hashable:
    return values.dtype if isinstance(values, np.ndarray) else values.type


def _concatenate(parts: list[Array | pa.Array]) -> Array | pa.Array:
    return np.concatenate(parts) if isinstance(parts[0], np.ndarray) else pa.concat_arrays(parts)


def reached(batches: Iterable[LakeBatch], recorded: Mapping[Position, int]) -> dict[Position, int]:
    """The recorded positions moved on to the end of `batches`; never back."""
    positions = dict(recorded)
    for batch in batches:
        at = (batch.stream, batch.partition)
        positions[at] = max(positions.get(at, 0), batch.next_offset)
    return positions


def _rows(batch: LakeBatch, recorded: int) -> Array | None:
    """Which rows go to the lake; None for all."""
    if len(batch.offsets) and int(batch.offsets[0]) < recorded:
        later: Array = batch.offsets >= recorded
        return later if batch.keep is None else later & batch.keep
    return None if batch.keep is None or bool(batch.keep.all()) else batch.keep


def _decided(decisions: DecisionColumns, rows: int) -> dict[str, pa.Array]:
    scores = pa.nulls(rows, pa.float32()) if decisions.scores is None else pa.array(decisions.scores, pa.float32())
    columns = {
        "action": pa.DictionaryArray.from_arrays(pa.array(decisions.actions.view(np.int8)), ACTIONS),
        "rules": rule_lists(decisions.fired, decisions.rule_ids),
        "score": scores,
    }
    if decisions.shadow is not None:
        # Only where a firm tries rules: nobody else's rows grow by it.
        columns["shadow_rules"] = rule_lists(decisions.shadow, decisions.shadow_ids)
    if decisions.challenger is not None:
        columns["challenger"] = _constant(rows, decisions.challenger, pa.string())
        columns["challenger_score"] = pa.array(decisions.challenger_scores, pa.float32())
    for name, values in decisions.features.items():
        columns[column_name(name)] = _feature(values, exact=name in decisions.exact)
    for name, version in (
        ("feature_set", decisions.feature_set),
        ("rule_pack", decisions.rule_pack),
        ("model", decisions.model),
    ):
        columns[name] = _constant(rows, version, pa.string())
    return columns


def rule_lists(fired: Array, rule_ids: tuple[str, ...]) -> pa.ListArray:
    """The ids of the rules behind each row's bits, as a list of texts per row."""
    counts = np.zeros(len(fired) + 1, np.int32)
    rows = np.flatnonzero(fired)
    bits = (fired[rows, None] >> np.arange(len(rule_ids), dtype=np.uint64)) & np.uint64(1)
    counts[rows + 1] = bits.sum(axis=1)
    values = pa.array(rule_ids, pa.string()).take(pa.array(np.nonzero(bits)[1]))
    return pa.ListArray.from_arrays(pa.array(np.cumsum(counts, dtype=np.int32)), values)


def _feature(values: Array | pa.Array, *, exact: bool) -> pa.Array:
    if isinstance(values, np.ndarray):
        if values.dtype == np.uint64:
            return pa.array(values, mask=values == 0) if not values.all() else pa.array(values)
        values = pa.array(values)
    if pa.types.is_floating(values.type) or pa.types.is_integer(values.type):
        return pc.cast(values, pa.float64() if exact else pa.float32(), safe=False)
    return values


def _constant(rows: int, value: str | int | None, kind: pa.DataType) -> pa.Array:
    # No value is a dictionary too, so that batches with and without one have the same type.
    codes = pa.nulls(rows, pa.int8()) if value is None else pa.array(np.zeros(rows, np.int8))
    return pa.DictionaryArray.from_arrays(codes, pa.array([] if value is None else [value], kind))


def with_month(table: pa.Table) -> pa.Table:
    """The same table with the month of each row, for tables of records; other tables come back as they are."""
    if not {"occurred_at", "log_offset"} <= set(table.column_names):
        return table
    at = table.column("occurred_at").cast(pa.int64()).to_numpy().astype("datetime64[us]")
    # Live records are nearly always of one month, and to ask each for its own costs as much as joining them.
    ends = _months(np.array([at.min(), at.max()] if len(at) else [], at.dtype))
    months = np.full(len(at), ends[0]) if len(set(ends)) == 1 else _months(at)
    return table.append_column(MONTH, pa.array(months, pa.date32()))


def _months(times: Array) -> Array:
    """The first day of the month of each time."""
    return times.astype("datetime64[M]").astype("datetime64[D]")


def by_month(table: pa.Table) -> list[tuple[date | None, pa.Table]]:
    """The rows of each month, oldest month first; all rows together without a month."""
    if MONTH not in table.column_names:
        return [(None, table)]
    months = table.column(MONTH)
    found = sorted(pc.unique(months).to_pylist())
    if len(found) == 1:
        return [(found[0], table)]
    return [(month, table.filter(pc.equal(months, pa.scalar(month, pa.date32())))) for month in found]


def repeated_texts(table: pa.Table) -> list[str]:
    """Text columns whose values repeat, so that a dictionary makes them smaller: seen in the first rows."""
    found = []
    for field in table.schema:
        if pa.types.is_dictionary(field.type):
            found.append(field.name)
        elif pa.types.is_string(field.type):
            sample = table.column(field.name).slice(0, _SAMPLE_ROWS)
            if pc.count_distinct(sample).as_py() * 2 <= len(sample):
                found.append(field.name)
    return found


def counting_columns(table: pa.Table) -> list[str]:
    """64-bit integers and times: their neighbours differ little, so differences are what is stored.

    Floats are left as they are: laid byte by byte (BYTE_STREAM_SPLIT) zstd would take half the time for them, but Spark
    up to 4.1 cannot read that (SPARK-56894).
    """
    wanted = (pa.types.is_int64, pa.types.is_timestamp)
    return [field.name for field in table.schema if any(kind(field.type) for kind in wanted)]
