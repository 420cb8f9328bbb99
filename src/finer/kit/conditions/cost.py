"""What a condition costs: the steps that it takes over a batch of rows, known before anything is run."""

from __future__ import annotations

from finer.kit.conditions import tree as t
from finer.kit.conditions.tree import ColumnType, walk

COST_MAX = 400
"""Steps of a condition, each one over all rows; those that look at letters count tenfold."""
_DEAR = 10


def cost(tree: t.Node) -> int:
    """The steps that a condition takes over a batch."""
    return sum(_DEAR if _looks_at_letters(node) else 1 for node in walk(tree))


def _looks_at_letters(node: t.Node) -> bool:
    if isinstance(node, t.Like):
        return True
    if isinstance(node, t.Call):
        return node.name in t.TEXT_FUNCTIONS or node.name == "starts_with" or node.arguments[0].type is ColumnType.TEXT
    if isinstance(node, t.Compare):
        return node.operator not in ("=", "<>") and node.left.type is ColumnType.TEXT
    return isinstance(node, t.Between) and node.operand.type is ColumnType.TEXT
