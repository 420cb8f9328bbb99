"""Texts in files that spreadsheets open: none of them may begin a formula (OWASP, CSV injection)."""

from __future__ import annotations

import re

FORMULA = "^[ \u00a0]*[=+@\\-\\t\\r\\n\uff1d\uff0b\uff0d\uff20]"
"""How a text begins that a spreadsheet runs: signs, also full-width ones, and blanks do not keep it from that.

The same for Python and RE2. `web/src/shared/csv.ts` has it for files that the browser makes.
"""
_FORMULA = re.compile(FORMULA)


def harmless(text: str) -> str:
    """The text as a cell that every spreadsheet shows as it is."""
    return f"'{text}" if _FORMULA.match(text) else text
