"""Routes: every one declares the permission that it needs."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.house.checks.tree import modules

_DECORATORS = frozenset({"get", "post", "put", "patch", "delete", "head", "route", "sse", "websocket", "asgi"})


def undeclared_in_source(root: Path) -> list[str]:
    """Every function under a route decorator says opt={"permission": ...}."""
    return [
        f'{module.at(function)} {function.name} declares no permission: add opt={{"permission": ...}} to its route.'
        for module in modules(root)
        if _imports_litestar(module.tree)
        for function in ast.walk(module.tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for decorator in function.decorator_list
        if _is_route(decorator) and not _declares(decorator)
    ]


def undeclared_in_app(routes: Iterable[Any], known: frozenset[str]) -> list[str]:
    """Every handler of ours in a live route table declares a permission that exists, or that it is public."""
    found = []
    for route in routes:
        single = getattr(route, "route_handler", None)
        for handler in [*getattr(route, "route_handlers", ()), *([single] if single else [])]:
            ours = not str(handler.fn.__module__).startswith("litestar.")
            if ours and handler.opt.get("permission") not in known:
                found.append(
                    f"{route.path} ({handler.fn.__name__}) declares the permission {handler.opt.get('permission')!r}, "
                    "which does not exist."
                )
    return found


def _imports_litestar(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.ImportFrom) and (node.module or "").startswith("litestar") for node in tree.body)


def _is_route(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Name) and called.id in _DECORATORS


def _declares(decorator: ast.expr) -> bool:
    if not isinstance(decorator, ast.Call):
        return False
    options = [word.value for word in decorator.keywords if word.arg == "opt"]
    return any(
        isinstance(key, ast.Constant) and key.value == "permission"
        for option in options
        if isinstance(option, ast.Dict)
        for key in option.keys
    )
