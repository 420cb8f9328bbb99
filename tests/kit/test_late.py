"""A late module is the module itself to whoever uses it, and nothing is imported before."""

from __future__ import annotations

import subprocess
import sys

import pytest

from finer.kit.late import LateModule


def test_its_names_are_those_of_the_module() -> None:
    import decimal

    late = LateModule("decimal")
    assert late.Decimal is decimal.Decimal
    with pytest.raises(decimal.InvalidOperation):
        late.Decimal("none")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = late.nothing


def test_a_module_that_is_not_there_is_missed_at_the_first_use() -> None:
    late = LateModule("finer.kit.nowhere")
    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        _ = late.anything


@pytest.mark.parametrize(
    ("module", "others"),
    [("finer.app.api", ("duckdb", "lightgbm")), ("finer.app.commands.up", ("pyarrow", "numba", "sqlglot", "duckdb"))],
)
def test_a_process_does_not_load_at_its_start_what_it_may_never_need(module: str, others: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print([name for name in {others} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
