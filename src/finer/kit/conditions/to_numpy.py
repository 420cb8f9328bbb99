"""Conditions for the stream: a tree becomes closures over `Columns`, whole arrays at a time, nothing per row.

Nulls cost nothing until they occur. Numbers are float64 with NaN for null and timestamps datetime64 with NaT, because
arithmetic carries both along and no comparison with them holds. A text is its 64-bit hash with 0 for null; the
characters are read only by patterns, order and text functions. Of a boolean, two arrays can be asked for, the rows
where it is true and the rows where it is false, and only the one that the answer needs is computed.

Two texts with one hash would count as equal: for a million different texts the chance is 3 in 100 million.
"""

from __future__ import annotations

import operator as op
from collections.abc import Callable
from functools import reduce
from typing import Any, TypeGuard
from typing import Literal as Choice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from finer.kit.columns import Columns
from finer.kit.conditions import tree as t
from finer.kit.conditions.numpy_functions import (
    FUNCTIONS,
    OF_TEXT,
    PATTERNS,
    TEXT_FUNCTIONS,
    flags,
    hashed,
    is_known,
    joined,
    pick_text,
    quotient,
    remainder,
    utf8,
)
from finer.kit.conditions.tree import ColumnType, Node

Mode = Choice["true", "false", "value", "hash", "arrow"]
"""What is asked of a node: rows where it is true or false, numbers or timestamps, text hashes, or Arrow text."""

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": op.eq, "<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge,
    # NaN differs from everything in NumPy; a null must not.
    "<>": lambda a, b: (a < b) | (a > b),
}  # fmt: skip
_OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRRORED = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_ARROW = {"<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal}
_BOTH: tuple[Mode, Mode] = ("true", "false")
_EXACT = 2.0**53  # below this, comparing an integer as an integer and as a double is the same
_FEW = 16  # up to so many values of a list, comparing with each is faster than sorting them


class _Run:
    """One evaluation: the batch, and the results of subexpressions that occur more than once."""

    __slots__ = ("columns", "done")

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.done: dict[int, Any] = {}


Evaluate = Callable[[_Run], Any]


class _Step:
    """One node in one mode; computed once in a run however many parents it has."""

    __slots__ = ("evaluate", "parents")

    def __init__(self, evaluate: Evaluate) -> None:
        self.evaluate = evaluate
        self.parents = 0

    def __call__(self, run: _Run) -> Any:
        if self.parents < 2:
            return self.evaluate(run)
        found = run.done.get(id(self))
        if found is None:
            found = run.done[id(self)] = self.evaluate(run)
        return found


class Program:
    """A tree compiled for one mode."""

    def __init__(self, node: Node, mode: Mode) -> None:
        self._start = _Compiler().step(node, mode)
        self._computes = any(isinstance(each, t.Arithmetic | t.Call) for each in t.walk(node))

    def run(self, columns: Columns) -> Any:
        """An array of shape (rows,); in mode arrow an Arrow array."""
        if self._computes:
            with np.errstate(all="ignore"):
                found = self._start(_Run(columns))
        else:
            # Comparing warns of nothing, and asking for silence takes as long as comparing a hundred rows.
            found = self._start(_Run(columns))
        if isinstance(found, pa.Scalar):
            return pa.repeat(found, columns.rows)
        return np.full(columns.rows, found) if np.ndim(found) == 0 and not isinstance(found, pa.Array) else found


def constant(node: Node) -> float | int | str | bool | None:
    """The value of a tree that names no column, as in Literal."""
    nothing = Columns(pa.RecordBatch.from_pydict({"row": [0]}))
    if node.type is ColumnType.TEXT:
        text: str | None = Program(node, "arrow").run(nothing)[0].as_py()
        return text
    if node.type is ColumnType.BOOLEAN:
        true, false = (Program(node, mode).run(nothing)[0] for mode in _BOTH)
        return bool(true) if true or false else None
    value = Program(node, "value").run(nothing)
    if np.isnan(value[0]):
        return None
    return int(value.view(np.int64)[0]) if node.type is ColumnType.TIMESTAMP else float(value[0])


class _Compiler:
    def __init__(self) -> None:
        self.steps: dict[tuple[Node, Mode], _Step] = {}
        self.kinds: dict[type[Any], Callable[[Any, Mode], Evaluate]] = {
            t.Column: self._column, t.Literal: self._literal, t.Arithmetic: self._arithmetic, t.Shift: self._shift,
            t.Case: self._case, t.Call: self._call, t.Compare: self._compare, t.Between: self._between, t.In: self._in,
            t.InList: self._in_list,
            t.Like: self._like, t.IsNull: self._is_null, t.Not: self._not, t.And: self._all, t.Or: self._all,
        }  # fmt: skip

    def step(self, node: Node, mode: Mode) -> _Step:
        found = self.steps.get((node, mode))
        if found is None:
            found = self.steps[node, mode] = _Step(self.kinds[type(node)](node, mode))
        found.parents += 1
        return found

    def value(self, node: Node) -> _Step:
        """The step whose result stands for the node in equality and null tests."""
        return self.step(node, "hash" if node.type is ColumnType.TEXT else "value")

    def _column(self, node: t.Column, mode: Mode) -> Evaluate:
        name = node.name
        if mode == "hash":
            return lambda run: run.columns.hashes(name)
        if mode == "arrow":
            return lambda run: utf8(run.columns.strings(name))
        if mode == "value":
            moments = node.type is ColumnType.TIMESTAMP
            return lambda run: (_moments if moments else _numbers)(run.columns, name)
        wanted = mode == "true"

        def of_boolean(run: _Run) -> Any:
            valid = run.columns.valid(name)
            hits = run.columns.values(name) == wanted
            return hits if valid is None else hits & valid

        return of_boolean

    def _literal(self, node: t.Literal, mode: Mode) -> Evaluate:
        value = _constant(node, mode)
        return lambda _: value

    def _arithmetic(self, node: t.Arithmetic, _: Mode) -> Evaluate:
        left, right = self.value(node.left), self.value(node.right)
        plain = {"+": op.add, "-": op.sub, "*": op.mul}.get(node.operator)
        if plain is not None:
            return lambda run: plain(left(run), right(run))
        if node.operator == "%":
            return lambda run: remainder(left(run), right(run))
        return lambda run: quotient(left(run), right(run))

    def _shift(self, node: t.Shift, _: Mode) -> Evaluate:
        moment, length = self.value(node.moment), np.timedelta64(node.microseconds, "us")
        return lambda run: moment(run) + length

    def _case(self, node: t.Case, mode: Mode) -> Evaluate:
        branches = [(self.step(when, "true"), self.step(then, mode)) for when, then in reversed(node.branches)]
        otherwise = self.step(node.otherwise, mode)
        pick = pick_text if mode == "arrow" else np.where

        def case(run: _Run) -> Any:
            found = otherwise(run)
            for when, then in branches:
                found = pick(when(run), then(run), found)
            return found

        return case

    def _call(self, node: t.Call, mode: Mode) -> Evaluate:
        if node.name == "coalesce":
            return self._coalesce(node, mode)
        if node.name in ("least", "greatest"):
            values = [self.value(each) for each in node.arguments]
            choose = np.fmin if node.name == "least" else np.fmax  # both pass over NaN and NaT
            return lambda run: reduce(choose, [each(run) for each in values])
        if node.name in t.TEXT_FUNCTIONS:
            return self._text_call(node, mode)
        if node.name == "starts_with":
            prefix = str(node.arguments[1].value) if isinstance(node.arguments[1], t.Literal) else ""
            return self._pattern(node.arguments[0], "prefix", prefix, mode)
        if mode == "hash":
            texts = self.step(node, "arrow")
            return lambda run: hashed(texts(run))
        argument = self.step(node.arguments[0], "value" if node.name not in OF_TEXT else "arrow")
        function = FUNCTIONS[node.name]
        return lambda run: function(argument(run))

    def _text_call(self, node: t.Call, mode: Mode) -> Evaluate:
        if mode == "hash":
            made = self.step(node, "arrow")
            return lambda run: hashed(made(run))
        texts = [self.step(each, "arrow") for each in node.arguments if each.type is ColumnType.TEXT]
        if node.name == "concat":
            return lambda run: joined([text(run) for text in texts])
        first, function = texts[0], TEXT_FUNCTIONS[node.name]
        fixed = [each.value for each in node.arguments[1:] if isinstance(each, t.Literal)]
        return lambda run: function(first(run), *fixed)

    def _coalesce(self, node: t.Call, mode: Mode) -> Evaluate:
        steps = [self.step(each, mode) for each in node.arguments]
        if mode == "arrow":
            return lambda run: pc.coalesce(*(each(run) for each in steps))
        if mode in ("hash", "value"):
            steps.reverse()
            return lambda run: reduce(lambda rest, each: np.where(is_known(each), each, rest), [s(run) for s in steps])
        other: Mode = "false" if mode == "true" else "true"
        against = [self.step(each, other) for each in node.arguments[:-1]]

        def first_known(run: _Run) -> Any:
            found = steps[-1](run)
            for wanted, unwanted in zip(reversed(steps[:-1]), reversed(against), strict=True):
                found = wanted(run) | (~unwanted(run) & found)
            return found

        return first_known

    def _compare(self, node: t.Compare, mode: Mode) -> Evaluate:
        operator = node.operator if mode == "true" else _OPPOSITE[node.operator]
        left, right = node.left, node.right
        if left.type is ColumnType.TEXT:
            return self._compare_texts(left, operator, right)
        if isinstance(left, t.Literal):
            left, right, operator = right, left, _MIRRORED[operator]
        if isinstance(left, t.Column) and left.type is ColumnType.NUMBER and _is_given(right):
            return _against_constant(left.name, operator, float(_constant(right, "value")))
        one, two, compare = self.value(left), self.value(right), _COMPARE[operator]
        return lambda run: compare(one(run), two(run))

    def _compare_texts(self, left: Node, operator: str, right: Node) -> Evaluate:
        if operator not in ("=", "<>"):
            first, second, compare = self.step(left, "arrow"), self.step(right, "arrow"), _ARROW[operator]
            return lambda run: flags(compare(first(run), second(run)))
        one, two = self.step(left, "hash"), self.step(right, "hash")
        # A hash is 0 for null only: equality with a known text needs no look at nulls, the rest does.
        known = [step for node, step in ((left, one), (right, two)) if not _is_given(node)]
        if operator == "=":
            known = known[:1] if len(known) == 2 else []
            return lambda run: reduce(op.and_, [each(run) != 0 for each in known], one(run) == two(run))
        return lambda run: reduce(op.and_, [each(run) != 0 for each in known], one(run) != two(run))

    def _between(self, node: t.Between, mode: Mode) -> Evaluate:
        both = t.And((t.Compare(">=", node.operand, node.low), t.Compare("<=", node.operand, node.high)))
        return self.step(both, mode)

    def _in(self, node: t.In, mode: Mode) -> Evaluate:
        operand = self.value(node.operand)
        listed = [_constant(each, "hash" if each.type is ColumnType.TEXT else "value") for each in node.values]
        several = np.array(listed)

        def among(run: _Run) -> tuple[Any, Any]:
            found = operand(run)
            few = len(listed) <= _FEW
            return found, reduce(op.or_, [found == each for each in listed]) if few else np.isin(found, several)

        if mode == "true":
            return lambda run: among(run)[1]

        def outside(run: _Run) -> Any:
            found, hits = among(run)
            return ~hits & is_known(found)

        return outside

    def _in_list(self, node: t.InList, mode: Mode) -> Evaluate:
        operand, name, negative = self.step(node.operand, "hash"), node.name, mode == "false"

        def asked(run: _Run) -> Any:
            found = operand(run)
            hits = run.columns.lists[name].holds(found)
            return ~hits & (found != 0) if negative else hits

        return asked

    def _like(self, node: t.Like, mode: Mode) -> Evaluate:
        return self._pattern(node.operand, *t.pattern_parts(node.pattern), mode)

    def _pattern(self, operand: Node, kind: str, argument: str, mode: Mode) -> Evaluate:
        texts, matches, negative = self.step(operand, "arrow"), PATTERNS[kind], mode == "false"
        return lambda run: flags(matches(texts(run), argument), negative)

    def _is_null(self, node: t.IsNull, mode: Mode) -> Evaluate:
        null = mode == "true"
        if node.operand.type is ColumnType.BOOLEAN:
            yes, no = self.step(node.operand, "true"), self.step(node.operand, "false")
            return lambda run: (yes(run) | no(run)) ^ null
        value = self.value(node.operand)
        return lambda run: is_known(value(run)) ^ null

    def _not(self, node: t.Not, mode: Mode) -> Evaluate:
        return self.step(node.operand, "false" if mode == "true" else "true")

    def _all(self, node: t.And | t.Or, mode: Mode) -> Evaluate:
        steps = [self.step(part, mode) for part in node.parts]
        join = op.and_ if isinstance(node, t.And) == (mode == "true") else op.or_
        first, rest = steps[0], steps[1:]
        every = join is op.and_

        def joined(run: _Run) -> Any:
            found = first(run)
            for each in rest:
                if every and not np.count_nonzero(found):
                    # No row is left that the rest could still decide; most rules hold for no row of a batch.
                    return found
                found = join(found, each(run))
            return found

        return joined


def _against_constant(name: str, operator: str, number: float) -> Evaluate:
    """A column compared with a number: the most frequent condition, without converting integers to doubles."""
    whole = int(number) if number.is_integer() and abs(number) < _EXACT else None
    wide, plain = np.float64(number), {**_COMPARE, "<>": op.ne}[operator]

    def compare(run: _Run) -> Any:
        values, valid = run.columns.values(name), run.columns.valid(name)
        if values.dtype.kind in "iu" and whole is not None:
            hits = plain(values, whole)
        else:
            hits = plain(values, wide)
            if operator == "<>" and values.dtype.kind == "f":
                hits &= ~np.isnan(values)
        return hits if valid is None else hits & valid

    return compare


def _numbers(columns: Columns, name: str) -> Any:
    values, valid = columns.values(name), columns.valid(name)
    values = values.astype(np.float64, copy=False)
    return values if valid is None else np.where(valid, values, np.nan)


def _moments(columns: Columns, name: str) -> Any:
    values, valid = columns.values(name).astype(np.int64, copy=False).view("M8[us]"), columns.valid(name)
    return values if valid is None else np.where(valid, values, np.datetime64("NaT", "us"))


def _constant(node: t.Literal, mode: Mode) -> Any:
    if node.type is ColumnType.BOOLEAN:
        return np.bool_(node.value is (mode == "true"))
    if node.type is ColumnType.TEXT:
        text = pa.scalar(node.value, pa.string())
        return text if mode == "arrow" else hashed(text)
    if node.type is ColumnType.TIMESTAMP:
        return np.datetime64("NaT" if node.value is None else int(node.value), "us")
    return np.float64(np.nan if node.value is None else node.value)


def _is_given(node: Node) -> TypeGuard[t.Literal]:
    return isinstance(node, t.Literal) and node.value is not None
