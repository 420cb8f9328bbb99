"""Conditions for people: the canonical text of a tree, and a reading of it in plain English."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from finer.kit.conditions import tree as t
from finer.kit.conditions.parse import RESERVED
from finer.kit.conditions.tree import ColumnType, Node

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WORDS = {"=": "is", "<>": "is not", "<": "is below", "<=": "is at most", ">": "is above", ">=": "is at least"}
_TIME_WORDS = {**_WORDS, "<": "is before", "<=": "is at or before", ">": "is after", ">=": "is at or after"}
_ARITHMETIC = {"+": "plus", "-": "minus", "*": "times", "/": "divided by", "%": "modulo"}
_PATTERNS = {"prefix": "starts with", "suffix": "ends with", "contains": "contains"}
_PHRASES = {
    "abs": "the absolute value of {}",
    "round": "{} rounded",
    "floor": "{} rounded down",
    "ceil": "{} rounded up",
    "length": "the length of {}",
    "lower": "{} in lower case",
    "upper": "{} in upper case",
    "trim": "{} without blanks around it",
    "number": "{} as a number",
    "hour": "the hour of {}",
    "dayofweek": "the day of the week of {} (0 is Sunday)",
}
_IS = " is "
_UNITS = (("day", 86_400 * 10**6), ("hour", 3600 * 10**6), ("minute", 60 * 10**6), ("second", 10**6))


def to_text(node: Node) -> str:
    """The canonical text of a tree: parsing it gives the same tree again."""
    match node:
        case t.Column():
            return _name(node.name)
        case t.Literal():
            return _literal(node)
        case t.Arithmetic():
            return f"{_inner(node.left)} {node.operator} {_inner(node.right)}"
        case t.Compare():
            return f"{_side(node.left)} {node.operator} {_side(node.right)}"
        case t.Shift():
            sign = "-" if node.microseconds < 0 else "+"
            return f"{_inner(node.moment)} {sign} interval '{_duration(abs(node.microseconds))}'"
        case t.Case():
            branches = " ".join(f"when {to_text(when)} then {to_text(then)}" for when, then in node.branches)
            return f"case {branches} else {to_text(node.otherwise)} end"
        case t.Call():
            return f"{node.name}({', '.join(to_text(each) for each in node.arguments)})"
        case _:
            return _condition_text(node)


def _condition_text(node: Node) -> str:
    match node:
        case t.Between():
            return f"{_side(node.operand)} between {_side(node.low)} and {_side(node.high)}"
        case t.In():
            return f"{_side(node.operand)} in ({', '.join(_literal(each) for each in node.values)})"
        case t.InList():
            return f"in_list({to_text(node.operand)}, {_quoted(node.name)})"
        case t.Like():
            return f"{_inner(node.operand)} like {_quoted(node.pattern)}"
        case t.IsNull():
            return f"{_inner(node.operand)} is null"
        case t.Not():
            return f"not {_inner(node.operand)}"
        case t.And():
            return " and ".join(_part(part) for part in node.parts)
        case t.Or():
            return " or ".join(_part(part) for part in node.parts)
    raise AssertionError(node)


def plain_language(node: Node, names: Mapping[str, str]) -> str:
    """A reading in English; `names` says what to call a column."""
    return _Reader(names).read(node)


class _Reader:
    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def read(self, node: Node) -> str:
        match node:
            case t.Column():
                return self.holds(node, "is") if node.type is ColumnType.BOOLEAN else self.name(node)
            case t.Literal():
                return self.literal(node)
            case t.Arithmetic():
                return f"{self.part(node.left)} {_ARITHMETIC[node.operator]} {self.part(node.right)}"
            case t.Shift():
                word = "minus" if node.microseconds < 0 else "plus"
                return f"{self.part(node.moment)} {word} {_duration(abs(node.microseconds))}"
            case t.Case():
                branches = [f"{self.part(then)} when {self.part(when)}" for when, then in node.branches]
                return f"{', '.join(branches)}, otherwise {self.part(node.otherwise)}"
            case t.Call():
                return self.call(node)
            case t.And() | t.Or():
                parts = [self.part(part) for part in node.parts]
                return _listed(parts, "and" if isinstance(node, t.And) else "or")
            case t.Not():
                return self.negated(node.operand)
            case _:
                return self.condition(node, "is", "")

    def name(self, column: t.Column) -> str:
        return self.names.get(column.name, column.name)

    def holds(self, column: t.Column, verb: str) -> str:
        """A column that is true or false; one that is described by a sentence is that sentence."""
        name = self.name(column)
        if _IS in name:
            return name.replace(_IS, f" {verb} ", 1)
        return f"{name} is {'true' if verb == 'is' else 'false'}"

    def condition(self, node: Node, verb: str, negation: str) -> str:
        """`verb` is "is" or "is not"; `negation` is "" or "does not "."""
        match node:
            case t.Compare():
                words = _TIME_WORDS if node.left.type is ColumnType.TIMESTAMP else _WORDS
                return f"{self.part(node.left)} {words[node.operator]} {self.part(node.right)}"
            case t.Between():
                return f"{self.part(node.operand)} {verb} between {self.part(node.low)} and {self.part(node.high)}"
            case t.In():
                values = _listed([self.literal(each) for each in node.values], "or")
                return f"{self.part(node.operand)} {verb} {values}"
            case t.InList():
                return f"{self.part(node.operand)} {verb} on the list {node.name}"
            case t.Like():
                kind, argument = t.pattern_parts(node.pattern)
                word = _PATTERNS.get(kind, "matches")
                shown = argument if kind in _PATTERNS else node.pattern
                return f'{self.part(node.operand)} {_negated(word, negation)} "{shown}"'
            case t.IsNull():
                whether = "whether " if node.operand.type is ColumnType.BOOLEAN else ""
                return f"{whether}{self.part(node.operand)} {verb} missing"
        raise AssertionError(node)

    def negated(self, node: Node) -> str:
        if isinstance(node, t.Between | t.In | t.InList | t.Like | t.IsNull):
            return self.condition(node, "is not", "does not ")
        if isinstance(node, t.Column):
            return self.holds(node, "is not")
        return f"it is not so that {self.part(node)}"

    def call(self, node: t.Call) -> str:
        arguments = [self.part(each) for each in node.arguments]
        match node.name:
            case "coalesce":
                return f"{', or if missing '.join(arguments)}"
            case "least" | "greatest":
                return f"the {'smallest' if node.name == 'least' else 'largest'} of {_listed(arguments, 'and')}"
            case "starts_with":
                return f"{arguments[0]} starts with {arguments[1]}"
            case "replace":
                return f"{arguments[0]} with {arguments[2]} for every {arguments[1]}"
            case "substring":
                return f"{arguments[2]} characters of {arguments[0]} from character {arguments[1]} on"
            case "concat":
                return f"{_listed(arguments, 'and')} joined"
        return _PHRASES[node.name].format(arguments[0])

    def part(self, node: Node) -> str:
        compound = isinstance(node, t.And | t.Or | t.Arithmetic | t.Case | t.Shift)
        return f"({self.read(node)})" if compound else self.read(node)

    def literal(self, node: t.Literal) -> str:
        if node.value is None:
            return "missing"
        if node.type is ColumnType.TEXT:
            return f'"{node.value}"'
        if node.type is ColumnType.TIMESTAMP:
            return f"{_moment(node):%Y-%m-%d %H:%M:%S} UTC"
        return _literal(node).strip("()")


def _negated(word: str, negation: str) -> str:
    if not negation:
        return word
    return negation + {"matches": "match"}.get(word, word.replace("s ", " ") if " " in word else word.rstrip("s"))


def _listed(parts: list[str], word: str) -> str:
    return f" {word} ".join(parts) if len(parts) < 3 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def _inner(node: Node) -> str:
    """An operand of anything that binds tightly: bracketed unless it is one word or one call."""
    simple = isinstance(node, t.Column | t.Literal | t.Call | t.InList)
    return to_text(node) if simple else f"({to_text(node)})"


def _side(node: Node) -> str:
    """An operand of a comparison; arithmetic binds more tightly than any."""
    return to_text(node) if isinstance(node, t.Arithmetic | t.Shift) else _inner(node)


def _part(node: Node) -> str:
    """A part of a chain; predicates bind more tightly than `and` and `or`."""
    return _inner(node) if isinstance(node, t.And | t.Or) else to_text(node)


def _name(name: str) -> str:
    parts = name.split(".")
    plain = all(part.isascii() and part.isidentifier() and part.upper() not in RESERVED for part in parts)
    return name if plain else '"' + name.replace('"', '""') + '"'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _literal(node: t.Literal) -> str:
    if node.value is None:
        return "null"
    if node.type is ColumnType.NUMBER:
        number = float(node.value)
        written = str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
        return f"({written})" if number < 0 else written
    if node.type is ColumnType.TIMESTAMP:
        return f"timestamp '{_moment(node).isoformat(sep=' ')}'"
    return _quoted(str(node.value)) if node.type is ColumnType.TEXT else str(node.value).lower()


def _moment(node: t.Literal) -> datetime:
    return _EPOCH + timedelta(microseconds=int(node.value or 0))


def _duration(microseconds: int) -> str:
    fitting = (unit for unit in _UNITS if microseconds and microseconds % unit[1] == 0)
    unit, length = next(fitting, ("microsecond", 1))
    count = microseconds // length
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
