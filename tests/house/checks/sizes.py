"""Sizes: a module fits in a sitting, a function on a screen, its branches in a head."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.house.checks.tree import Module, modules

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
COMPLEXITY_MAX = 15
COMPLEXITY_MEAN_MAX = 5.0

Function = ast.FunctionDef | ast.AsyncFunctionDef


def long_modules(root: Path) -> list[str]:
    """Modules of Finer, and of its web app, over the limit."""
    web = root / "web" / "src"
    paths = [(module.path, module.place) for module in modules(root)]
    for path in sorted([*web.rglob("*.ts"), *web.rglob("*.tsx")]):
        place = path.relative_to(root).as_posix()
        # The client's types are generated from OpenAPI and read by nobody.
        if not place.endswith(".d.ts"):
            paths.append((path, place))
    found = []
    for path, place in paths:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MODULE_LINES_MAX:
            found.append(f"{place} has {lines} lines ({MODULE_LINES_MAX} at most): make it a package of the same name.")
    return found


def long_functions(root: Path) -> list[str]:
    """Functions over the limit, docstring included, decorators not."""
    found = []
    for module in modules(root):
        for function in functions(module):
            lines = (function.end_lineno or function.lineno) - function.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                found.append(
                    f"{module.at(function)} {function.name} has {lines} lines ({FUNCTION_LINES_MAX} at most): "
                    "split it where it changes its subject."
                )
    return found


def complex_functions(root: Path) -> list[str]:
    """Functions with too many ways through them."""
    return [
        f"{module.at(function)} {function.name} has a cyclomatic complexity of {complexity(function)} "
        f"({COMPLEXITY_MAX} at most): split it."
        for module in modules(root)
        for function in functions(module)
        if complexity(function) > COMPLEXITY_MAX
    ]


def mean_complexity(root: Path) -> list[str]:
    """The average over all functions is low: long chains of cases are the exception."""
    found = [complexity(function) for module in modules(root) for function in functions(module)]
    mean = sum(found) / len(found) if found else 0.0
    if mean < COMPLEXITY_MEAN_MAX:
        return []
    return [f"The average cyclomatic complexity is {mean:.2f} (under {COMPLEXITY_MEAN_MAX:g} is the rule)."]


def functions(module: Module) -> Iterator[Function]:
    """Every function and method, nested ones too."""
    return (node for node in module.nodes if isinstance(node, Function))


@cache
def complexity(function: Function) -> int:
    """Ways through a function, as McCabe counts and with every `and` and `or`; nested functions count on their own."""
    return 1 + sum(_branches(node) for node in _own_nodes(function))


def _own_nodes(function: Function) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if not isinstance(node, Function | ast.ClassDef):
            yield node
            waiting.extend(ast.iter_child_nodes(node))


def _branches(node: ast.AST) -> int:
    match node:
        case ast.If() | ast.IfExp() | ast.ExceptHandler() | ast.match_case():
            return 1
        case ast.For() | ast.AsyncFor() | ast.While():
            return 1 + bool(node.orelse)
        case ast.BoolOp():
            return len(node.values) - 1
        case ast.comprehension():
            return 1 + len(node.ifs)
    return 0
