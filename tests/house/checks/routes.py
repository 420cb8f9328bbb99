"""Routes: every one declares the permission that it needs."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.house.checks.tree import modules

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_SECRETS = frozenset(
    {"access_token", "client_secret", "codes", "key", "link", "password", "provisioning_uri", "recovery_codes"}
    | {"secret", "sign_in_link", "token", "uri", "url"}
)
_DECORATORS = frozenset({"get", "post", "put", "patch", "delete", "head", "route", "sse", "websocket", "asgi"})


def undeclared_in_source(root: Path) -> list[str]:
    """Every function under a route decorator says opt={"permission": ...}."""
    return [
        f'{module.at(function)} {function.name} declares no permission: add opt={{"permission": ...}} to its route.'
        for module in modules(root)
        if _imports_litestar(module.tree)
        for function in module.nodes
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


def unrepeatable(routes: Iterable[Any]) -> list[str]:
    """Every route that changes something does it once per Idempotency-Key, or says why a repetition does no harm."""
    return [
        f"{route.path} ({handler.fn.__name__}) takes no `tx`, so its Idempotency-Key is not honoured: let it act in "
        '`tx`, or say in opt={"repeat": "..."} why a repetition does no harm.'
        for route in routes
        for handler in getattr(route, "route_handlers", ())
        if handler.opt.get("permission") != "public"
        and not handler.http_methods <= _SAFE
        and "tx" not in handler.parsed_fn_signature.parameters
        and "repeat" not in handler.opt
    ]


def kept_secrets(document: Mapping[str, Any]) -> list[str]:
    """An answer that holds a secret is not remembered for its Idempotency-Key. Taken from an OpenAPI document."""
    found = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            kept = any("Idempotency-Replayed" in one.get("headers", {}) for one in operation["responses"].values())
            names = {name for one in operation["responses"].values() for name in _members(document, one)}
            if kept and names & _SECRETS:
                found.append(
                    f"{method.upper()} {path} answers with {', '.join(sorted(names & _SECRETS))}, which would be kept "
                    'for a day: declare opt={"answer_once": True}.'
                )
    return found


def _members(document: Mapping[str, Any], response: Mapping[str, Any]) -> Iterable[str]:
    for entry in response.get("content", {}).values():
        name = entry["schema"].get("$ref", "").rpartition("/")[2]
        schema = document["components"]["schemas"][name] if name else entry["schema"]
        yield from schema.get("properties", {})


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
