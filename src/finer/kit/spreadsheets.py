"""Files that spreadsheets open: CSV, none of whose texts may begin a formula (OWASP, CSV injection)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

FORMULA = "^[ \u00a0]*[=+@\\-\\t\\r\\n\uff1d\uff0b\uff0d\uff20]"
"""How a text begins that a spreadsheet runs: signs, also full-width ones, and blanks do not keep it from that.

The same for Python and RE2. `web/src/shared/csv.ts` has it for files that the browser makes.
"""
_FORMULA = re.compile(FORMULA)
MARK = "\ufeff"
"""Tells spreadsheets that a file is UTF-8."""


def harmless(text: str) -> str:
    """The text as a cell that every spreadsheet shows as it is."""
    return f"'{text}" if _FORMULA.match(text) else text


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as CSV (RFC 4180, every cell quoted). Numbers stay numbers, moments are ISO 8601, None is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return value
    return harmless(value.isoformat() if isinstance(value, datetime) else str(value))
