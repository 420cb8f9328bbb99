"""Payloads of foreign APIs: nested bodies that hold records of a contract, taken apart before the checks.

`{"data": [{"id": "1", "author_id": "7", "public_metrics": {"like_count": 3}}], "includes": {"users": [...]}}` becomes
one flat record per element of `data`, with the members `id`, `author_id`, `public_metrics.like_count`, and, joined from
`includes.users`, `author.username`: names that the fields of the contract know as aliases. A list becomes one text,
`entities.hashtags[].tag`, where a field asks for it. What is no payload passes as it is, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from finer.ingest.errors import ContractInvalid
from finer.ingest.rules.contract_fields import mapping, names, words
from finer.ingest.types.contracts import Contract, Join, Payload
from finer.kit.errors import TooLarge

_PAYLOADS_MAX = 10
_JOINS_MAX = 5
_STEPS_MAX = 6
_MOMENTS_END = 10**11
"""More than that are milliseconds: as seconds it is the year 5138, as milliseconds 1973."""
_KEYS = frozenset({"name", "records", "marks", "joins", "constants", "when", "only", "above", "renames", "unixTimes"})
_JOIN_KEYS = frozenset({"name", "source", "key", "by"})
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
# Numbers leave as they came: a float would round them.
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


def read_payloads(written: Any, place: str) -> tuple[Payload, ...]:
    """The payloads that a contract declares. Raises ContractInvalid."""
    if written is None:
        return ()
    if not isinstance(written, list) or len(written) > _PAYLOADS_MAX:
        raise ContractInvalid(f"{place} must be a list of at most {_PAYLOADS_MAX} payloads.")
    return tuple(_payload(item, f"{place}[{i}]") for i, item in enumerate(written))


def _payload(written: Any, place: str) -> Payload:
    item = mapping(written, place)
    if strange := set(item) - _KEYS:
        raise ContractInvalid(f"{place}: {sorted(strange)} is not known; known are {sorted(_KEYS)}.")
    records, marks = names(item, "records", place), names(item, "marks", place)
    when, only = _texts(item, "when", place), mapping(item.get("only") or {}, f"{place}: only")
    if not words(item, "name", 60, place) or not records or not (marks or when):
        raise ContractInvalid(f"{place}: name, records and marks (or when) are needed.")
    if not when and any(item.get(key) for key in ("only", "above", "renames")):
        raise ContractInvalid(f"{place}: only, above and renames need `when`, which tells such a body from others.")
    return Payload(
        name=item["name"],
        records=tuple(_path(path, place) for path in records),
        marks=marks,
        joins=_joins(item, place),
        constants=_texts(item, "constants", place),
        when=when,
        only={name: names(only, name, f"{place}: only") for name in only},
        above=tuple(_path(path, place) for path in names(item, "above", place)),
        renames=_texts(item, "renames", place),
        unix_times=names(item, "unixTimes", place),
    )


def _texts(item: dict[str, Any], key: str, place: str) -> dict[str, str]:
    found = mapping(item.get(key) or {}, f"{place}: {key}")
    if not all(isinstance(value, str) for value in found.values()):
        raise ContractInvalid(f"{place}: {key} are texts.")
    return found


def _joins(item: dict[str, Any], place: str) -> tuple[Join, ...]:
    joins = item.get("joins") or []
    if not isinstance(joins, list) or len(joins) > _JOINS_MAX:
        raise ContractInvalid(f"{place}: joins must be a list of at most {_JOINS_MAX} entries.")
    return tuple(_join(one, place) for one in joins)


def _join(written: Any, place: str) -> Join:
    item = mapping(written, f"{place}: joins")
    if set(item) != _JOIN_KEYS or not all(isinstance(value, str) and value for value in item.values()):
        raise ContractInvalid(f"{place}: a join has the texts {sorted(_JOIN_KEYS)}.")
    return Join(item["name"], _path(item["source"], place), item["key"], _path(item["by"], place))


def _path(text: str, place: str) -> tuple[str, ...]:
    steps = tuple(text.split("."))
    if len(steps) > _STEPS_MAX or not all(step.removesuffix("[]") for step in steps):
        raise ContractInvalid(
            f"{place}: {text[:60]!r} is no path of at most {_STEPS_MAX} names with dots between them."
        )
    return steps


def flat_lines(contract: Contract, data: bytes, bytes_max: int) -> bytes:
    """NDJSON in which every line that is a payload stands as the lines of its records.

    Raises TooLarge when that takes more than `bytes_max` bytes.
    """
    flattener = _Flattener(contract, bytes_max)
    for line in data.split(b"\n"):
        try:
            value = _DECODER.decode(line) if line.lstrip(b" \t").startswith(b"{") else None
        except _UNREADABLE:
            value = None
        if isinstance(value, dict):
            flattener.add(value, line)
        else:
            flattener.keep(line)
    return flattener.lines()


def flat_document(contract: Contract, data: bytes, bytes_max: int) -> bytes | None:
    """A JSON document, a payload or a list of payloads and records, as NDJSON; None for one that cannot be read.

    Raises TooLarge as `flat_lines`.
    """
    try:
        document = _DECODER.decode(data)
    except _UNREADABLE:
        return None
    if not isinstance(document, dict | list):
        return None
    flattener = _Flattener(contract, bytes_max)
    for value in document if isinstance(document, list) else [document]:
        line = _ENCODER.encode(value)
        if isinstance(value, dict):
            flattener.add(value, line)
        else:
            flattener.keep(line)
    return flattener.lines()


class _Flattener:
    """Gathers lines, of payloads and of what is none."""

    def __init__(self, contract: Contract, bytes_max: int) -> None:
        self._payloads = contract.payloads
        self._wanted = {
            name for field in contract.fields for name in (field.name, *field.aliases, *field.combined_aliases)
        }
        self._parents = {name[:at] for name in self._wanted for at, letter in enumerate(name) if letter == "."}
        self._synonyms = [(field.name, *field.aliases) for field in contract.fields if field.aliases]
        self._bytes_max = bytes_max
        self._lines: list[bytes] = []
        self._size = 0

    def add(self, value: dict[str, Any], line: bytes) -> None:
        """The records of a payload, or the line itself when it is none."""
        told = [one for one in self._payloads if one.when and one.when.items() <= value.items()]
        own = self._marked(value)
        envelope = next((one for one in self._payloads if not one.when and _is_body_of(value, one)), None)
        if told:
            self._told(value, told)
        elif own is not None:
            self._flatten(value, own, [])
        elif envelope is not None:
            self._page(value, envelope)
        else:
            self.keep(line)

    def _page(self, body: dict[str, Any], payload: Payload) -> None:
        """The records of a body whose kind only they tell; a body without any is of the `payload` that was found."""
        found = [one for path in payload.records for one in _records(body, path)]
        records = [one for one in found if isinstance(one, dict)]
        fitting = [one for one in self._payloads if any(_is_of(record, one) for record in records)]
        chosen = fitting[0] if fitting else payload
        tables = [(join, _table(body, join)) for join in chosen.joins]
        for record in found:
            if isinstance(record, dict):
                self._flatten(record, chosen, tables)
            else:
                self.keep(_ENCODER.encode(record))  # no record, which the checks say of it

    def _told(self, body: dict[str, Any], payloads: Sequence[Payload]) -> None:
        """The records of a body that says what it is, each as the first payload that wants it."""
        taken: set[int] = set()
        for payload in payloads:
            for path in payload.records:
                for record, above in _with_above(body, path, payload.above):
                    wanted = all(str(record.get(name)) in values for name, values in payload.only.items())
                    if wanted and id(record) not in taken:
                        taken.add(id(record))
                        named = {payload.renames.get(name, name): inner for name, inner in record.items()}
                        self._flatten(above | named, payload, [])

    def _marked(self, value: dict[str, Any]) -> Payload | None:
        """The payload that a record which came without its envelope belongs to."""
        return next((one for one in self._payloads if _is_of(value, one)), None)

    def keep(self, line: bytes) -> None:
        """A line as it came."""
        self._size += len(line) + 1
        if self._size > self._bytes_max:
            raise TooLarge(f"Taken apart, the body has more than {self._bytes_max} bytes. Send it in smaller parts.")
        self._lines.append(line)

    def lines(self) -> bytes:
        """Everything gathered."""
        return b"\n".join(self._lines)

    def _flatten(self, record: dict[str, Any], payload: Payload, tables: list[tuple[Join, dict[str, Any]]]) -> None:
        found: dict[str, Any] = {}
        self._members(record, "", found, whole=True)
        for join, table in tables:
            other = table.get(str(_value(record, join.by)))
            if isinstance(other, dict):
                self._members(other, f"{join.name}.", found, whole=False)
        for name, value in payload.constants.items():
            found.setdefault(name, value)
        for name in payload.unix_times:
            if name in found:
                found[name] = _moment(found[name])
        for synonyms in self._synonyms:
            # An API may say the same in two ways; the contract lists first what it prefers.
            for name in [name for name in synonyms if found.get(name) is not None][1:]:
                del found[name]
        self.keep(_ENCODER.encode(found))

    def _members(self, value: dict[str, Any], prefix: str, found: dict[str, Any], *, whole: bool) -> None:
        """Nested members by their dotted names. Of a joined object (not `whole`), only those that a field asks for."""
        for name, inner in value.items():
            path = prefix + name
            if path in self._wanted and not (isinstance(inner, dict) and path in self._parents):
                found[path] = inner
            elif isinstance(inner, dict):
                self._members(inner, f"{path}.", found, whole=whole)
            elif isinstance(inner, list):
                self._list(inner, f"{path}[]", found, whole=whole)
            elif whole:
                found[path] = inner

    def _list(self, items: list[Any], path: str, found: dict[str, Any], *, whole: bool) -> None:
        asked = [name for name in self._wanted if name == path or name.startswith(f"{path}.")]
        for name in asked:
            inside = name[len(path) + 1 :].split(".") if name != path else []
            values = [_value(item, tuple(inside)) for item in items]
            texts = [str(one) for one in values if isinstance(one, str | int | Decimal) and not isinstance(one, bool)]
            if texts:
                found[name] = ",".join(texts)
        if whole and not asked:
            found[path] = _ENCODER.encode(items).decode()


def _is_of(value: dict[str, Any], payload: Payload) -> bool:
    return any(mark in value for mark in payload.marks)


def _is_body_of(value: dict[str, Any], payload: Payload) -> bool:
    return any(_holds(value, path[0]) for path in payload.records)


def _holds(value: dict[str, Any], step: str) -> bool:
    return isinstance(value.get(step.removesuffix("[]")), dict | list)


def _records(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """The objects at a path; a list stands for its elements, also those at its end that are no objects."""
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):  # a list in a list is nothing that an API sends
                yield from _records(item, path)
            elif not path:
                yield item
    elif isinstance(value, dict):
        if path:
            yield from _records(value.get(path[0].removesuffix("[]")), path[1:])
        else:
            yield value


def _with_above(
    body: Any, path: tuple[str, ...], wanted: Sequence[tuple[str, ...]], at: tuple[str, ...] = ()
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The objects at a path, each with the members `wanted` of what stands above it, by their paths."""
    if isinstance(body, list):
        for item in body:
            if isinstance(item, dict):
                yield from _with_above(item, path, wanted, at)
    elif isinstance(body, dict) and not path:
        yield body, {}
    elif isinstance(body, dict):
        mine = {".".join(one): body[one[-1]] for one in wanted if one[:-1] == at and one[-1] in body}
        step = path[0].removesuffix("[]")
        for record, above in _with_above(body.get(step), path[1:], wanted, (*at, step)):
            yield record, mine | above


def _moment(value: Any) -> Any:
    """A count of seconds or milliseconds since 1970 as a timestamp; what is none stays as it is."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value < _MOMENTS_END * 1_000:
        return value
    seconds = Decimal(value) / (1_000 if value >= _MOMENTS_END else 1)
    return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%dT%H:%M:%S}.{int(seconds % 1 * 1_000):03d}Z"


def _value(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _table(value: dict[str, Any], join: Join) -> dict[str, Any]:
    return {
        str(one[join.key]): one for one in _records(value, join.source) if isinstance(one, dict) and join.key in one
    }
