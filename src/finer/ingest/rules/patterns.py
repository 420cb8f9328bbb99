"""Patterns of text fields: a small subset of regular expressions runs per byte; the rest runs in RE2 (linear time).

The subset is a sequence of characters and sets of ASCII characters with counts, of which only the last may vary:
`[A-Z]{3}`, `[0-9]{4}`, `[a-z][a-z0-9_-]*`. Everything else that RE2 reads is allowed too and costs more.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from finer.ingest.types.contracts import PatternProgram

POSITIONS_MAX = 64
UNBOUNDED = 1 << 30
_ITEM = re.compile(r"(\[[^\]\\]+\]|\\d|[A-Za-z0-9 _@:/-]|\\[.+*?()|\[\]{}^$\\-])(\{(\d+)(,(\d*))?\}|[*+?])?")
_QUANTIFIERS = {"*": (0, UNBOUNDED), "+": (1, UNBOUNDED), "?": (0, 1)}
_DIGITS = frozenset(range(48, 58))


def compile_program(pattern: str) -> PatternProgram | None:
    """The per-byte program of a pattern, or None when it is outside the subset."""
    body = pattern.removeprefix("^").removesuffix("$")
    items: list[tuple[frozenset[int], int, int]] = []
    position = 0
    while position < len(body):
        match = _ITEM.match(body, position)
        if match is None or (atom := _members(match[1])) is None:
            return None
        items.append((atom, *_counts(match)))
        position = match.end()
    fixed = [(atom, low) for atom, low, high in items[:-1] if low == high]
    if not items or len(fixed) != len(items) - 1:
        return None
    classes = [atom for atom, count in fixed for _ in range(count)]
    atom, low, high = items[-1]
    shortest, longest = len(classes) + low, min(len(classes) + high, UNBOUNDED)
    if len(classes) >= POSITIONS_MAX:
        return None
    return PatternProgram((*classes, atom), shortest, longest)


def _counts(match: re.Match[str]) -> tuple[int, int]:
    if match[2] is None:
        return 1, 1
    if match[3] is None:
        return _QUANTIFIERS[match[2]]
    low = int(match[3])
    if match[4] is None:
        return low, low
    return low, int(match[5]) if match[5] else UNBOUNDED


def _members(atom: str) -> frozenset[int] | None:
    if atom == "\\d":
        return _DIGITS
    if not atom.startswith("["):
        return frozenset({ord(atom[-1])})
    inside = atom[1:-1]
    if inside.startswith("^") or not inside.isascii():
        return None
    members: set[int] = set()
    position = 0
    while position < len(inside):
        first = ord(inside[position])
        if position + 2 < len(inside) and inside[position + 1] == "-":
            last = ord(inside[position + 2])
            members.update(range(first, last + 1))
            position += 3
        else:
            members.add(first)
            position += 1
    return frozenset(members)


def anchored(pattern: str) -> str:
    """The pattern as RE2 has to see it to match whole values."""
    return rf"\A(?:{pattern})\z"


def usable(pattern: str) -> bool:
    """Whether RE2 understands the pattern."""
    try:
        pc.match_substring_regex(pa.array([""]), anchored(pattern))
    except pa.ArrowInvalid:
        return False
    return True


def matches(pattern: str, program: PatternProgram | None, text: str) -> bool:
    """Whether the whole text matches."""
    if program is None:
        return bool(pc.match_substring_regex(pa.array([text]), anchored(pattern))[0].as_py())
    data = text.encode()
    if not program.shortest <= len(data) <= program.longest:
        return False
    last = len(program.classes) - 1
    return all(byte in program.classes[min(position, last)] for position, byte in enumerate(data))
