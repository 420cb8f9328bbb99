"""From text to sqlglot's syntax tree, through a door that only the words of the condition language fit through.

sqlglot reads far more than conditions. Its tokenizer is reduced here to our words, every token that is not ours is
refused with its place before the parser sees it, names (dots included) become single quoted identifiers so that no
name is taken for a keyword, and nesting is bounded, because the parser recurses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from sqlglot import exp, parser, tokens
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from finer.kit.conditions.errors import ConditionError
from finer.kit.conditions.tree import CHOICES, FUNCTIONS, TEXT_FUNCTIONS

LENGTH_MAX = 4_000
"""Characters of a condition."""
NESTING_MAX = 24
"""Brackets, `case` and prefix operators around each other; the parser uses about 17 Python frames for each."""

_QUOTED = re.compile(r"""'(?:[^']|'')*+'|"(?:[^"]|"")*+"|--[^\n]*|/\*.*?\*/""", re.DOTALL)
CALLABLE = frozenset((*FUNCTIONS, *CHOICES, *TEXT_FUNCTIONS, "starts_with", "in_list"))
_PREFIXES = {TokenType.NOT, TokenType.DASH}
RESERVED = {
    "AND", "OR", "NOT", "IN", "IS", "NULL", "TRUE", "FALSE", "BETWEEN", "LIKE", "CASE", "WHEN", "THEN", "ELSE", "END",
}  # fmt: skip
_SIGNS = {
    TokenType.L_PAREN, TokenType.R_PAREN, TokenType.COMMA, TokenType.PLUS, TokenType.DASH, TokenType.STAR,
    TokenType.SLASH, TokenType.MOD, TokenType.EQ, TokenType.NEQ, TokenType.LT, TokenType.LTE, TokenType.GT,
    TokenType.GTE,
}  # fmt: skip
_KEYWORDS = {word: kind for word, kind in tokens.Tokenizer.KEYWORDS.items() if word in RESERVED}
_OPERATORS = {
    word: kind for word, kind in tokens.Tokenizer.KEYWORDS.items() if not word[0].isalpha() and word[0] not in "{/"
}
_ALLOWED = {*_KEYWORDS.values(), *_SIGNS, TokenType.NUMBER, TokenType.STRING, TokenType.VAR, TokenType.IDENTIFIER}
_HINTS = {
    "select": "A condition cannot read tables; it sees the columns of one record.",
    "cast": "Types are not converted; number(text) reads a number from a text.",
    "::": "Types are not converted; number(text) reads a number from a text.",
    ";": "Write one condition only, without a semicolon.",
    "||": "Use or; texts are joined with concat(a, b).",
    "&&": "Use and.",
    "ilike": "Use lower(name) like 'acme%'.",
    "over": "Windows are declared as features; name the feature's column here.",
    "sum": "Sums over several records are declared as features; name the feature's column here.",
    "count": "Counts over several records are declared as features; name the feature's column here.",
    "avg": "Means over several records are declared as features; name the feature's column here.",
}


class _Language(Dialect):
    class Tokenizer(tokens.Tokenizer):
        KEYWORDS: ClassVar[dict[str, TokenType]] = {**_KEYWORDS, **_OPERATORS}
        COMMANDS: ClassVar[set[TokenType]] = set()

    class Parser(parser.Parser):
        FUNCTIONS: ClassVar = {}
        FUNCTION_PARSERS: ClassVar = {}
        NO_PAREN_FUNCTIONS: ClassVar = {}
        NO_PAREN_FUNCTION_PARSERS: ClassVar = {"CASE": parser.Parser.NO_PAREN_FUNCTION_PARSERS["CASE"]}


def parse(text: str) -> exp.Expr:
    """The syntax tree of a text that uses only our words. Raises ConditionError."""
    if len(text) > LENGTH_MAX:
        hint = "Split it into several rules, or move parts of it into derived columns."
        raise ConditionError(f"The condition has {len(text)} characters; {LENGTH_MAX} is the limit", text, 0, hint)
    unusable = next((at for at, each in enumerate(text) if each == "\0" or "\ud800" <= each <= "\udfff"), None)
    if unusable is not None:
        raise ConditionError("This character cannot be part of a condition", text, unusable, "Remove it.")
    dialect = _Language()
    try:
        found = dialect.tokenize(text)
    except TokenError as error:
        rest = _QUOTED.sub(lambda found: " " * len(found[0]), text)
        at = next((at for at, each in enumerate(rest) if each in "'\"" or rest.startswith("/*", at)), 0)
        raise ConditionError("This quote or comment is not closed", text, at, "Close it.") from error
    if not found:
        raise ConditionError("The condition is empty", text, 0, "Write one, for example: amount > 800.")
    ours = list(_names(_allowed(found, text)))
    _nesting(ours, text)
    try:
        tree = dialect.parser(error_level=ErrorLevel.IMMEDIATE).parse_into(exp.Condition, ours, text)[0]
    except Exception as error:
        # Whatever it is that the parser stumbles over (an IndexError has been seen), it could not read the text.
        raise _unreadable(error, ours, text) from error
    if tree is None:
        raise ConditionError("The condition cannot be read", text, 0, "Write one, for example: amount > 800.")
    return tree


