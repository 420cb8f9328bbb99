"""Modules that are imported when they are first used: what few requests need does not weigh on every process."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any


class LateModule(ModuleType):
    """Stands for a module until one of its names is asked for, and hands out the names of the module from then on.

    `importlib.util.LazyLoader` does the same, but before Python 3.11.9 a second thread could see a module half made.
    Raises ImportError at the first use, not at the import, when there is no such module.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)
