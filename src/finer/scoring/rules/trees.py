"""Gradient-boosted trees scored over columns, by the QuickScorer method.

Instead of walking each tree, every split whose test is false removes, by one AND, the leaves of its left subtree
from a 64-bit word; the lowest bit left is the exit leaf (Lucchese et al., QuickScorer, SIGIR 2015). Trees of up to
64 leaves with numeric splits qualify; anything else is scored by LightGBM itself, also splits to which zero is missing.
"""

from __future__ import annotations

import importlib
import platform
import re
from contextlib import nullcontext
from functools import cached_property
from types import ModuleType
from typing import Any

import numba as nb
import numpy as np
from llvmlite import ir
from numba.core import types as nbtypes
from numba.extending import intrinsic

from finer.kit.late import as_if_absent
from finer.scoring.errors import ModelRefused
from finer.scoring.rules.shapley import Boxes

Array = np.ndarray[Any, np.dtype[Any]]
LEAVES_MAX = 64
_FEW = 8  # up to so many rows, one after the other is faster than all at once
_ALL = 0xFFFFFFFFFFFFFFFF
_SHOWN_MAX = 1e300
"""LightGBM shows larger thresholds as this one."""


def _count_trailing_zeros(_context: Any, _word: Any) -> Any:
    def generate(_ctx: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return nbtypes.int64(nbtypes.uint64), generate


_lowest_bit: Any = intrinsic(_count_trailing_zeros)


@nb.njit(cache=True, nogil=True, boundscheck=False)
def _sums(rows: Array, feature: Array, threshold: Array, keep: Array, start: Array, leaves: Array, out: Array) -> None:
    """The sum of the exit leaves of all trees for each of `rows`, float64 (columns, n)."""
    count, n = rows.shape
    if n <= _FEW:
        # The block below does the work of 64 rows however few there are.
        for i in range(n):
            alone = 0.0
            for tree in range(len(start) - 1):
                left = np.uint64(0xFFFFFFFFFFFFFFFF)
                for split in range(start[tree], start[tree + 1]):
                    if not rows[feature[split], i] <= threshold[split]:
                        left &= keep[split]
                alone += leaves[tree, _lowest_bit(left)]
            out[i] = alone
        return
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
            out[base + i] = total[i]


@nb.njit(cache=True, nogil=True)
def probabilities(margins: Array) -> Array:
    """The logistic function of each, shape (n,), float64."""
    out = np.empty(len(margins))
    for i in range(len(margins)):
        out[i] = 1.0 / (1.0 + np.exp(-margins[i]))
    return out


class Trees:
    """Trees of up to LEAVES_MAX leaves as arrays. Splits of tree i are start[i] to start[i + 1]."""

    def __init__(self) -> None:
        self.feature: list[int] = []
        self.threshold: list[float] = []
        self.keep: list[int] = []
        self.start: list[int] = [0]
        self.leaves: list[list[float]] = []
        self._compiled: tuple[Array, Array, Array, Array, Array] | None = None

    def add_split(self, feature: int, threshold: float) -> int:
        """A split of the tree that is being built; give what `keep_right` wants when its left side is known."""
        self.feature.append(feature)
        self.threshold.append(threshold)
        self.keep.append(0)
        return len(self.keep) - 1

    def keep_right(self, split: int, left: int) -> None:
        """When the test of the split is false, the leaves `left` (bits) are out."""
        self.keep[split] = ~left & _ALL

    def end_tree(self, leaves: list[float]) -> None:
        """The values of the leaves from left to right end a tree."""
        self.leaves.append(leaves)
        self.start.append(len(self.feature))

    def sums(self, rows: Array) -> Array:
        """The sum of the exit leaves, shape (n,), of `rows` float64 (columns, n) without missing values."""
        if self._compiled is None:
            leaves = np.zeros((len(self.leaves), LEAVES_MAX))
            for tree, values in enumerate(self.leaves):
                leaves[tree, : len(values)] = values
            self._compiled = (
                np.array(self.feature, np.int32),
                np.array(self.threshold, np.float64),
                np.array(self.keep, np.uint64),
                np.array(self.start, np.int32),
                leaves,
            )
        out = np.empty(rows.shape[1])
        kernel: Any = _sums  # numba's own annotations count no arguments
        kernel(rows, *self._compiled, out)
        return out


def _lightgbm() -> ModuleType:
    """LightGBM, imported where the first model is loaded: few processes score.

    For an interface in the manner of scikit-learn, which nobody here uses, it would take that along with all of SciPy:
    0.9 s of the processor and 98 MB, of which 0.2 s and 30 MB remain without. On ARM scikit-learn has to be loaded
    before it (lightgbm-org/LightGBM issue 6509), so there it may do so.
    """
    with as_if_absent("sklearn") if platform.machine() == "x86_64" else nullcontext():
        return importlib.import_module("lightgbm")


class TreeScorer:
    """A binary LightGBM model ready to score columns. Raises ModelRefused for a text that is no such model."""

    def __init__(self, text: str) -> None:
        lightgbm = _lightgbm()
        try:
            self.booster = lightgbm.Booster(model_str=text)
        except lightgbm.basic.LightGBMError as error:
            raise ModelRefused(f"This is not a LightGBM model in text form: {error}") from error
        self.columns: list[str] = self.booster.feature_name()
        self.terms = self.columns
        model = self.booster.dump_model()
        self._trees = _flatten(model)
        self._missing_is_zero = all(_missing_is_zero(tree["tree_structure"]) for tree in model["tree_info"])

    @property
    def compiled(self) -> bool:
        """Whether the compiled scorer is used rather than LightGBM itself."""
        return self._trees is not None

    def score(self, rows: Array) -> Array:
        """Probabilities, shape (n,), float64, of `rows` float64 (columns, n) in the model's column order."""
        return probabilities(self.margins(rows))

    def margins(self, rows: Array) -> Array:
        """Log-odds, shape (n,), float64, of `rows` float64 (columns, n)."""
        known = self._known(rows)
        if self._trees is None or known is None:
            return self._predict(rows, raw_score=True)
        return self._trees.sums(known)

    def contributions(self, rows: Array) -> Array:
        """What each column adds to the log-odds (TreeSHAP), shape (n, columns + 1); the last is the same for all."""
        known = self._known(rows)
        if self._boxes is None or known is None:
            return self._predict(rows, pred_contrib=True)
        return self._boxes.contributions(known)

    def parity(self, seed: int = 0, rows: int = 4096) -> float:
        """The largest difference from LightGBM itself over random rows around the model's own thresholds."""
        if self._trees is None:
            return 0.0
        sample = self.sample(seed, rows)
        return float(np.abs(self._predict(sample) - self.score(sample)).max())

    def sample(self, seed: int, rows: int) -> Array:
        """Random rows on, just beside and away from the model's own thresholds, float64 (columns, rows)."""
        generator = np.random.default_rng(seed)
        thresholds = self.thresholds() or [0.0]
        sample = generator.choice(np.array(thresholds), size=(len(self.columns), rows))
        return np.asarray(sample + generator.choice(np.array([-1.0, -1e-9, 0.0, 1e-9, 1.0]), size=sample.shape))

    def thresholds(self, column: int | None = None) -> list[float]:
        """The values at which the model splits a column (None: any); empty when LightGBM itself scores."""
        if column is not None:
            return self._limits.get(column, [])
        return sorted({limit for limits in self._limits.values() for limit in limits})

    def _known(self, rows: Array) -> Array | None:
        """`rows` without missing values; None where LightGBM has to say where they go, which no compiled form can."""
        missing = np.isnan(rows)
        if not missing.any():
            return rows
        # What LightGBM does with a model that has seen no missing value while it was trained.
        return np.where(missing, 0.0, rows) if self._missing_is_zero else None

    @cached_property
    def _boxes(self) -> Boxes | None:
        """For explanations, which few processes make; None where LightGBM makes them itself."""
        try:
            return None if self._trees is None else Boxes(self.booster.dump_model())
        except ZeroDivisionError:
            # A model from elsewhere may not say how many rows of training its leaves had.
            return None

    @cached_property
    def _limits(self) -> dict[int, list[float]]:
        """By column, in order. Every explanation asks for them, and a model has thousands."""
        found: dict[int, set[float]] = {}
        if self._trees is not None:
            for feature, threshold in zip(self._trees.feature, self._trees.threshold, strict=True):
                found.setdefault(int(feature), set()).add(threshold)
        return {column: sorted(limits) for column, limits in found.items()}

    def _predict(self, rows: Array, **how: bool) -> Array:
        return np.asarray(self.booster.predict(np.ascontiguousarray(rows.T), num_threads=1, **how))


def has_linear_trees(text: str) -> bool:
    """Whether the leaves of a model are lines rather than numbers, of LightGBM's text or of an ensemble around it."""
    return re.search(r"\bis_linear=1\b", text.replace("\\n", "\n")) is not None


def _missing_is_zero(node: dict[str, Any]) -> bool:
    if "split_feature" not in node:
        return True
    below = (node["left_child"], node["right_child"])
    return node["missing_type"] == "None" and all(_missing_is_zero(child) for child in below)


def _flatten(model: dict[str, Any]) -> Trees | None:
    if not str(model.get("objective", "")).startswith("binary"):
        raise ModelRefused("The model's objective is not binary; a score must be a probability.")
    trees = Trees()
    for tree in model["tree_info"]:
        if tree["num_leaves"] > LEAVES_MAX:
            return None
        values: list[float] = []
        try:
            _visit(tree["tree_structure"], trees, values)
        except _NotNumeric:
            return None
        trees.end_tree(values)
    return trees


def _visit(node: dict[str, Any], trees: Trees, values: list[float]) -> int:
    """Adds the node and all below it; returns its leaves, as bits."""
    if "split_feature" not in node:
        values.append(node["leaf_value"])
        return 1 << (len(values) - 1)
    # Where zero stands for a missing value, it goes to a side of its own, whatever the threshold.
    if node["decision_type"] != "<=" or node["missing_type"] == "Zero" or abs(node["threshold"]) >= _SHOWN_MAX:
        raise _NotNumeric
    split = trees.add_split(node["split_feature"], node["threshold"])
    left = _visit(node["left_child"], trees, values)
    right = _visit(node["right_child"], trees, values)
    trees.keep_right(split, left)
    return left | right


class _NotNumeric(Exception):
    """A split that is more than a comparison with a number: only LightGBM itself can score it."""
