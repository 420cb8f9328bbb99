"""The checked tree of a condition: small, typed, immutable, and the one thing that every back end reads.

A tree is made by `check` only, so a back end may rely on it: names exist, types fit, lists are not empty, `And` and
`Or` hold no direct child of their own kind, a `Literal` is never NaN or infinite, and no divisor is a literal zero.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import Any, ClassVar

DEPTH_MAX = 64
"""Levels of a tree; chains of `and` or `or` count as one level."""


class ColumnType(Enum):
    """What a column or an expression holds."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True)
class Catalogue:
    """The columns that a condition may name.

    `columns` maps the whole name, dots included (`account.count_10s`), to its type. `descriptions` say in words what
    a column is; editors and `plain_language` use them. `hashed` names text columns that the stream holds only as
    hashes: they can be compared for equality and null, and nothing else. `lists` names the lists that `in_list` can
    ask, each with the columns that it can be asked about.
    """

    columns: Mapping[str, ColumnType]
    descriptions: Mapping[str, str] = field(default_factory=dict)
    hashed: frozenset[str] = frozenset()
    lists: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the catalogue, by its whole name."""

    name: str
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Literal:
    """float for numbers, str, bool, int microseconds since 1970 UTC for timestamps; None is a typed null."""

    value: float | int | str | bool | None
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`operator` is one of + - * / %, over numbers."""

    operator: str
    left: Node
    right: Node
    type: ClassVar[ColumnType] = ColumnType.NUMBER


@dataclass(frozen=True, slots=True)
class Shift:
    """A timestamp moved by a constant number of microseconds."""

    moment: Node
    microseconds: int
    type: ClassVar[ColumnType] = ColumnType.TIMESTAMP


@dataclass(frozen=True, slots=True)
class Case:
    """The value of the first branch whose condition is true, else `otherwise`; of any type."""

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Call:
    """A function of FUNCTIONS, CHOICES or TEXT_FUNCTIONS, or starts_with."""

    name: str
    arguments: tuple[Node, ...]
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Compare:
    """`operator` is one of = <> < <= > >=, over two numbers, texts or timestamps."""

    operator: str
    left: Node
    right: Node
    type: ClassVar[ColumnType] = ColumnType.BOOLEAN


@dataclass(frozen=True, slots=True)
class Between:
    """`low` <= `operand` <= `high`, over numbers, texts or timestamps."""

    operand: Node
    low: Node
    high: Node
    type: ClassVar[ColumnType] = ColumnType.BOOLEAN


@dataclass(frozen=True, slots=True)
class In:
    """Membership of a list of literals that are not null."""

    operand: Node
    values: tuple[Literal, ...]
    type: ClassVar[ColumnType] = ColumnType.BOOLEAN


@dataclass(frozen=True, slots=True)
class InList:
    """Membership of a list that is kept beside the records, by its name; the operand is a column of texts."""

    operand: Column
    name: str
    type: ClassVar[ColumnType] = ColumnType.BOOLEAN


@dataclass(frozen=True, slots=True)
class Like:
    """A text matches a pattern: % stands for any characters, _ for one."""

    operand: Node
    pattern: str
    type: ClassVar[ColumnType] = ColumnType.BOOLEAN


@dataclass(frozen=True, slots=True)
class IsNull:
    """Whether an expression of any type is null; never null itself."""

    operand: Node
    type: ClassVar[ColumnType] = ColumnType.BOOLEAN


@dataclass(frozen=True, slots=True)
class Not:
    """False for true, true for false, null for null."""

    operand: Node
    type: ClassVar[ColumnType] = ColumnType.BOOLEAN


@dataclass(frozen=True, slots=True)
class And:
    """False if a part is false, else null if a part is null, else true."""

    parts: tuple[Node, ...]
    type: ClassVar[ColumnType] = ColumnType.BOOLEAN


@dataclass(frozen=True, slots=True)
class Or:
    """True if a part is true, else null if a part is null, else false."""

    parts: tuple[Node, ...]
    type: ClassVar[ColumnType] = ColumnType.BOOLEAN


Node = (
    Column | Literal | Arithmetic | Shift | Case | Call | Compare | Between | In | InList | Like | IsNull
    | Not | And | Or
)  # fmt: skip

