"""Mappings: how the rows of a foreign file become records of a contract, said in YAML.

`columns` maps every target field to an expression over the source's columns (the language of finer.kit.conditions),
to a plain source column, or to `{join: [column, ...], with: "-"}`, which puts texts and whole numbers together.
`row_number` counts the rows of the source from 1. `types` names the types of the columns of a text source; a
`local_timestamp` there, like a timestamp without a zone in Parquet, is a time of day in the mapping's `timezone`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.compute as pc

from finer.ingest.errors import MappingInvalid
from finer.ingest.rules.classes import CLASSES, severity
from finer.ingest.rules.record import show
from finer.ingest.rules.row_rules import TYPES
from finer.ingest.types.contracts import Contract, Field, Kind
from finer.ingest.types.records import Mapping, SourceExpression
from finer.kit.columns import Columns
from finer.kit.conditions.condition import Expression, parse_expression
from finer.kit.conditions.errors import ConditionError
from finer.kit.conditions.tree import Catalogue, ColumnType
from finer.kit.yaml_text import YamlInvalid, YamlText

ROW_NUMBER = "row_number"
LOCAL = "local_timestamp"
_TEXT_MAX = 1 << 16
_KEYS = frozenset({"contract", "description", "timezone", "types", "columns"})
_KINDS = {ColumnType.NUMBER: Kind.NUMBER, ColumnType.BOOLEAN: Kind.BOOLEAN, ColumnType.TIMESTAMP: Kind.TIMESTAMP}
_TARGETS = {ColumnType.NUMBER: pa.float64(), ColumnType.BOOLEAN: pa.bool_(), ColumnType.TIMESTAMP: pa.int64()}


def compile_mapping(text: str, place: str, contract: Contract) -> Mapping:
    """The mapping in `text` for `contract`. Raises MappingInvalid with the place of the mistake."""
    try:
        document = YamlText(text, place).value
    except YamlInvalid as error:
        raise MappingInvalid(str(error)) from error
    if not isinstance(document, dict) or not isinstance(document.get("columns"), dict) or not document["columns"]:
        raise MappingInvalid(f"{place}: a mapping has `columns: {{field: expression}}`.")
    if strange := set(document) - _KEYS:
        raise MappingInvalid(f"{place}: {sorted(map(str, strange))} is not known; known are {sorted(_KEYS)}.")
    if document.get("contract", contract.name) != contract.name:
        raise MappingInvalid(f"{place} is for the contract {document['contract']!r}, and not for {contract.name!r}.")
    types = _types(document.get("types"), place)
    zone = _zone(str(document.get("timezone", "UTC")), place)
    known = {field.name for field in contract.fields}
    columns = []
    for target, value in document["columns"].items():
        if target not in known:
            raise MappingInvalid(f"{place}: columns.{target}: the contract {contract.name} has no such field.")
        columns.append(_target(str(target), value, place))
    return Mapping(
        contract=contract.name,
        columns=tuple(columns),
        types=types,
        timezone=zone,
        description=str(document.get("description", "")),
    )


def _types(given: Any, place: str) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise MappingInvalid(f"{place}: types: write `{{column: type}}`.")
    kinds = sorted({kind.value for kind in Kind} - {Kind.MONEY.value} | {LOCAL})
    for name, kind in given.items():
        if kind not in kinds:
            raise MappingInvalid(f"{place}: types.{name}: {kind!r} is not a type; types are {kinds}.")
    return {str(name): str(kind) for name, kind in given.items()}


def _zone(zone: str, place: str) -> str:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise MappingInvalid(f"{place}: there is no time zone {zone[:60]!r}.") from error
    return zone


def _target(target: str, value: Any, place: str) -> SourceExpression:
    if isinstance(value, dict):
        parts = value.get("join")
        if set(value) - {"join", "with"} or not isinstance(parts, list) or not parts:
            raise MappingInvalid(f"{place}: columns.{target}: a joined value is {{join: [column, ...], with: text}}.")
        return SourceExpression(target, "", tuple(str(part) for part in parts), str(value.get("with", "")))
    if isinstance(value, bool) or value is None:
        raise MappingInvalid(
            f"{place}: columns.{target}: write an expression, for instance \"'text'\" or quantity * 2."
        )
    return SourceExpression(target, str(value).strip())


def source_contract(mapping: Mapping, contract: Contract) -> Contract:
    """The shape of a text source, as the types of the mapping tell it."""
    fields = tuple(
        Field(
            name=name,
            kind=Kind.TIMESTAMP if kind == LOCAL else Kind(kind),
            longest=_TEXT_MAX,
            from_number=True,
            local=kind == LOCAL,
            classification=_classification(mapping, contract, name),
        )
        for name, kind in mapping.types.items()
    )
    return Contract(name=f"the source of {contract.name}", version="0", description="", fields=fields)


def _classification(mapping: Mapping, contract: Contract, name: str) -> str | None:
    """A column of a file is as sensitive as the most sensitive field that is made of it.

    One of which nothing is made may hold anything.
    """
    word = re.compile(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])")
    fields = {field.name: field.classification for field in contract.fields}
    made = [
        fields[one.target]
        for one in mapping.columns
        if one.target in fields and (name in one.join or word.search(one.expression))
    ]
    return max(made, key=lambda one: severity(CLASSES[one]), default="sensitive")


def column_types(schema: pa.Schema) -> dict[str, str]:
    """The types, as a mapping names them, of columns that bring their own; nested ones are texts."""
    found = {}
    for field in schema:
        kind = _column_type(field.type)
        if kind is ColumnType.TIMESTAMP and pa.types.is_timestamp(field.type) and field.type.tz is None:
            found[field.name] = LOCAL
        elif pa.types.is_date(field.type):
            found[field.name] = Kind.DATE.value
        elif pa.types.is_integer(field.type):
            found[field.name] = Kind.INTEGER.value
        else:
            found[field.name] = (Kind.STRING if kind in (None, ColumnType.TEXT) else _KINDS[kind]).value
    return found


def local_columns(mapping: Mapping, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with its local times without a zone, as `Mapper` expects them."""
    arrays = [
        column.cast(pa.timestamp("us")) if mapping.types.get(name) == LOCAL else column
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


class Mapper:
    """A mapping, compiled for the columns of one source."""

    def __init__(self, mapping: Mapping, schema: pa.Schema, place: str) -> None:
        """Raises MappingInvalid when a column does not exist or an expression cannot be used."""
        self._zone = mapping.timezone
        types = {name: kind for name, kind in ((item.name, _column_type(item.type)) for item in schema) if kind}
        catalogue = Catalogue({**types, ROW_NUMBER: ColumnType.NUMBER})
        self._place = place
        self._targets: list[tuple[str, Callable[[Columns], pa.Array]]] = []
        self._read: set[str] = set()
        known = {*schema.names, ROW_NUMBER}
        for column in mapping.columns:
            here = f"{place}: columns.{column.target}"
            build, read = _builder(column, known, catalogue, here)
            self._targets.append((column.target, build))
            self._read |= read - {ROW_NUMBER}

    def check_header(self, names: Sequence[str]) -> None:
        """Raises MappingInvalid when the file lacks a column that is read: each of its records would."""
        if missing := sorted(self._read.difference(names)):
            raise MappingInvalid(
                f"{self._place}: the file has no column {', '.join(missing)}; it has {show(', '.join(names))}. "
                "Write `types` and `columns` as the file's header does."
            )

    def apply(self, source: pa.RecordBatch, numbers: pa.Array) -> pa.RecordBatch:
        """The records that the rows of `source` become; `numbers` are their row numbers."""
        arrays = [self._local(column) for column in source.columns]
        whole = pa.RecordBatch.from_arrays([*arrays, numbers], names=[*source.schema.names, ROW_NUMBER])
        columns = Columns(whole)
        return pa.RecordBatch.from_arrays(
            [build(columns) for _, build in self._targets], names=[target for target, _ in self._targets]
        )

    def _local(self, column: pa.Array) -> pa.Array:
        """Timestamps without a zone are local times of the mapping's zone."""
        if not pa.types.is_timestamp(column.type) or column.type.tz is not None:
            return column
        # An hour that a change of clocks repeats is its first one; an hour that it skips is the moment of the change.
        moved = pc.assume_timezone(column, self._zone, ambiguous="earliest", nonexistent="latest")
        return moved.cast(pa.timestamp("us", "UTC"))


def _builder(
    column: SourceExpression, known: set[str], catalogue: Catalogue, here: str
) -> tuple[Callable[[Columns], pa.Array], frozenset[str]]:
    """What makes the target's column, and the columns that it reads."""
    if missing := [name for name in column.join if name not in known]:
        raise MappingInvalid(f"{here}: the source has no column {missing[0]!r}.")
    if column.join:
        return _joined(column), frozenset(column.join)
    if column.expression in known:
        return _copied(column.expression), frozenset((column.expression,))
    try:
        expression = parse_expression(column.expression, catalogue)
        return computed(expression), expression.columns
    except ConditionError as error:
        raise MappingInvalid(f"{here}: {error.detail}") from error


def _column_type(kind: pa.DataType) -> ColumnType | None:
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return TYPES[Kind.STRING]
    if pa.types.is_boolean(kind):
        return ColumnType.BOOLEAN
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return ColumnType.NUMBER
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return ColumnType.TIMESTAMP
    return None


def _copied(name: str) -> Callable[[Columns], pa.Array]:
    return lambda columns: columns.arrow(name)


def _joined(column: SourceExpression) -> Callable[[Columns], pa.Array]:
    def build(columns: Columns) -> pa.Array:
        texts = [columns.arrow(name).cast(pa.string()) for name in column.join]
        return pc.binary_join_element_wise(*texts, column.separator)

    return build


def computed(expression: Expression) -> Callable[[Columns], pa.Array]:
    """What makes a column of an expression: float64, string, bool or timestamps in UTC."""
    if expression.type is ColumnType.TEXT:
        return expression.strings

    def build(columns: Columns) -> pa.Array:
        values, valid = expression.values(columns)
        mask = None if valid is None else ~valid
        array = pa.array(values, _TARGETS[expression.type], mask=mask)
        return array.cast(pa.timestamp("us", "UTC")) if expression.type is ColumnType.TIMESTAMP else array

    return build
