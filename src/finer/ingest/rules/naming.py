"""Whether a text, such as a refused record as it was sent, names an id."""

from __future__ import annotations

import json
import re

# Bytes that ids are made of. Those from 0x80 on are letters of UTF-8.
_LETTER = rb"[\w\-\x80-\xff]"
# JSON writes a line's end as a backslash and a letter, and this letter is no part of what follows.
_CONTROL = rb"(?<=\\[bfnrt])"


def naming(identifier: str) -> re.Pattern[bytes]:
    r"""What finds the id as a whole in bytes: the id `c-1` is neither in `c-10` nor in `abc-1`, `12` not in `12.50`.

    It is found however JSON may write it (`ñ`, `\u00f1`, `\u00F1`; `/`, `\/`), and with the doubled quotation marks
    of CSV. An id that is a plain number is found, too, where an amount equals it.
    """
    before, after = rb"(?:(?<!" + _LETTER + rb")(?<!\d[.:])|" + _CONTROL + rb")", rb"(?!" + _LETTER + rb")(?![.:]\d)"
    return re.compile(before + b"".join(map(_written, identifier)) + after)


def _written(character: str) -> bytes:
    """What finds one character in any of the ways in which it may be written."""
    units = character.encode("utf-16-be").hex()
    numbers = b"".join(rb"\\u(?i:%s)" % units[at : at + 4].encode() for at in range(0, len(units), 4))
    short = json.dumps(character, ensure_ascii=False)[1:-1]
    ways = [re.escape(one.encode()) for one in {character, short}] + [numbers]
    if character in '/"':
        ways.append(re.escape({"/": b"\\/", '"': b'""'}[character]))
    return rb"(?:" + b"|".join(sorted(ways, reverse=True)) + rb")"
