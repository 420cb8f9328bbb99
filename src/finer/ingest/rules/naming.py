"""Whether a text, such as a refused record as it was sent, names an id."""

from __future__ import annotations

import json
import re

# Bytes that ids are made of. Those from 0x80 on are letters of UTF-8.
_LETTER = rb"[\w\-\x80-\xff]"


def naming(identifier: str) -> re.Pattern[bytes]:
    """What finds the id as a whole in bytes: the id `c-1` is neither in `c-10` nor in `abc-1`, and `12` not in `12.50`.

    It is found however JSON writes it. An id that is a plain number is found, too, where an amount equals it.
    """
    written = {identifier, json.dumps(identifier)[1:-1], json.dumps(identifier, ensure_ascii=False)[1:-1]}
    spelt = b"|".join(re.escape(one.encode()) for one in sorted(written))
    before, after = rb"(?<!" + _LETTER + rb")(?<!\d[.:])", rb"(?!" + _LETTER + rb")(?![.:]\d)"
    return re.compile(before + rb"(?:" + spelt + rb")" + after)