FUNCTIONS: dict[str, tuple[ColumnType, ColumnType]] = {
    "abs": (ColumnType.NUMBER, ColumnType.NUMBER),
    "round": (ColumnType.NUMBER, ColumnType.NUMBER),
    "floor": (ColumnType.NUMBER, ColumnType.NUMBER),
    "ceil": (ColumnType.NUMBER, ColumnType.NUMBER),
    "length": (ColumnType.TEXT, ColumnType.NUMBER),
    "lower": (ColumnType.TEXT, ColumnType.TEXT),
    "upper": (ColumnType.TEXT, ColumnType.TEXT),
    "trim": (ColumnType.TEXT, ColumnType.TEXT),
    "number": (ColumnType.TEXT, ColumnType.NUMBER),
    "hour": (ColumnType.TIMESTAMP, ColumnType.NUMBER),
    "dayofweek": (ColumnType.TIMESTAMP, ColumnType.NUMBER),
}
"""Functions of one argument: its type and the type of the result."""

TEXT_FUNCTIONS = {"replace": (3, 3), "substring": (3, 3), "concat": (2, 50)}
"""Functions that make a text of texts, and how many arguments they take. The second and third argument of `replace` and
of `substring` (from which character, counted from 1, and how many) are literals."""

BLANKS = " \t\r\n"
"""What `trim` takes away at both ends."""
NUMBER_PATTERN = r"-?[0-9]{1,15}(\.[0-9]{1,15})?"
NUMBER_CHARACTERS_MAX = 16
"""What `number` reads: as many digits as a double holds exactly. Every other text has no number and becomes null."""

CHOICES = ("coalesce", "least", "greatest")
"""Functions of two or more arguments of one type, which is also the type of the result."""


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below a node, in the order of the text."""
    match node:
        case Column() | Literal():
            return ()
        case Arithmetic() | Compare():
            return (node.left, node.right)
        case Shift():
            return (node.moment,)
        case Case():
            return (*(each for branch in node.branches for each in branch), node.otherwise)
        case Call():
            return node.arguments
        case Between():
            return (node.operand, node.low, node.high)
        case In():
            return (node.operand, *node.values)
        case InList() | Like() | IsNull() | Not():
            return (node.operand,)
        case And() | Or():
            return node.parts


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def with_lists(node: Node, members: Mapping[str, Collection[str]]) -> Node:
    """The same tree with the members of each list written into it, for back ends that have no lists beside them.

    Raises KeyError for a list that is not among them.
    """
    if isinstance(node, InList):
        listed = tuple(Literal(value, ColumnType.TEXT) for value in members[node.name])
        # Nothing is on an empty list; comparing a value with itself says so, and leaves null null.
        return In(node.operand, listed) if listed else Compare("<>", node.operand, node.operand)
    changed = {
        each.name: _with_lists(getattr(node, each.name), members)
        for each in fields(node)
        if each.name not in ("name", "type", "operator", "value", "pattern", "microseconds")
    }
    return replace(node, **changed) if changed else node


def _with_lists(found: Any, members: Mapping[str, Collection[str]]) -> Any:
    if isinstance(found, tuple):
        return tuple(_with_lists(each, members) for each in found)
    return with_lists(found, members)


def may_be_nan(node: Node) -> bool:
    """Whether a back end can compute NaN, which means null, for this number instead of a true null.

    Arithmetic carries NaN along as it carries null, so back ends turn NaN into null only where the difference shows.
    """
    match node:
        case Arithmetic():
            return True
        case Case():
            return any(may_be_nan(value) for _, value in node.branches) or may_be_nan(node.otherwise)
        case Call(name="abs" | "round" | "floor" | "ceil"):
            return may_be_nan(node.arguments[0])
        case _:
            return False


def pattern_parts(pattern: str) -> tuple[str, str]:
    """A LIKE pattern as (kind, argument): prefix, suffix or contains with its text, or else an anchored regex.

    The regex means the same to RE2 and to Rust's engine: only their metacharacters are escaped, `.` is one code point.
    """
    inner = pattern.strip("%")
    if "%" not in inner and "_" not in inner:
        starts, ends = pattern.startswith("%"), pattern.endswith("%")
        if starts and ends:
            return "contains", inner
        if starts or ends:
            return ("suffix" if starts else "prefix"), inner
    wild = {"%": ".*", "_": "."}
    body = "".join(wild.get(each) or (f"\\{each}" if each in r"\.+*?()|[]{}^$" else each) for each in pattern)
    return "regex", rf"\A(?s:{body})\z"
