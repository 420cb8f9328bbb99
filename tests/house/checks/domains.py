"""Domains: one plan, one door, tables of their own."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

from tests.house.checks.tree import Module, domains, imports, modules, strings

DOOR = frozenset({"service", "types"})
# The app wires processes, so it also reaches what HTTP, facts, time and `finer verify` enter by.
APP_DOORS = DOOR | {"routes", "handlers", "jobs", "invariants", "errors"}
REQUIRED = ("service", "types")
_CREATED = re.compile(r"create table (?:if not exists )?\"?([a-z]\w*)|create_table\(\s*\"([a-z]\w*)\"", re.IGNORECASE)


def doors(root: Path) -> list[str]:
    """Domains are entered only by `service` and `types`; the demo enters none."""
    known = set(domains(root))
    found = []
    for module in modules(root):
        allowed = APP_DOORS if module.package == "app" else DOOR
        for node, parts in imports(module):
            target, room = parts[0], parts[1] if len(parts) > 1 else ""
            if target not in known or target == module.package:
                continue
            if module.package == "demo":
                found.append(f"{module.at(node)} imports finer.{target}: the demo is a user of Finer. Call the API.")
            elif room not in allowed:
                found.append(
                    f"{module.at(node)} imports finer.{'.'.join(parts)}: enter finer.{target} by "
                    f"{', '.join(sorted(allowed))} only."
                )
    return found


def plan(root: Path) -> list[str]:
    """Every domain has `service` and `types`, says in __init__ what it decides, and is listed in the contracts."""
    found = []
    for domain in domains(root):
        folder = root / "src/finer" / domain
        found += [
            f"src/finer/{domain} has no {room}.py: a domain is entered by its service, with its types."
            for room in REQUIRED
            if not (folder / f"{room}.py").is_file() and not (folder / room / "__init__.py").is_file()
        ]
    found += [
        f"{module.place} holds code: an __init__.py is a docstring that says what is inside, nothing is re-exported."
        for module in modules(root)
        if module.path.name == "__init__.py" and not _only_docstring(module)
    ]
    return found + _containers(root)


def foreign_tables(root: Path) -> list[str]:
    """No SQL and no foreign key names a table of another domain."""
    owners = _table_owners(root)
    if not owners:
        return []
    pattern = re.compile(r"\b(" + "|".join(sorted(owners, key=len, reverse=True)) + r")\b")
    return [
        f"{module.at(node)} names the table {name} of finer.{owners[name]}: ask {_keeper(owners[name])} instead."
        for module in modules(root)
        for node, text in strings(module)
        for name in dict.fromkeys(pattern.findall(text))
        if owners[name] != module.package
    ]


def table_prefixes(root: Path) -> list[str]:
    """Every table is named after the package that owns it."""
    found = []
    for module in modules(root):
        for node in module.nodes:
            name = _table_name(node)
            if name is not None and not name.startswith(f"{module.package}_"):
                found.append(f"{module.at(node)} calls a table {name}: begin its name with {module.package}_.")
    return found


def _keeper(package: str) -> str:
    return "finer.kit" if package == "kit" else f"finer.{package}.service, or record a fact,"


def _only_docstring(module: Module) -> bool:
    body = module.tree.body
    return not body or (len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant))


def _containers(root: Path) -> list[str]:
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    listed = {name for one in contracts if one.get("id") == "plan" for name in one["containers"]}
    wanted = {f"finer.{domain}" for domain in domains(root)}
    return [
        *(
            f"pyproject.toml: add {name} to the containers of the import contract `plan`."
            for name in sorted(wanted - listed)
        ),
        *(
            f"pyproject.toml: the import contract `plan` lists {name}, which does not exist."
            for name in sorted(listed - wanted)
        ),
    ]


def _table_owners(root: Path) -> dict[str, str]:
    names = {name for module in modules(root) for node in module.nodes if (name := _table_name(node))}
    for path in sorted((root / "migrations" / "versions").glob("*.py")):
        for first, second in _CREATED.findall(path.read_text(encoding="utf-8")):
            names.add(first or second)
    packages = sorted([*domains(root), "kit"], key=len, reverse=True)
    owned = {name: next((package for package in packages if name.startswith(f"{package}_")), None) for name in names}
    return {name: package for name, package in owned.items() if package is not None}


def _table_name(node: ast.AST) -> str | None:
    if not isinstance(node, ast.Call) or not node.args:
        return None
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    first = node.args[0]
    named = called == "Table" and isinstance(first, ast.Constant) and isinstance(first.value, str)
    # pa.Table and pl.Table have no constructor that takes a name; only SQLAlchemy's does.
    return str(first.value) if named and isinstance(first, ast.Constant) else None
