"""A late module is the module itself to whoever uses it, and nothing is imported before."""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

from finer.kit.late import LateModule, as_if_absent


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


class _Slow(MetaPathFinder):
    """Knows no module, and takes its time to say so of one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.asked, self.answers = threading.Event(), threading.Event()

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> None:
        if fullname == self._name:
            self.asked.set()
            assert self.answers.wait(20)


def test_a_thread_that_imports_meanwhile_finds_its_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "imported_meanwhile.py").write_text("here = True")
    monkeypatch.syspath_prepend(tmp_path)
    slow = _Slow("imported_meanwhile")
    before = sys.meta_path.index(PathFinder)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path[:before], slow, *sys.meta_path[before:]])
    with ThreadPoolExecutor(1) as pool:
        with as_if_absent("decimal"):
            found = pool.submit(importlib.import_module, "imported_meanwhile")
            assert slow.asked.wait(20)
        slow.answers.set()
        assert found.result(20).here
