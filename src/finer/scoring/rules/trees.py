"""Gradient-boosted trees scored over columns, by the QuickScorer method.

Instead of walking each tree, every split whose test is false removes, by one AND, the leaves of its left subtree
from a 64-bit word; the lowest bit left is the exit leaf (Lucchese et al., QuickScorer, SIGIR 2015). Trees of up to
64 leaves with numeric splits qualify; anything else is scored by LightGBM itself.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from llvmlite import ir
from numba.core import types as nbtypes
from numba.extending import intrinsic

from finer.scoring.errors import ModelRefused

Array = np.ndarray[Any, np.dtype[Any]]
LEAVES_MAX = 64
_ALL = 0xFFFFFFFFFFFFFFFF


def _count_trailing_zeros(_context: Any, _word: Any) -> Any:
    def generate(_ctx: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return nbtypes.int64(nbtypes.uint64), generate


_lowest_bit: Any = intrinsic(_count_trailing_zeros)


@nb.njit(cache=True, nogil=True, boundscheck=False)
def _score(rows: Array, feature: Array, threshold: Array, keep: Array, start: Array, leaves: Array, out: Array) -> None:
    """`rows` float64 (columns, n); a missing value (NaN) fails every test, as in LightGBM trained without missing."""
    count, n = rows.shape
    block = np.zeros((count, 64))
    word = np.empty(64, np.uint64)
    total = np.empty(64)
    everything = np.uint64(0xFFFFFFFFFFFFFFFF)
    for base in range(0, n, 64):
        size = min(64, n - base)
        for column in range(count):
            for i in range(size):
                block[column, i] = rows[column, base + i]
        total[:] = 0.0
        for tree in range(len(start) - 1):
            word[:] = everything
            for split in range(start[tree], start[tree + 1]):
                limit, mask, values = threshold[split], keep[split], block[feature[split]]
                for i in range(64):
                    word[i] &= everything if values[i] <= limit else mask
            for i in range(64):
                total[i] += leaves[tree, _lowest_bit(word[i])]
        for i in range(size):
            out[base + i] = 1.0 / (1.0 + np.exp(-total[i]))


class TreeScorer:
    """A binary LightGBM model ready to score columns. Raises ModelRefused for a text that is no such model."""

    def __init__(self, text: str) -> None:
        # With what it needs itself it takes 16 MB of every process that imports it, and few score.
        import lightgbm  # noqa: PLC0415

        try:
            self.booster = lightgbm.Booster(model_str=text)
        except lightgbm.basic.LightGBMError as error:
            raise ModelRefused(f"This is not a LightGBM model in text form: {error}") from error
        self.columns: list[str] = self.booster.feature_name()
        self._arrays = _flatten(self.booster.dump_model())

    @property
    def compiled(self) -> bool:
        """Whether the compiled scorer is used rather than LightGBM itself."""
        return self._arrays is not None

    def score(self, rows: Array) -> Array:
        """Probabilities, shape (n,), float64, of `rows` float64 (columns, n) in the model's column order."""
        if self._arrays is None or np.isnan(rows).any():
            # LightGBM decides where a missing value goes; the compiled form has no such rule.
            return np.asarray(self.booster.predict(np.ascontiguousarray(rows.T), num_threads=1))
        out = np.empty(rows.shape[1])
        _score(rows, *self._arrays, out)
        return out

    def parity(self, seed: int = 0, rows: int = 4096) -> float:
        """The largest difference from LightGBM itself over random rows around the model's own thresholds."""
        if self._arrays is None:
            return 0.0
        generator = np.random.default_rng(seed)
        thresholds = self._arrays[1] if len(self._arrays[1]) else np.zeros(1)
        sample = generator.choice(thresholds, size=(len(self.columns), rows))
        sample = sample + generator.choice(np.array([-1.0, -1e-9, 0.0, 1e-9, 1.0]), size=sample.shape)
        expected = np.asarray(self.booster.predict(np.ascontiguousarray(sample.T), num_threads=1))
        out = np.empty(rows)
        _score(sample, *self._arrays, out)
        return float(np.abs(expected - out).max())


def _flatten(model: dict[str, Any]) -> tuple[Array, Array, Array, Array, Array] | None:
    if not str(model.get("objective", "")).startswith("binary"):
        raise ModelRefused("The model's objective is not binary; a score must be a probability.")
    feature: list[int] = []
    threshold: list[float] = []
    keep: list[int] = []
    start = [0]
    leaves = np.zeros((len(model["tree_info"]), LEAVES_MAX))
    for index, tree in enumerate(model["tree_info"]):
        values: list[float] = []

        def visit(node: dict[str, Any], values: list[float] = values) -> int:
            """Returns the set of leaves below the node, as bits."""
            if "split_feature" not in node:
                values.append(node["leaf_value"])
                return 1 << (len(values) - 1)
            if node["decision_type"] != "<=":
                raise _NotNumeric
            place = len(feature)
            feature.append(node["split_feature"])
            threshold.append(node["threshold"])
            keep.append(0)
            left = visit(node["left_child"])
            right = visit(node["right_child"])
            keep[place] = ~left & _ALL
            return left | right

        if tree["num_leaves"] > LEAVES_MAX:
            return None
        try:
            visit(tree["tree_structure"])
        except _NotNumeric:
            return None
        leaves[index, : len(values)] = values
        start.append(len(feature))
    return (
        np.array(feature, np.int32),
        np.array(threshold, np.float64),
        np.array(keep, np.uint64),
        np.array(start, np.int32),
        leaves,
    )


class _NotNumeric(Exception):
    """A split on categories: only LightGBM itself can score it."""
