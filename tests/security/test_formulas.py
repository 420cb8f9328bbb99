"""C11: whatever makes a CSV file, no cell of it is a formula, and what is none stays as it is.

tests/warehouse/test_exports.py does the same for files of the lake, web/tests/shared.test.ts for those of the browser.
"""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from finer.identity.rules import trail
from finer.identity.types.audit import AuditLine
from finer.workspace.rules import results
from tests.support.formulas import NOT_RUN, RUN


def _of_audit(texts: list[str]) -> list[str]:
    lines = [
        AuditLine(
            id=uuid.UUID(int=number), at=datetime(2026, 11, 20, tzinfo=UTC), actor_kind="user", actor_id="", action="x",
            actor_name=text, actor_role="", subject="", outcome="", origin="", user_agent="", session="", request="",
            detail={}, sequence=number, hash=None,
        )
        for number, text in enumerate(texts)
    ]  # fmt: skip
    rows = csv.DictReader(io.StringIO(trail.as_csv(lines, header=True).decode(), newline=""))
    return [row["actor_name"] for row in rows]


def _of_query(texts: list[str]) -> list[str]:
    written = results.as_csv(pa.table({"cell": texts})).decode("utf-8-sig")
    return [row["cell"] for row in csv.DictReader(io.StringIO(written, newline=""))]


@pytest.mark.parametrize("written", [_of_audit, _of_query])
def test_c11_no_cell_of_a_file_is_a_formula(written: Callable[[list[str]], list[str]]) -> None:
    assert written(RUN) == [f"'{text}" for text in RUN]
    assert written(NOT_RUN) == NOT_RUN
