"""TreeSHAP over columns: what each column adds to the sum of the leaves that a row reaches, exactly.

A leaf is a box: of each column that a split on its way tests, the values in an interval, and the share of the training
rows that pass those tests. What a row's columns add by a leaf is the Shapley value of a product with one factor for
each side of the box: 1 or 0 where the row's value is known (is it in the interval?), and the share where it is not
(Lundberg et al., Consistent Individualized Feature Attribution for Tree Ensembles, 2018, algorithm 1). The weight of a
set of s of d columns in that value, s! (d - s - 1)! / d!, is the integral of t^s (1 - t)^(d - s - 1) over 0 to 1, so
the sum over all sets is the integral of a polynomial, which Gauss's quadrature of d / 2 nodes takes exactly.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba as nb
import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
_TOGETHER = 64
"""Rows that are looked at together, so that one instruction does the work of several."""


class Side(NamedTuple):
    """One side of a box: of a column the values above `low` and up to `high`, and the share of rows that are there."""

    column: int
    low: float
    high: float
    share: float


class Boxes:
    """The leaves of the trees of a model as boxes."""

    def __init__(self, model: dict[str, Any]) -> None:
        """`model` is what LightGBM writes of itself (dump_model), with numeric splits alone.

        Raises ZeroDivisionError where it does not say how many rows of training came to its splits.
        """
        boxes: list[tuple[float, list[Side]]] = []
        for tree in model["tree_info"]:
            _walk(tree["tree_structure"], {}, boxes)
        sides = [side for _, of in boxes for side in of]
        self._values = np.array([value for value, _ in boxes])
        self._start = np.cumsum([0, *(len(of) for _, of in boxes)])
        self._column = np.array([side.column for side in sides], np.int64)
        self._low, self._high, self._share = (
            np.array([side[place] for side in sides], np.float64) for place in (1, 2, 3)
        )
        most = max((len(of) for _, of in boxes), default=0)
        self._nodes, self._weights = _quadratures(most)
        self._common = sum(value * float(np.prod([side.share for side in of])) for value, of in boxes)

    def contributions(self, rows: Array) -> Array:
        """What each column adds, shape (n, columns + 1), of `rows` float64 (columns, n) without missing values.

        The last is what all rows have in common: the mean over the rows of training.
        """
        out = np.zeros((rows.shape[0] + 1, rows.shape[1]))
        kernel: Any = _add  # numba's own annotations count no arguments
        # No side of a box holds minus infinity, and all numbers below the lowest threshold are alike.
        numbers = np.maximum(rows, np.finfo(np.float64).min, order="C")
        kernel(
            numbers, self._start, self._column, self._low, self._high, self._share, self._values,
            self._nodes, self._weights, out,
        )  # fmt: skip
        out[-1] = self._common
        return out.T


def _walk(node: dict[str, Any], way: dict[int, Side], boxes: list[tuple[float, list[Side]]]) -> None:
    """Add the leaves below a node, each as its value and its sides; `way` are the sides by column so far."""
    if "split_feature" not in node:
        boxes.append((node["leaf_value"], list(way.values())))
        return
    column, threshold = node["split_feature"], node["threshold"]
    one = way.get(column, Side(column, -np.inf, np.inf, 1.0))
    left, right = node["left_child"], node["right_child"]
    share = one.share / node["internal_count"]
    lower = Side(column, one.low, min(one.high, threshold), share * _rows(left))
    upper = Side(column, max(one.low, threshold), one.high, share * _rows(right))
    _walk(left, way | {column: lower}, boxes)
    _walk(right, way | {column: upper}, boxes)


def _rows(node: dict[str, Any]) -> int:
    return int(node["internal_count"] if "split_feature" in node else node["leaf_count"])


def _quadratures(most: int) -> tuple[Array, Array]:
    """Gauss's nodes and weights over 0 to 1 for boxes of up to `most` sides, by the number of sides; the rest is 0."""
    nodes, weights = np.zeros((2, most + 1, (most + 1) // 2))
    for sides in range(1, most + 1):
        at, weight = np.polynomial.legendre.leggauss((sides + 1) // 2)
        nodes[sides, : len(at)], weights[sides, : len(at)] = (at + 1) / 2, weight / 2
    return nodes, weights


@nb.njit(cache=True, nogil=True, boundscheck=False)
def _add(
    rows: Array, start: Array, column: Array, low: Array, high: Array, share: Array, values: Array, nodes: Array,
    weights: Array, out: Array,
) -> None:  # fmt: skip
    """Add to `out`, (columns + 1, n), what each column adds by each box."""
    block = np.zeros((rows.shape[0], _TOGETHER))
    added = np.zeros((rows.shape[0], _TOGETHER))
    inside = np.zeros((nodes.shape[0], _TOGETHER), np.bool_)
    product = np.empty(_TOGETHER)
    for base in range(0, rows.shape[1], _TOGETHER):
        size = min(_TOGETHER, rows.shape[1] - base)
        block[:, :size] = rows[:, base : base + size]
        added[:] = 0.0
        for box in range(len(values)):
            first, sides = start[box], start[box + 1] - start[box]
            for side in range(sides):
                below, above, of = low[first + side], high[first + side], block[column[first + side]]
                for i in range(size):
                    inside[side, i] = (of[i] > below) & (of[i] <= above)
            for node in range((sides + 1) // 2):
                known, unknown = nodes[sides, node], 1.0 - nodes[sides, node]
                product[:] = values[box] * weights[sides, node]
                for side in range(sides):
                    # Not inside, the product is 0 unless the column is unknown.
                    outer = unknown * share[first + side]
                    inner = known + outer
                    for i in range(size):
                        product[i] *= inner if inside[side, i] else outer
                for side in range(sides):
                    # The rest of the product, times what knowing this column changes: 1 or 0 for the share.
                    outer = -1.0 / unknown
                    inner = (1.0 - share[first + side]) / (known + unknown * share[first + side])
                    of = added[column[first + side]]
                    for i in range(size):
                        of[i] += product[i] * (inner if inside[side, i] else outer)
        out[: rows.shape[0], base : base + size] += added[:, :size]
