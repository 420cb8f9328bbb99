"""Mending refused records: the values of a record as they were written, expressions over them, and the new check.

A record under repair is `{name: JSON text of its value}`, so that what is not changed keeps every digit. An
expression is one of `finer.kit.conditions`: a field's own name gives its value in the type of the contract,
`raw.<name>` gives what was sent under any name as a text.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from finer.ingest.errors import RepairInvalid
from finer.ingest.rules.classes import class_of, severity
from finer.ingest.rules.csv_blocks import cells_of
from finer.ingest.rules.mapping import computed
from finer.ingest.types.contracts import Contract, Field, Kind
from finer.kit.columns import Columns
from finer.kit.conditions.condition import Expression, parse_expression
from finer.kit.conditions.errors import ConditionError
from finer.kit.conditions.tree import NUMBER_CHARACTERS_MAX, NUMBER_PATTERN, Catalogue, ColumnType, Literal
from finer.kit.masking import DataClass

Record = dict[str, msgspec.Raw]
RAW = "raw."
_RAW_NAME = re.compile(r"\braw\.([A-Za-z_][A-Za-z0-9_]*)")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_EXACT = re.compile(NUMBER_PATTERN)
_NUMBERS = frozenset({Kind.MONEY, Kind.INTEGER, Kind.NUMBER})
_READER = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARROW = {ColumnType.NUMBER: pa.float64(), ColumnType.TEXT: pa.string(), ColumnType.BOOLEAN: pa.bool_()}


def record_of(contract: Contract, raw: bytes, names: Sequence[str], rules: Sequence[str]) -> Record | None:
    """The values of a refused record by name, or None when it cannot be taken apart (broken JSON, a name given twice).

    The cells of a CSV record (`names` are its columns) become numbers and booleans where the contract wants them.
    `rules` are those that the record broke.
    """
    if names:
        return _record_of_cells(contract, raw, names)
    try:
        found = _READER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return None if "duplicate_key" in rules and _names_twice(raw, found) else found


def _names_twice(raw: bytes, found: Record) -> bool:
    # A name that is given twice is in `found` once; the outermost object is the last one that is read.
    names: list[int] = []
    json.loads(raw, object_pairs_hook=lambda pairs: names.append(len(pairs)))
    return names[-1] != len(found)


def _record_of_cells(contract: Contract, raw: bytes, names: Sequence[str]) -> Record | None:
    try:
        cells = cells_of(raw.decode())
    except (UnicodeDecodeError, csv.Error):
        return None
    if len(cells) != len(names):
        return None
    kinds = _kinds(contract)
    return {name: written(kinds.get(name), cell) for name, cell in zip(names, cells, strict=True) if cell != ""}


def _kinds(contract: Contract) -> dict[str, Kind]:
    return {name: field.kind for field in contract.fields for name in (field.name, *field.aliases)}


def written(kind: Kind | None, text: str) -> msgspec.Raw:
    """The JSON of a value that somebody wrote as a text for a field of that kind."""
    if kind in _NUMBERS and _NUMBER.fullmatch(text):
        return msgspec.Raw(text.encode())
    if kind is Kind.BOOLEAN and text.lower() in ("true", "false", "1", "0"):
        return msgspec.Raw(b"true" if text.lower() in ("true", "1") else b"false")
    return msgspec.Raw(msgspec.json.encode(text))


def line_of(contract: Contract, record: Record, received_us: int) -> bytes:
    """A record as one line of NDJSON. A moment that is left out and is the moment of arrival is that of its own."""
    for field in contract.fields:
        if field.default == "received_at" and field.kind is Kind.TIMESTAMP and not _holders(field, record):
            record = record | {field.name: msgspec.Raw(msgspec.json.encode(_moment(received_us)))}
    # JSON has line breaks only between its tokens.
    return msgspec.json.encode(record).replace(b"\n", b" ").replace(b"\r", b" ")


def _moment(microseconds: int) -> str:
    seconds, rest = divmod(microseconds, 10**6)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"


def _holders(field: Field, record: Record) -> list[str]:
    """The names under which a record gives a field."""
    return [name for name in _names(field) if name in record]


def _names(field: Field) -> tuple[str, ...]:
    """The names under which records may give a field."""
    return (field.name, *field.aliases, *field.combined_aliases)


def show_value(value: msgspec.Raw | None) -> str | None:
    """A value as a text: a text without its quotes, everything else as it was written; None for null and absent."""
    if value is None:
        return None
    data = bytes(value).strip()
    if data == b"null":
        return None
    if data.startswith(b'"'):
        text: str = msgspec.json.decode(data)
        return text
    return data.decode("utf-8", "replace")


class Repair:
    """Assignments `field := expression`, checked for one contract. All read the record as it was before."""

    def __init__(self, contract: Contract, assignments: Sequence[tuple[str, str]]) -> None:
        """Raises RepairInvalid with the field and the place of the mistake."""
        self._contract = contract
        self._fields = {field.name: field for field in contract.fields}
        self._targets: list[tuple[str, Expression]] = []
        if not assignments:
            raise RepairInvalid("Nothing is assigned. Name a field and the expression for its new value.")
        for target, text in assignments:
            self._targets.append((target, self._compiled(target, text)))
        if len({target for target, _ in self._targets}) < len(self._targets):
            raise RepairInvalid("A field is assigned twice. Put both into one expression.")
        fields = [(target, self._fields.get(target)) for target, _ in self._targets]
        self._names = [(target,) if field is None else _names(field) for target, field in fields]

    @property
    def classes(self) -> dict[str, DataClass]:
        """How sensitive the new value of each assigned field may be: as the most sensitive thing that it is made of."""
        return {
            target: max((self._class(target), *(self._class(name) for name in expression.columns)), key=severity)
            for target, expression in self._targets
        }

    def apply(self, records: Sequence[Record | None], received_us: Sequence[int]) -> list[Record | None]:
        """The changed records; None for one that cannot be taken apart, the same object for one that stays as it is."""
        known = [record for record in records if record is not None]
        moments = [moment for record, moment in zip(records, received_us, strict=True) if record is not None]
        columns = self._columns(known, moments)
        new = [list(_values(expression, columns)) for _, expression in self._targets]
        changed: Iterator[Record] = (
            self._assigned(record, [made[i] for made in new]) for i, record in enumerate(known)
        )
        return [None if record is None else next(changed) for record in records]

    def _compiled(self, target: str, text: str) -> Expression:
        names = {RAW + name: ColumnType.TEXT for name in _RAW_NAME.findall(text)}
        types = {name: _type(field.kind) for name, field in self._fields.items()}
        try:
            found = parse_expression(text, Catalogue({**types, **names, "received_at": ColumnType.TIMESTAMP}))
        except ConditionError as error:
            raise RepairInvalid(f"{target} := {text[:200]}: {error.detail}") from error
        field = self._fields.get(target)
        if field is None and not _removes(found):
            raise RepairInvalid(
                f"{self._contract.name.capitalize()} has no field {target[:80]!r}. Its fields are: "
                f"{', '.join(self._fields)}. A name that was sent can only be taken away, with {target[:80]} := null."
            )
        for name in found.columns:
            self._refuse_leak(target, name)
        return found

    def _refuse_leak(self, target: str, name: str) -> None:
        """A value of a person must not be copied to where everybody reads it."""
        source = self._by_any_name(name)
        if source is None or target not in self._fields:
            return
        held, shown = class_of(self._contract, source), class_of(self._contract, target)
        if severity(held) > severity(shown) and severity(held) >= severity(DataClass.PERSONAL):
            raise RepairInvalid(
                f"{target} := ...: {source} is {held.value} and {target} is {shown.value}, so that one must not be "
                "made of the other."
            )

    def _by_any_name(self, name: str) -> str | None:
        bare = name.removeprefix(RAW)
        for field in self._contract.fields:
            if bare in (field.name, *field.aliases, *field.combined_aliases):
                return field.name
        return None

    def _class(self, name: str) -> DataClass:
        if name == "received_at":
            return DataClass.INTERNAL
        return class_of(self._contract, self._by_any_name(name) or name)

    def _columns(self, records: Sequence[Record], received_us: Sequence[int]) -> Columns:
        arrays = {"row": pa.array(np.arange(len(records)))}
        for name in {name for _, expression in self._targets for name in expression.columns}:
            if name == "received_at":
                arrays[name] = pa.array(received_us, pa.int64()).cast(pa.timestamp("us", "UTC"))
                continue
            field = None if name.startswith(RAW) else self._fields[name]
            kind = ColumnType.TEXT if field is None else _type(field.kind)
            names = (name.removeprefix(RAW),) if field is None else (field.name, *field.aliases)
            read = _READERS[kind]
            arrays[name] = pa.array([read(_first(record, names)) for record in records], _ARROW[kind])
        return Columns(pa.RecordBatch.from_pydict(arrays))

    def _assigned(self, record: Record, values: Sequence[bytes | None]) -> Record:
        found = record
        for (target, expression), names, value in zip(self._targets, self._names, values, strict=True):
            if value is None and not _removes(expression):
                continue  # what cannot be computed stays as it is
            holders = [name for name in names if name in found]
            alone = holders == [target]
            if (value is None and not holders) or (alone and bytes(found[target]) == value):
                continue
            if found is record:
                found = dict(record)
            if value is None or not alone:
                for name in holders:
                    del found[name]
            if value is not None:
                found[target] = msgspec.Raw(value)
        return found


def _first(record: Record, names: Sequence[str]) -> msgspec.Raw | None:
    return next((record[name] for name in names if name in record), None)


def _removes(expression: Expression) -> bool:
    return isinstance(expression.tree, Literal) and expression.tree.value is None


def _type(kind: Kind) -> ColumnType:
    """Dates and times are texts here: what is broken about them is mostly how they are written."""
    if kind in _NUMBERS:
        return ColumnType.NUMBER
    return ColumnType.BOOLEAN if kind is Kind.BOOLEAN else ColumnType.TEXT


def _read_number(value: msgspec.Raw | None) -> float | None:
    text = show_value(value)
    if text is None or len(text) > NUMBER_CHARACTERS_MAX or not _EXACT.fullmatch(text):
        return None
    return float(text)


def _read_boolean(value: msgspec.Raw | None) -> bool | None:
    return {"true": True, "false": False}.get((show_value(value) or "").lower())


_READERS: Mapping[ColumnType, Callable[[msgspec.Raw | None], Any]] = {
    ColumnType.NUMBER: _read_number,
    ColumnType.TEXT: show_value,
    ColumnType.BOOLEAN: _read_boolean,
}


def _values(expression: Expression, columns: Columns) -> Iterator[bytes | None]:
    """The JSON of every row's new value, None where there is none."""
    for value in computed(expression)(columns).to_pylist():
        if value is None:
            yield None
        elif isinstance(value, datetime):
            yield msgspec.json.encode(f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z")
        elif isinstance(value, float):
            whole = value.is_integer() and abs(value) < 2**53
            yield (str(int(value)) if whole else repr(value)).encode() if np.isfinite(value) else None
        else:
            yield msgspec.json.encode(value)
