"""Which lines of Finer the tests reach: seen by SlipCover, and written down as coverage.py does.

A pytest plugin (`-p tests.support.coverage`). The tracer of coverage.py costs two thirds more time, because Python
3.11 asks it at every line of every library. SlipCover puts its probes into our modules when they are loaded, and sees
the very same lines. `coverage combine` and `coverage report` do the rest, with the limit in pyproject.toml.
"""

from __future__ import annotations

import linecache
import os
import re
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest
from coverage import CoverageData
from slipcover import Slipcover

_ROOT = Path(__file__).resolve().parents[2]
_SOURCES = _ROOT / "src" / "finer"
_COMPILED = re.compile(r"\s*@(nb|numba|njit|jit|intrinsic|overload)\b")


class _Probes(Slipcover):  # type: ignore[misc]
    """Probes for everything but what numba compiles: it would compile them too. SlipCover ships no annotations."""

    def __init__(self) -> None:
        # Taking probes out of functions again would change them while other threads run them; a probe costs little.
        super().__init__(d_miss_threshold=-1)

    def instrument(self, code: CodeType, parent: CodeType | None = None) -> CodeType:
        """The code with its probes; `parent` is the code that it is a part of."""
        if parent is not None and _COMPILED.match(linecache.getline(code.co_filename, code.co_firstlineno)):
            return code
        # As part of something: of a whole module SlipCover would list all lines, which took longer than the probes.
        # coverage.py knows what counts as a line.
        found: CodeType = super().instrument(code, parent or code)
        return found


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        code = self.get_code(module.__name__)
        assert code is not None
        exec(_probes.instrument(code), module.__dict__)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != "finer":
            return None
        found = PathFinder.find_spec(fullname, path, target)
        if found is not None and type(found.loader) is SourceFileLoader:
            found.loader = _Loader(found.loader.name, found.loader.path)
        return found


_probes = _Probes()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: Any) -> None:
    """Begin before anything of Finer is loaded, in the processes that run tests."""
    distributes = getattr(early_config.known_args_namespace, "numprocesses", None)
    if "PYTEST_XDIST_WORKER" in os.environ or not distributes:
        sys.meta_path.insert(0, _Finder())


def pytest_sessionfinish() -> None:
    """Write down what was seen, and which files there are, for those that nobody loaded."""
    seen: dict[str, set[int]] = _probes.newly_seen
    if not seen:
        return
    data = CoverageData(basename=str(_ROOT / ".coverage"), suffix=True)
    data.add_lines(seen)
    data.touch_files([str(file) for file in _SOURCES.rglob("*.py")])
    data.write()