def _allowed(found: list[Token], text: str) -> Iterator[Token]:
    for token, following in zip(found, [*found[1:], None], strict=True):
        word = token.text.lower()
        if token.token_type not in _ALLOWED and token.token_type is not TokenType.DOT:
            shown = _shown(token, text)
            raise ConditionError(f"{shown} is not part of the condition language", text, token.start, _hint(word))
        called = following is not None and following.token_type is TokenType.L_PAREN
        if token.token_type in (TokenType.VAR, TokenType.IDENTIFIER) and called and word not in CALLABLE:
            hint = _HINTS.get(word) or f"These functions exist: {', '.join(sorted(CALLABLE))}."
            raise ConditionError(f"There is no function {token.text[:100]}", text, token.start, hint)
        if word in ("select", "over") and token.token_type is TokenType.VAR:
            raise ConditionError(f"{token.text} is not part of the condition language", text, token.start, _hint(word))
        yield token


def _hint(word: str) -> str:
    return _HINTS.get(word, "Use comparisons, and, or, not, arithmetic, between, in, like, is null and case.")


def _names(found: Iterator[Token]) -> Iterator[Token]:
    """Join the parts of dotted names and mark names as quoted; make `timestamp '...'` a call of one argument."""
    given = list(found)
    at = 0
    while at < len(given):
        token = given[at]
        at += 1
        kind = given[at].token_type if at < len(given) else None
        if token.token_type not in (TokenType.VAR, TokenType.IDENTIFIER):
            yield token
        elif kind is TokenType.L_PAREN:
            yield _changed(token, TokenType.VAR, token.text.lower())
        elif kind is TokenType.STRING and token.text.lower() in ("timestamp", "date", "interval"):
            name = token.text.lower()
            yield _changed(token, TokenType.VAR, "timestamp" if name == "date" else name)
            yield _changed(token, TokenType.L_PAREN, "(")
            yield given[at]
            yield _changed(given[at], TokenType.R_PAREN, ")")
            at += 1
        else:
            name = token.text
            while at + 1 < len(given) and given[at].token_type is TokenType.DOT and _is_word(given[at + 1]):
                name += "." + given[at + 1].text
                at += 2
            yield _changed(token, TokenType.IDENTIFIER, name)


def _is_word(token: Token) -> bool:
    return token.token_type is TokenType.IDENTIFIER or token.text.replace("_", "a").isalnum()


def _changed(token: Token, kind: TokenType, text: str) -> Token:
    return Token(kind, text, token.line, token.col, token.start, token.end)


def _nesting(found: list[Token], text: str) -> None:
    """Refuse brackets that do not match and nesting that the recursive parser could not bear."""
    opened: list[tuple[Token, int]] = []
    depth = prefixes = 0
    for token in found:
        kind = token.token_type
        if kind in _PREFIXES:
            prefixes += 1
        elif kind in (TokenType.L_PAREN, TokenType.CASE):
            opened.append((token, prefixes + 1))
            depth += prefixes + 1
            prefixes = 0
        else:
            prefixes = 0
        if depth + prefixes > NESTING_MAX:
            hint = f"At most {NESTING_MAX} levels are possible; remove brackets or use derived columns."
            raise ConditionError("The condition is nested too deeply here", text, token.start, hint)
        if kind in (TokenType.R_PAREN, TokenType.END):
            opens = TokenType.L_PAREN if kind is TokenType.R_PAREN else TokenType.CASE
            if not opened or opened[-1][0].token_type is not opens:
                raise ConditionError(f"This {token.text} closes nothing", text, token.start, "Remove it.")
            depth -= opened.pop()[1]
    if opened:
        last = opened[-1][0]
        closing = ")" if last.token_type is TokenType.L_PAREN else "end"
        raise ConditionError(f"This {last.text} is never closed", text, last.start, f"Add {closing}.")


def _unreadable(error: Exception, found: list[Token], text: str) -> ConditionError:
    place = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
    at = next((each for each in found if (each.line, each.col) == (place.get("line"), place.get("col"))), found[-1])
    shown = _shown(at, text)
    if at is found[-1] and (at.token_type in _SIGNS or at.text.upper() in RESERVED):
        return ConditionError(f"Something is missing after {shown}", text, at.start, "Complete the condition.")
    hint = (
        _HINTS.get(at.text.lower()) or "Check operators, commas and brackets around it; texts stand in single quotes."
    )
    return ConditionError(f"The condition cannot be read at {shown}", text, at.start, hint)


def _shown(token: Token, text: str) -> str:
    return text[token.start : token.end + 1][:100]
