"""The registers of docs/assurance: attacks, requirements of ASVS, suppressions; read, and compared with the tests."""

from __future__ import annotations

import ast
import csv
import fnmatch
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ASSURANCE = ROOT / "docs" / "assurance"
ATTACKS = ASSURANCE / "attacks.csv"
ASVS = ASSURANCE / "asvs.csv"
SUPPRESSIONS = ASSURANCE / "suppressions.csv"


@dataclass(frozen=True)
class Suppression:
    """A finding that was looked at and is let stand: by whom, why, and until which day."""

    tool: str
    id: str
    owner: str
    reason: str
    expires: str


def read_table(file: Path) -> list[dict[str, str]]:
    """The rows of a register by column."""
    with file.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def expired(today: date, file: Path = SUPPRESSIONS) -> list[Suppression]:
    """Suppressions whose last day is over."""
    found = [Suppression(**row) for row in read_table(file)]
    return [one for one in found if date.fromisoformat(one.expires) < today]


def matching(pattern: str) -> list[str]:
    """The tests that a pattern `file::name` names; both sides may have wildcards."""
    files, _, wanted = pattern.partition("::")
    return [
        f"{file.relative_to(ROOT)}::{name}"
        for file in sorted(ROOT.glob(files))
        for name in _tests_of(file)
        if fnmatch.fnmatchcase(name, wanted)
    ]


@cache
def _tests_of(file: Path) -> tuple[str, ...]:
    """The test functions of a module, as pytest collects them: by their names at the top level."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    functions = [node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return tuple(name for name in functions if name.startswith("test"))
