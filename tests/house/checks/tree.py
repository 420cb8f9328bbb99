"""The source tree as the checks see it: every Python module under src/finer, parsed."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
SOURCE = Path("src/finer")
# Not domains: app wires, demo is a user of the API, facts and kit are for all.
OTHER_PACKAGES = frozenset({"app", "demo", "facts", "kit"})


@dataclass(frozen=True)
class Module:
    """One module: `parts` are the names below finer, e.g. ("fraud", "rules", "pack")."""

    path: Path
    place: str
    parts: tuple[str, ...]

    @property
    def package(self) -> str:
        """The package below finer that it is in: fraud, app, kit ..."""
        return self.parts[0] if self.parts else ""

    @property
    def room(self) -> str:
        """The file of the plan that it belongs to: service, store, rules ...; empty for the package itself."""
        return self.parts[1] if len(self.parts) > 1 else ""

    @cached_property
    def text(self) -> str:
        """Its source."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text, filename=self.place)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of its syntax tree, walked once for all checks."""
        return list(ast.walk(self.tree))

    def at(self, node: ast.AST) -> str:
        """Where a node stands, to begin a sentence with."""
        return f"{self.place}:{getattr(node, 'lineno', 1)}"


@cache
def modules(root: Path) -> tuple[Module, ...]:
    """Every module of Finer under `root`, in the order of their paths."""
    base = root / SOURCE
    found = []
    for path in sorted(base.rglob("*.py")):
        parts = path.relative_to(base).with_suffix("").parts
        found.append(Module(path, path.relative_to(root).as_posix(), parts[:-1] if parts[-1] == "__init__" else parts))
    return tuple(found)


def domains(root: Path) -> list[str]:
    """The domains that exist: packages under finer that hold code and are none of app, demo, facts and kit."""
    folders = [folder for folder in (root / SOURCE).iterdir() if (folder / "__init__.py").is_file()]
    return sorted(folder.name for folder in folders if folder.name not in OTHER_PACKAGES)


def imports(module: Module) -> Iterator[tuple[ast.stmt, tuple[str, ...]]]:
    """What a module imports of Finer, as parts below finer; `from finer.a import b` counts as ("a", "b")."""
    for node in module.nodes:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            first, *rest = name.split(".")
            if first == "finer" and rest:
                yield node, tuple(rest)


def docstrings(module: Module) -> set[ast.AST]:
    """The constants that are only documentation."""
    found: set[ast.AST] = set()
    for node in module.nodes:
        body = getattr(node, "body", None)
        if isinstance(body, list):
            found.update(
                statement.value
                for statement in body
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            )
    return found


def strings(module: Module) -> Iterator[tuple[ast.Constant, str]]:
    """The texts of a module that the program uses, parts of f-strings included, documentation left out."""
    ignored = docstrings(module)
    for node in module.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in ignored:
            yield node, node.value


def repository_files(root: Path) -> list[Path]:
    """The files that are in git or would be with `git add --all`; in a tree without git, every file."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0 and (root / ".git").exists():
        paths = [root / name for name in listed.stdout.split("\0") if name]
    else:
        paths = list(root.rglob("*"))
    return sorted(path for path in paths if path.is_file())
