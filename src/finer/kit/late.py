"""Modules that are imported when they are first used, or not at all: what few need does not weigh on every process."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import Any


class LateModule(ModuleType):
    """Stands for a module until one of its names is asked for, and hands out the names of the module from then on.

    `importlib.util.LazyLoader` does the same, but before Python 3.11.9 a second thread could see a module half made.
    Raises ImportError at the first use, not at the import, when there is no such module.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


_left_out: ContextVar[str] = ContextVar("left_out", default="")
"""The package that is left out of what this thread imports."""


class _LeftOut(MetaPathFinder):
    """Says that there is no such package."""

    def find_spec(self, fullname: str, _path: object, _target: ModuleType | None = None) -> None:
        if fullname == _left_out.get():
            raise ModuleNotFoundError(f"{fullname} is left out.", name=fullname)


_FINDER = _LeftOut()


@contextmanager
def as_if_absent(package: str) -> Iterator[None]:
    """What this thread imports meanwhile does without a package, as where it is not installed.

    For a library that takes it along for a part of its own that nobody here uses. Whoever imports the package by
    itself, now on another thread or later, gets it.
    """
    # It stays. Taken out again, all finders behind it would move up under a thread that imports something just then:
    # that would pass one by, and miss a module that is there.
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    before = _left_out.set(package)
    try:
        yield
    finally:
        _left_out.reset(before)
