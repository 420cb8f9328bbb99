"""Reading statements before the sandbox does: one question, its parameters, its layout. DuckDB has the last word."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from itertools import pairwise
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from finer.workspace.errors import StatementRefused

DIALECT = "duckdb"
STATEMENT_MAX = 50_000
_ASKS = (exp.Query, exp.Describe, exp.Summarize, exp.Show, exp.Pivot, exp.Values)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_POSITION = re.compile(r"LINE (\d+): (.*)\n( *)\^")
_ENDS_VALUE = frozenset({
    TokenType.VAR, TokenType.STRING, TokenType.NUMBER, TokenType.IDENTIFIER, TokenType.R_BRACKET, TokenType.R_PAREN,
})  # fmt: skip
_TOO_DEEP = "The statement is nested too deep to be read. Break it up with WITH."


def read_question(statement: str) -> exp.Expr:
    """The tree of a statement that is one question (SELECT, WITH, FROM, DESCRIBE, SHOW, SUMMARIZE, PIVOT, VALUES).

    Raises StatementRefused, with the `position` of what is wrong where it is known.
    """
    if len(statement) > STATEMENT_MAX:
        raise StatementRefused(f"A statement may have {STATEMENT_MAX:,} characters; this has {len(statement):,}.")
    if "\0" in statement:
        raise StatementRefused("The statement holds a NUL character. Take it out.", position=statement.index("\0"))
    try:
        trees = [tree for tree in sqlglot.parse(statement, read=DIALECT) if tree is not None]
    except ParseError as error:
        raise _refused(statement, error) from error
    except TokenError as error:
        raise StatementRefused(f"The statement cannot be read: {_first_line(error)}.") from error
    except (RecursionError, SqlglotError) as error:
        raise StatementRefused(_TOO_DEEP) from error
    if len(trees) != 1:
        raise StatementRefused(
            "There is no statement here. Write a SELECT." if not trees
            else f"Send one statement at a time; this is {len(trees)}."
        )  # fmt: skip
    (tree,) = trees
    if not isinstance(tree, _ASKS):
        word = statement.split(None, 1)[0][:20].upper()
        raise StatementRefused(f"Only SELECT, WITH, DESCRIBE, SHOW and SUMMARIZE are allowed, not {word}.", position=0)
    return tree


def _refused(statement: str, error: ParseError) -> StatementRefused:
    if not error.errors:
        return StatementRefused(f"The statement cannot be read: {_first_line(error)}.")
    first = error.errors[0]
    lines = statement.split("\n")
    line = int(first.get("line") or 1)
    # sqlglot counts columns from 1 and points behind the word that it stumbled over.
    column = max(0, int(first.get("col") or 1) - len(str(first.get("highlight") or "")))
    position = min(sum(len(one) + 1 for one in lines[: line - 1]) + column, len(statement))
    near = str(first.get("highlight") or "").strip()
    what = f"near {near[:60]!r}" if near else "at its end"
    return StatementRefused(
        f"The statement cannot be read in line {line} {what}: {first.get('description')}.", position=position
    )


def _first_line(error: Exception) -> str:
    return str(error).split("\n", maxsplit=1)[0][:200].rstrip(".")


def error_position(statement: str, detail: str) -> int | None:
    """Where DuckDB's message points, in characters from the beginning of the statement; None when it does not."""
    match = _POSITION.search(detail)
    if match is None:
        return None
    lines = statement.split("\n")
    number, excerpt, indent = int(match[1]), match[2], len(match[3]) - len(f"LINE {match[1]}: ")
    if number > len(lines) or indent < 0:
        return None
    # A long line is shown from somewhere in its middle.
    shown = excerpt.strip(".").strip()
    offset = lines[number - 1].find(shown) if shown else -1
    lead = len(excerpt) - len(excerpt.lstrip(". ")) if excerpt.startswith("...") else 0
    column = indent if not excerpt.startswith("...") or offset < 0 else offset + indent - lead
    return min(sum(len(one) + 1 for one in lines[: number - 1]) + column, len(statement))


def placeholders(statement: str) -> list[tuple[int, str]]:
    """Every `:name` of a statement with its position. What follows a value is a slice or a field, and no parameter."""
    tokens = _tokens(statement)
    found = []
    for before, colon, name in zip([None, *tokens], tokens, tokens[1:], strict=False):
        if colon.token_type is not TokenType.COLON or name.start != colon.end + 1 or not _NAME.match(name.text):
            continue
        if before is not None and before.token_type in _ENDS_VALUE and before.end + 1 == colon.start:
            continue
        found.append((colon.start, statement[name.start : name.end + 1]))
    return found


def bound(statement: str, names: Collection[str]) -> str:
    """The statement with `:name` written `$name`, as DuckDB binds it, for the given names; no position changes."""
    characters = list(statement)
    for position, name in placeholders(statement):
        if name in names:
            characters[position] = "$"
    return "".join(characters)


def named_parameters(statement: str) -> list[str]:
    """The names of `:name` and `$name` in a statement, in the order in which they first appear."""
    tokens = _tokens(statement)
    dollars = [
        (mark.start, name.text)
        for mark, name in pairwise(tokens)
        if mark.token_type is TokenType.PARAMETER and name.start == mark.end + 1 and _NAME.match(name.text)
    ]
    return list(dict.fromkeys(name for _, name in sorted([*placeholders(statement), *dollars])))


def _tokens(statement: str) -> list[Token]:
    try:
        return sqlglot.tokenize(statement, read=DIALECT)
    except SqlglotError as error:
        raise StatementRefused(f"The statement cannot be read: {_first_line(error)}.") from error


def laid_out(statement: str) -> str:
    """The same statement, laid out. Raises StatementRefused when it cannot be read."""
    names = [name for _, name in placeholders(statement)]
    tree = read_question(bound(statement, names))
    try:
        text = tree.sql(dialect=DIALECT, pretty=True, normalize_functions=False)
    except RecursionError as error:
        raise StatementRefused(_TOO_DEEP) from error
    for name in names:
        text = re.sub(rf"\${name}\b", f":{name}", text)
    return text


def tables_of(tree: exp.Expr) -> list[str]:
    """The tables that a question reads, without the names that it gives itself."""
    own = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
    names = (table.name for table in tree.find_all(exp.Table))
    return list(dict.fromkeys(name for name in names if name and name.lower() not in own))


def texts(items: Iterable[Any]) -> str:
    """Things in a sentence: `a, b and c`."""
    words = [str(item) for item in items]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
