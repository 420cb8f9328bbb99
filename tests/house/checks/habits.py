"""Habits that a type checker cannot see: the clock, money, transactions, facts, unfinished work."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.house.checks.tree import Module, modules

# Reading the machine's clock. `time.monotonic` and `perf_counter` measure durations and may be read anywhere.
_CLOCK_CALLS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
    "uuid.uuid1",
}
_CLOCK_MODULES = frozenset({"kit/clock", "kit/ids"})
# An exchange rate (`usd_per_unit`) is a ratio of two amounts, not an amount.
_RATIO = re.compile(r"(^|_)(rate|ratio|share|per|mean|score)(_|$)")
_MONEY = re.compile(r"(^|_)(amount|price|balance|cost|fee|income|value_at_risk|minor|usd|money|total_usd)(_|$)")
_FLOATS = frozenset({"Float", "FLOAT", "REAL", "Double", "DOUBLE", "DOUBLE_PRECISION", "Numeric", "NUMERIC"})
# The tildes keep this file from finding itself.
_UNFINISHED = re.compile(
    r"\b(TO~DO|FIX~ME|X~XX|HA~CK)\b|NotImple~mentedError|lorem ip~sum|not imple~mented|mock d~ata|hard-?c~oded"
    r"|placehold~er data".replace("~", ""),
    re.IGNORECASE,
)


def clock_reads(root: Path) -> list[str]:
    """Only finer.kit.clock reads the machine's clock; all others are given one."""
    return [
        f"{module.at(node)} calls {_dotted(node.func)}: take the time from the clock that is passed in "
        "(tx.now(), finer.kit.clock)."
        for module in modules(root)
        if "/".join(module.parts) not in _CLOCK_MODULES
        for node in module.nodes
        if isinstance(node, ast.Call) and ".".join(_dotted(node.func).split(".")[-2:]) in _CLOCK_CALLS
    ]


def float_money(root: Path) -> list[str]:
    """Money is an integer of minor units: no table and no type holds it as a float."""
    found = []
    for module in modules(root):
        for node in module.nodes:
            name = _float_money_name(module, node)
            if name is not None:
                found.append(
                    f"{module.at(node)} keeps {name} as a fraction: store integer minor units and the currency "
                    "(finer.kit.money)."
                )
    return found


def transactions(root: Path) -> list[str]:
    """Only the app opens and commits transactions; kit is what it opens them with."""
    return [
        f"{module.at(node)} calls .{node.func.attr}(): take a Tx as argument; only finer.app opens and commits."
        for module in modules(root)
        if module.package not in {"app", "kit"}
        for node in module.nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _openers(module)
    ]


def _openers(module: Module) -> set[str]:
    # The lake is a database of its own, with commits of its own; its store makes them.
    return {"transaction"} if module.parts[:2] == ("warehouse", "store") else {"transaction", "commit"}


def unwired_facts(root: Path) -> list[str]:
    """Every fact has a line in app/flow.py, even when nobody listens yet."""
    flow = root / "src/finer/app/flow.py"
    text = flow.read_text(encoding="utf-8") if flow.is_file() else ""
    names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    return [
        f"{module.at(node)}: the fact {node.name} has no line in src/finer/app/flow.py. Add it, with its handlers."
        for module, node in _facts(root)
        if node.name not in names
    ]


def loose_facts(root: Path) -> list[str]:
    """Facts are frozen, carry a versioned name, and have no behaviour."""
    found = []
    for module, node in _facts(root):
        frozen = any(
            word.arg == "frozen" and isinstance(word.value, ast.Constant) and word.value.value is True
            for word in node.keywords
        )
        if not frozen:
            found.append(f"{module.at(node)}: the fact {node.name} can be changed; declare it with frozen=True.")
        if not re.search(rf'"{module.room}\.\w+\.v\d+"', ast.get_source_segment(module.text, node) or ""):
            found.append(
                f"{module.at(node)}: the fact {node.name} has no versioned name; set name = "
                f'"{module.room}.something_happened.v1".'
            )
        if any(isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) for part in node.body):
            found.append(f"{module.at(node)}: the fact {node.name} has a method; facts have no behaviour.")
    return found


def unfinished(root: Path) -> list[str]:
    """No line of the program or the web app says that something is still to be done."""
    web = root / "web" / "src"
    paths = [module.path for module in modules(root)] + sorted([*web.rglob("*.ts"), *web.rglob("*.tsx")])
    return [
        f"{path.relative_to(root).as_posix()}:{number} looks unfinished ({hit.group(0)}): finish it, or write an issue."
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (hit := _UNFINISHED.search(line))
    ]


def _facts(root: Path) -> list[tuple[Module, ast.ClassDef]]:
    return [
        (module, node)
        for module in modules(root)
        if module.package == "facts"
        for node in module.tree.body
        if isinstance(node, ast.ClassDef) and any(_dotted(base).split(".")[-1] == "Fact" for base in node.bases)
    ]


def _float_money_name(module: Module, node: ast.AST) -> str | None:
    if module.room == "tables" and isinstance(node, ast.Call) and _dotted(node.func).split(".")[-1] == "Column":
        first = node.args[0] if node.args else None
        name = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
        kinds = {_dotted(part).split(".")[-1] for part in ast.walk(node) if isinstance(part, ast.Attribute | ast.Name)}
        return name if _is_money(name) and kinds & _FLOATS else None
    if module.room == "types" and isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        kinds = {part.id for part in ast.walk(node.annotation) if isinstance(part, ast.Name)}
        return node.target.id if _is_money(node.target.id) and "float" in kinds else None
    return None


def _is_money(name: str) -> bool:
    return _MONEY.search(name) is not None and _RATIO.search(name) is None


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""
