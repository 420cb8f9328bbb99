"""What a contract compiles to: tables for the kernels, limits as numbers, row rules as conditions. Made once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as default
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from finer.ingest.rules.row_rules import compile_rules
from finer.ingest.rules.scan_json import KEY_BYTES_MAX, TABLE_SIZE
from finer.ingest.rules.text_kernels import Allowed, TextRules, Texts
from finer.ingest.rules.times import read_date, read_timestamp
from finer.ingest.types.contracts import ARROW_TYPES, Contract, Field, Kind, RowRule
from finer.ingest.types.records import FieldError
from finer.kit.columns import Columns
from finer.kit.money import EXPONENTS, MAX_EXPONENT

Array = np.ndarray[Any, np.dtype[Any]]
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
DAY_AHEAD = 86_400_000_000
DATE_FAR = 5_000_000
NO_TEXT = np.zeros(0, np.uint8)
_NO_RULES = TextRules(0, 0, -1, fold=False)
_ANYTHING = Allowed(np.zeros((1, 1), np.uint8), np.zeros(1, np.int32), 0, 1)
_NO_CLASSES = np.zeros((1, 256), np.uint8)


@dataclass(frozen=True)
class FieldPlan:
    """One field, ready for the kernels. `slot` is its place among the values of a record."""

    field: Field
    slot: int
    arrow: pa.DataType
    source: int = -1
    date_slot: int = -1
    time_slot: int = -1
    currency: int = -1
    required: bool = False
    filling: Array = default(default_factory=lambda: NO_TEXT)
    classes: Array = default(default_factory=lambda: _NO_CLASSES)
    text_rules: TextRules = _NO_RULES
    allowed: Allowed = _ANYTHING
    low: Any = None
    high: Any = None
    lows: Array = default(default_factory=lambda: np.zeros(MAX_EXPONENT + 1, np.int64))
    highs: Array = default(default_factory=lambda: np.zeros(MAX_EXPONENT + 1, np.int64))
    slow_pattern: bool = False

    @cached_property
    def slots(self) -> int:
        """The slots that its value may come from, a bit for each."""
        places = (self.slot, self.source, self.date_slot, self.time_slot)
        return sum({1 << place for place in places if place >= 0})

    @cached_property
    def missing(self) -> FieldError | None:
        """What a record without a value for the field breaks; None where it may be left out."""
        if self.field.default is not None or not self.required:
            return None
        return FieldError(self.field.name, "required", "", f"{self.field.name} is missing.")


@dataclass(frozen=True)
class Plan:
    """A contract, ready to run."""

    contract: Contract
    fields: tuple[FieldPlan, ...]
    order: tuple[int, ...]
    slots: int
    slot_names: tuple[str, ...]
    slot_of: dict[str, int]
    keys: Array
    key_sizes: Array
    key_slots: Array
    table: Array
    schema: pa.Schema
    field_schema: pa.Schema
    empty: pa.RecordBatch
    event_id: int
    fingerprint: tuple[str, ...]
    text_fields: tuple[int, ...]
    texts: Texts
    rules: tuple[tuple[RowRule, Callable[[Columns], Array]], ...]


EXPONENT_TABLE = np.full(26 * 26 * 26, 2, np.int8)
for _code, _exponent in EXPONENTS.items():
    EXPONENT_TABLE[(ord(_code[0]) - 65) * 676 + (ord(_code[1]) - 65) * 26 + ord(_code[2]) - 65] = _exponent
POWERS = np.array([float(10**k) for k in range(23)])


@lru_cache(maxsize=256)
def plan_of(contract: Contract) -> Plan:
    """The plan of a contract, compiled at first use. Raises ContractInvalid for a row rule that does not compile."""
    names = [item.name for item in contract.fields]
    slot_names = list(names)
    slot_of = {}
    for slot, item in enumerate(contract.fields):
        for name in (item.name, *item.aliases):
            slot_of[name] = slot
        for name in item.combined_aliases:
            slot_of[name] = len(slot_names)
            slot_names.append(name)
    fields = tuple(_field_plan(item, slot, names, slot_of) for slot, item in enumerate(contract.fields))
    keys, key_sizes, key_slots, table = _key_tables(slot_of)
    # Money comes after everything else, because it needs the currency column.
    order = sorted(range(len(fields)), key=lambda i: (fields[i].field.kind is Kind.MONEY, i))
    schema = contract.schema
    text_fields = tuple(i for i, one in enumerate(fields) if one.field.kind is Kind.STRING)
    return Plan(
        contract=contract,
        fields=fields,
        order=tuple(order),
        slots=len(slot_names),
        slot_names=tuple(slot_names),
        slot_of=slot_of,
        keys=keys,
        key_sizes=key_sizes,
        key_slots=key_slots,
        table=table,
        schema=schema,
        field_schema=pa.schema(list(schema)[: len(fields)]),
        empty=pa.RecordBatch.from_pylist([], schema=schema),
        event_id=names.index("event_id") if "event_id" in names else -1,
        fingerprint=tuple(contract.field(name).column for name in contract.fingerprint_fields),
        text_fields=text_fields,
        texts=_texts([fields[i] for i in text_fields]),
        rules=compile_rules(contract),
    )


def _key_tables(slot_of: dict[str, int]) -> tuple[Array, Array, Array, Array]:
    """Keys as bytes, their sizes and slots, and an open-addressing table from the hash of `scan_json` to the key."""
    keys = np.zeros((len(slot_of), KEY_BYTES_MAX), np.uint8)
    sizes = np.zeros(len(slot_of), np.int64)
    slots = np.zeros(len(slot_of), np.int64)
    table = np.full(TABLE_SIZE, -1, np.int64)
    for k, (name, slot) in enumerate(slot_of.items()):
        data = name.encode()
        keys[k, : len(data)] = np.frombuffer(data, np.uint8)
        sizes[k], slots[k] = len(data), slot
        h = len(data)
        for byte in data:
            h = (h * 31 + byte) & 0xFFFFFFFF
        place = h & (TABLE_SIZE - 1)
        while table[place] >= 0:
            place = (place + 1) & (TABLE_SIZE - 1)
        table[place] = k
    return keys, sizes, slots, table


def _field_plan(item: Field, slot: int, names: list[str], slot_of: dict[str, int]) -> FieldPlan:
    values: dict[str, Any] = {"field": item, "slot": slot, "arrow": ARROW_TYPES[item.kind]}
    # The event id is derived at the end, so a record may come without it.
    values["required"] = item.required and not item.content_hash
    if item.derived_from is not None:
        values["source"] = names.index(item.derived_from)
    if item.combined_aliases:
        values["date_slot"], values["time_slot"] = (slot_of[name] for name in item.combined_aliases)
    if item.currency is not None:
        values["currency"] = names.index(item.currency)
    if item.kind is Kind.STRING:
        values |= _text_tables(item)
    elif item.kind is Kind.MONEY:
        limits = [money_limits(item, exponent) for exponent in range(MAX_EXPONENT + 1)]
        values["lows"] = np.array([low for low, _ in limits], np.int64)
        values["highs"] = np.array([high for _, high in limits], np.int64)
    else:
        values["low"], values["high"] = _limits(item)
    return FieldPlan(**values)


def _text_tables(item: Field) -> dict[str, Any]:
    found: dict[str, Any] = {}
    shortest, longest = text_limits(item)
    last_class = -1
    if item.default is not None:
        found["filling"] = np.frombuffer(item.default.encode(), np.uint8)
    if item.allowed:
        width = max(len(value.encode()) for value in item.allowed)
        texts = np.zeros((len(item.allowed), width), np.uint8)
        for row, value in zip(texts, item.allowed, strict=True):
            row[: len(value.encode())] = np.frombuffer(value.encode(), np.uint8)
        sizes = np.array([len(value.encode()) for value in item.allowed], np.int32)
        found["allowed"] = Allowed(texts, sizes, len(sizes), width)
    if item.program is not None:
        classes = np.zeros((len(item.program.classes), 256), np.uint8)
        for members, flags in zip(item.program.classes, classes, strict=True):
            flags[list(members)] = 1
        found["classes"] = classes
        last_class = len(classes) - 1
    found["text_rules"] = TextRules(shortest, longest, last_class, fold=item.fold)
    found["slow_pattern"] = item.pattern is not None and item.program is None
    return found


def _texts(fields: list[FieldPlan]) -> Texts:
    """The tables of several text fields together."""
    known: list[Array] = [np.zeros(1, np.uint8)]
    sizes: list[Array] = [np.zeros(1, np.int32)]

    def put(array: Array, among: list[Array]) -> int:
        among.append(array.reshape(-1))
        return sum(len(one) for one in among[:-1])

    places = [
        (
            one.slot, one.source, one.field.from_number, one.required, *one.text_rules,
            put(one.filling, known), len(one.filling), put(one.classes, known), put(one.allowed.texts, known),
            put(one.allowed.sizes, sizes), one.allowed.many, one.allowed.width,
        )
        for one in fields
    ]  # fmt: skip
    return Texts(np.array(places, np.int64).reshape(len(places), -1), np.concatenate(known), np.concatenate(sizes))


def text_limits(item: Field) -> tuple[int, int]:
    """Shortest and longest length of a text, in code points, with those of its pattern."""
    if item.program is None:
        return item.shortest, item.longest
    return max(item.shortest, item.program.shortest), min(item.longest, item.program.longest)


def money_limits(item: Field, exponent: int) -> tuple[int, int]:
    """Smallest and largest allowed amount in minor units of a currency with that exponent."""
    low, high = INT64_MIN + 1, INT64_MAX
    if item.minimum is not None:
        exact = Decimal(item.minimum).scaleb(exponent)
        least = int(exact.to_integral_value(ROUND_CEILING))
        low = max(low, least + (1 if item.exclusive_minimum and least == exact else 0))
    if item.maximum is not None:
        exact = Decimal(item.maximum).scaleb(exponent)
        most = int(exact.to_integral_value(ROUND_FLOOR))
        high = min(high, most - (1 if item.exclusive_maximum and most == exact else 0))
    return low, high


def _limits(item: Field) -> tuple[Any, Any]:
    if item.kind is Kind.NUMBER:
        low = -np.inf if item.minimum is None else float(item.minimum)
        high = np.inf if item.maximum is None else float(item.maximum)
        low = np.nextafter(low, np.inf) if item.exclusive_minimum else low
        high = np.nextafter(high, -np.inf) if item.exclusive_maximum else high
        # Infinity is never a value: the limits themselves are the largest finite numbers.
        return max(low, -np.finfo(np.float64).max), min(high, np.finfo(np.float64).max)
    read: Callable[[str], int | None]
    if item.kind is Kind.TIMESTAMP:
        read = read_timestamp
    elif item.kind is Kind.DATE:
        read = read_date
    else:
        read = int
    low, high = (-DATE_FAR, DATE_FAR) if item.kind is Kind.DATE else (INT64_MIN, INT64_MAX)
    if item.minimum is not None and (found := read(item.minimum)) is not None:
        low = found + (1 if item.exclusive_minimum else 0)
    if item.maximum is not None and (found := read(item.maximum)) is not None:
        high = found - (1 if item.exclusive_maximum else 0)
    return low, high
