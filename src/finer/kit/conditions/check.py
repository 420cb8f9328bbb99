"""From sqlglot's syntax tree to our own, checked against the catalogue; every error has its place in the text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

from sqlglot import exp

from finer.kit.conditions.errors import ConditionError
from finer.kit.conditions.tree import (
    CHOICES,
    DEPTH_MAX,
    FUNCTIONS,
    TEXT_FUNCTIONS,
    And,
    Arithmetic,
    Between,
    Call,
    Case,
    Catalogue,
    Column,
    ColumnType,
    Compare,
    In,
    InList,
    IsNull,
    Like,
    Literal,
    Node,
    Not,
    Or,
    Shift,
    children,
)

NUMBER, TEXT, BOOLEAN, TIMESTAMP = ColumnType.NUMBER, ColumnType.TEXT, ColumnType.BOOLEAN, ColumnType.TIMESTAMP
ROUND_DIGITS_MAX = 9
SUBSTRING_MAX = 100_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip
_ARITHMETIC: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_UNITS = {"microsecond": 1, "second": 10**6, "minute": 60 * 10**6, "hour": 3600 * 10**6, "day": 86400 * 10**6}
_SHIFT_MAX_US = 100_000 * _UNITS["day"]
_INTERVAL = re.compile(rf"\s*(\d{{1,15}})\s*({'|'.join(_UNITS)})s?\s*", re.ASCII | re.IGNORECASE)
_UNDERSTOOD = {
    "this",
    "expression",
    "expressions",
    "low",
    "high",
    "ifs",
    "default",
    "true",
    "negate",
    "is_string",
    "field",
}
_HARMLESS = {"typed", "safe", "quoted"}  # set by the parser on every division and name


def check(tree: exp.Expr, text: str, catalogue: Catalogue) -> Node:
    """The checked tree of a parsed text. Raises ConditionError for names, types and syntax that cannot be."""
    return _Checker(text, catalogue).any(tree, 0)


def check_boolean(tree: exp.Expr, text: str, catalogue: Catalogue) -> Node:
    """The same for a text that must be true or false. Raises ConditionError."""
    return _Checker(text, catalogue).boolean(tree, 0)


class _Checker:
    def __init__(self, text: str, catalogue: Catalogue) -> None:
        self.text = text
        self.catalogue = catalogue
        self.kinds: dict[type[exp.Expr], Callable[[exp.Expr, int], Node]] = {
            exp.Column: self._column,
            exp.Literal: self._literal,
            exp.Boolean: lambda tree, _: Literal(bool(tree.this), BOOLEAN),
            exp.Null: lambda _tree, _depth: Literal(None, NUMBER),
            exp.Neg: self._negative,
            exp.And: self._chain,
            exp.Or: self._chain,
            exp.Not: lambda tree, depth: Not(self.boolean(tree.this, depth)),
            exp.Between: self._between,
            exp.In: self._in,
            exp.Is: self._is,
            exp.Like: self._like,
            exp.Case: self._case,
            exp.Anonymous: self._call,
            **dict.fromkeys(_COMPARISONS, self._compare),
            **dict.fromkeys(_ARITHMETIC, self._arithmetic),
        }

    def error(self, message: str, tree: exp.Expr, hint: str = "") -> ConditionError:
        starts = [each.meta["start"] for each in tree.walk() if "start" in each.meta]
        return ConditionError(message, self.text, min(starts, default=0), hint)

    def any(self, tree: exp.Expr, depth: int) -> Node:
        """Any expression; a bare null counts as a number."""
        tree = _bare(tree)
        if depth > DEPTH_MAX:
            raise self.error("The condition is nested too deeply here", tree, "Use brackets or derived columns.")
        kind = self.kinds.get(type(tree))
        unknown = any(value and key not in _UNDERSTOOD | _HARMLESS for key, value in tree.args.items())
        if kind is None or unknown or (tree.args.get("negate") and not isinstance(tree, exp.Like | exp.Is)):
            raise self.error("The condition cannot be read here", tree, "Check the operators, commas and quotes.")
        return kind(tree, depth + 1)

    def boolean(self, tree: exp.Expr, depth: int) -> Node:
        if _is_null(tree):
            return Literal(None, BOOLEAN)
        node = self.any(tree, depth)
        if node.type is not BOOLEAN:
            message = f"{_named(tree, node)}; something true or false is needed here"
            raise self.error(message, tree, "Compare it, for example with > 0 or with = 'text'.")
        return node

    def typed(self, tree: exp.Expr, kind: ColumnType, depth: int, reason: str) -> Node:
        if _is_null(tree):
            return Literal(None, kind)
        node = self.any(tree, depth)
        if node.type is not kind:
            raise self.error(f"{_named(tree, node)}; {reason} needs a {kind.value}", tree, _type_hint(node, kind))
        return node

    def same(self, trees: list[exp.Expr], depth: int, reason: str) -> list[Node]:
        """Expressions that must share one type; a null takes the type of the others."""
        first = next((at for at, tree in enumerate(trees) if not _is_null(tree)), 0)
        node = self.any(trees[first], depth)
        others = [(at, tree) for at, tree in enumerate(trees) if at != first]
        nodes = {at: self.typed(tree, node.type, depth, reason) for at, tree in others}
        return [node if at == first else nodes[at] for at in range(len(trees))]

    def _column(self, tree: exp.Expr, _depth: int) -> Node:
        name = tree.name
        kind = self.catalogue.columns.get(name)
        if kind is None:
            by_folded = {each.casefold(): each for each in self.catalogue.columns}
            close = get_close_matches(name[:100].casefold(), by_folded, n=1, cutoff=0.6)
            hint = f"Did you mean {by_folded[close[0]]}?" if close else "The catalogue lists the columns that exist."
            raise self.error(f"There is no column {name[:100]}", tree, hint)
        return Column(name, kind)

    def _literal(self, tree: exp.Expr, _depth: int) -> Node:
        written = str(tree.this)
        if tree.args.get("is_string"):
            return Literal(written, TEXT)
        try:
            number = float(written)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise self.error(f"{written[:40]} is not a number within ±1.8e308", tree)
        return Literal(number, NUMBER)

    def _negative(self, tree: exp.Expr, depth: int) -> Node:
        node = self.typed(tree.this, NUMBER, depth, "the minus sign")
        if isinstance(node, Literal):
            return Literal(None if node.value is None else -float(node.value), NUMBER)
        return Arithmetic("-", Literal(0.0, NUMBER), node)

    def _chain(self, tree: exp.Expr, depth: int) -> Node:
        kind = type(tree)
        waiting, parts = [tree], []
        while waiting:
            # The parser nests a chain to the left, one level for each word, so it is taken apart without recursion.
            each = _bare(waiting.pop())
            if type(each) is kind:
                waiting += [each.expression, each.this]
            else:
                parts.append(self.boolean(each, depth))
        return And(tuple(parts)) if kind is exp.And else Or(tuple(parts))

    def _compare(self, tree: exp.Expr, depth: int) -> Node:
        operator = _COMPARISONS[type(tree)]
        left, right = self.same([tree.this, tree.expression], depth, f"the other side of {operator}")
        if left.type is not BOOLEAN:
            if operator not in ("=", "<>"):
                self._needs_strings(left, right, what=f"be compared with {operator}", tree=tree)
            return Compare(operator, left, right)
        if isinstance(left, Literal):
            left, right = right, left
        if operator not in ("=", "<>") or not isinstance(right, Literal):
            hint = "Write the name alone, or not and the name; join several with and, or."
            raise self.error("True and false are compared with = true or = false only", tree, hint)
        if right.value is None:
            return Literal(None, BOOLEAN)
        return left if right.value is (operator == "=") else Not(left)

    def _between(self, tree: exp.Expr, depth: int) -> Node:
        operand, low, high = self.same([tree.this, tree.args["low"], tree.args["high"]], depth, "between")
        if operand.type is BOOLEAN:
            raise self.error("True and false have no order", tree, "Use = true or = false.")
        self._needs_strings(operand, low, high, what="be compared with between", tree=tree)
        return Between(operand, low, high)

    def _in(self, tree: exp.Expr, depth: int) -> Node:
        listed = tree.args.get("expressions") or []
        if not listed:
            raise self.error("A list of values must follow in", tree, "For example: channel in ('pos', 'atm').")
        operand, *values = self.same([tree.this, *listed], depth, "the list after in")
        if operand.type is BOOLEAN:
            raise self.error("True and false are not looked up in a list", tree, "Use = true or = false.")
        literals = [value for value in values if isinstance(value, Literal)]
        if len(literals) < len(values):
            raise self.error("The list after in holds fixed values only", tree, "Join comparisons with or instead.")
        known = tuple(value for value in literals if value.value is not None)
        parts: tuple[Node, ...] = (In(operand, known),) if known else ()
        if len(known) < len(literals):
            parts = (*parts, Literal(None, BOOLEAN))  # SQL: not found in a list with a null is unknown
        return Or(parts) if len(parts) > 1 else parts[0]

    def _is(self, tree: exp.Expr, depth: int) -> Node:
        if not _is_null(tree.expression):
            raise self.error("Only null follows is", tree, "Use = true, = false, or is null.")
        node = IsNull(self.any(tree.this, depth))
        return Not(node) if tree.args.get("negate") else node

    def _like(self, tree: exp.Expr, depth: int) -> Node:
        operand = self.typed(tree.this, TEXT, depth, "like")
        pattern = self._fixed_text(tree.expression, depth, "like")
        self._needs_strings(operand, what="be searched with like", tree=tree)
        return Not(Like(operand, pattern)) if tree.args.get("negate") else Like(operand, pattern)

    def _fixed_text(self, tree: exp.Expr, depth: int, reason: str) -> str:
        node = self.typed(tree, TEXT, depth, reason)
        if not isinstance(node, Literal) or node.value is None:
            raise self.error(f"A text in quotes must follow {reason}", tree, "For example: name like 'ACME%'.")
        return str(node.value)

    def _arithmetic(self, tree: exp.Expr, depth: int) -> Node:
        operator = _ARITHMETIC[type(tree)]
        left, right = tree.this, tree.expression
        if operator == "+" and _is_interval(left):
            left, right = right, left
        if operator in "+-" and _is_interval(right):
            length = self._interval(_bare(right))
            moment = self.typed(left, TIMESTAMP, depth, "adding an interval")
            return Shift(moment, length if operator == "+" else -length)
        reason = f"the operator {operator}"
        node = Arithmetic(operator, self.typed(left, NUMBER, depth, reason), self.typed(right, NUMBER, depth, reason))
        if operator in "/%" and isinstance(node.right, Literal) and node.right.value == 0:
            raise self.error("A division by zero has no value", right, "Divide by something else.")
        return node

    def _interval(self, tree: exp.Expr) -> int:
        listed = tree.args.get("expressions") or []
        written = _INTERVAL.fullmatch(str(listed[0].this)) if listed else None
        length = int(written[1]) * _UNITS[written[2].lower()] if written else -1
        if not 0 <= length <= _SHIFT_MAX_US:
            hint = "Write for example interval '30 days'; microseconds to days are known, up to 100,000 days."
            raise self.error("This interval cannot be read", tree, hint)
        return length

    def _timestamp(self, tree: exp.Expr) -> Node:
        try:
            moment = datetime.fromisoformat(str((tree.args["expressions"])[0].this).strip())
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError) as error:
            hint = "Write timestamp '2026-01-31 18:30:00' (UTC), or with an offset such as +08:00."
            raise self.error("This timestamp cannot be read", tree, hint) from error
        return Literal((moment - _EPOCH) // timedelta(microseconds=1), TIMESTAMP)

    def _case(self, tree: exp.Expr, depth: int) -> Node:
        ifs = tree.args.get("ifs") or []
        if tree.this is not None or not ifs:
            raise self.error("Conditions must follow when", tree, "Write case when a = 1 then ... else ... end.")
        values = [each.args["true"] for each in ifs] + [tree.args.get("default") or exp.Null()]
        *results, otherwise = self.same(values, depth, "every branch of this case")
        conditions = [self.boolean(each.this, depth) for each in ifs]
        return Case(tuple(zip(conditions, results, strict=True)), otherwise, otherwise.type)

    def _call(self, tree: exp.Expr, depth: int) -> Node:
        name, given = str(tree.this), tree.args.get("expressions") or []
        if name == "interval":
            raise self.error("An interval can only be added to a timestamp or taken from it", tree)
        wanted = (
            {"round": (1, 2), "starts_with": (2, 2), "in_list": (2, 2)}
            | dict.fromkeys(CHOICES, (2, 50))
            | TEXT_FUNCTIONS
        )
        fewest, most = wanted.get(name, (1, 1))
        if not fewest <= len(given) <= most:
            counts = f"{fewest} to {most}" if fewest < most else str(fewest)
            raise self.error(f"{name} takes {counts} argument{'s' * (most > 1)}, not {len(given)}", tree)
        if name == "timestamp":
            return self._timestamp(tree)
        if name in CHOICES:
            arguments = self.same(given, depth, name)
            if name != "coalesce" and arguments[0].type not in (NUMBER, TIMESTAMP):
                raise self.error(f"{name} takes numbers or timestamps", tree)
            return Call(name, tuple(arguments), arguments[0].type)
        if name == "in_list":
            return self._in_list(given, depth)
        if name == "starts_with":
            operand = self.typed(given[0], TEXT, depth, name)
            self._needs_strings(operand, what="be searched with starts_with", tree=tree)
            return Call(name, (operand, Literal(self._fixed_text(given[1], depth, name), TEXT)), BOOLEAN)
        if name in TEXT_FUNCTIONS:
            return self._text_call(name, given, depth)
        kind, result = FUNCTIONS[name]
        node = self.typed(given[0], kind, depth, name)
        if kind is TEXT:
            self._needs_strings(node, what=f"be used with {name}", tree=tree)
        return self._rounded(node, given[1], depth) if len(given) > 1 else Call(name, (node,), result)

    def _in_list(self, given: list[exp.Expr], depth: int) -> Node:
        operand = self.typed(given[0], TEXT, depth, "in_list")
        name = self._fixed_text(given[1], depth, "in_list")
        columns = self.catalogue.lists.get(name)
        if columns is None:
            hint = f"There are: {', '.join(sorted(self.catalogue.lists)) or 'none yet'}."
            raise self.error(f"There is no list {name[:100]}", given[1], hint)
        if not isinstance(operand, Column) or operand.name not in columns:
            raise self.error(f"The list {name} is asked about {', '.join(sorted(columns))}", given[0])
        return InList(operand, name)

    def _text_call(self, name: str, given: list[exp.Expr], depth: int) -> Node:
        texts = given if name == "concat" else given[:1]
        arguments = [self.typed(each, TEXT, depth, name) for each in texts]
        for node, tree in zip(arguments, texts, strict=True):
            self._needs_strings(node, what=f"be used with {name}", tree=tree)
        if name == "replace":
            old, new = (self._fixed_text(each, depth, name) for each in given[1:])
            if not old:
                raise self.error("replace needs a text to look for", given[1], "For example: replace(name, '/', '-').")
            arguments += [Literal(old, TEXT), Literal(new, TEXT)]
        elif name == "substring":
            arguments += [self._whole(each, least, depth) for each, least in zip(given[1:], (1, 0), strict=True)]
        return Call(name, tuple(arguments), TEXT)

    def _whole(self, tree: exp.Expr, least: int, depth: int) -> Node:
        node = self.typed(tree, NUMBER, depth, "substring")
        if not isinstance(node, Literal) or node.value not in range(least, SUBSTRING_MAX + 1):
            hint = "For example: substring(day, 7, 4) for four characters from the seventh on."
            raise self.error(f"substring takes whole numbers from {least} to {SUBSTRING_MAX}", tree, hint)
        return node

    def _rounded(self, node: Node, digits: exp.Expr, depth: int) -> Node:
        # Written out as arithmetic, so that every back end rounds by the same steps.
        wanted = self.typed(digits, NUMBER, depth, "round")
        if not isinstance(wanted, Literal) or wanted.value not in range(ROUND_DIGITS_MAX + 1):
            raise self.error(f"round takes 0 to {ROUND_DIGITS_MAX} digits, as a number", digits)
        if wanted.value == 0:
            return Call("round", (node,), NUMBER)
        scale = Literal(10.0 ** int(wanted.value or 0), NUMBER)
        return Arithmetic("/", Call("round", (Arithmetic("*", node, scale),), NUMBER), scale)

    def _needs_strings(self, *nodes: Node, what: str, tree: exp.Expr) -> None:
        texts = [node for node in nodes if node.type is TEXT]
        for node in texts:
            if isinstance(node, Column) and node.name in self.catalogue.hashed:
                raise self.error(f"{node.name} cannot {what}", tree, "It can be compared with =, <> and in.")
            self._needs_strings(*children(node), what=what, tree=tree)


def _bare(tree: exp.Expr) -> exp.Expr:
    while isinstance(tree, exp.Paren):
        tree = tree.this
    return tree


def _is_null(tree: exp.Expr) -> bool:
    return isinstance(_bare(tree), exp.Null)


def _is_interval(tree: exp.Expr) -> bool:
    tree = _bare(tree)
    return isinstance(tree, exp.Anonymous) and tree.this == "interval"


def _named(tree: exp.Expr, node: Node) -> str:
    match node:
        case Column():
            return f"{node.name} is a {node.type.value}"
        case Literal(type=ColumnType.TEXT):
            return f"'{str(node.value)[:40]}' is a text"
        case Literal(type=ColumnType.NUMBER):
            return f"{_bare(tree).name or node.value} is a number"
        case _:
            return f"This is a {node.type.value}"


def _type_hint(node: Node, kind: ColumnType) -> str:
    if node.type is TEXT and isinstance(node, Literal):
        if kind is TIMESTAMP:
            return f"Write timestamp '{str(node.value)[:40]}'."
        return "Write it without quotes." if kind is NUMBER else ""
    if kind is TEXT and isinstance(node, Literal):
        return "Write it in single quotes."
    if node.type is TIMESTAMP and kind is NUMBER:
        return "Timestamps are compared with timestamps; an interval can be added to one."
    return ""
