"""A calibrated ensemble: boosted trees that have learnt from labels, and an isolation forest that has seen none.

Log-odds = intercept + margin * (log-odds of the trees) + unusual * (how unusual the forest finds the row, 0 to 1). The
three numbers are fitted on payments later than those that trees and forest were made from. Stored as JSON.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec
import numpy as np

from finer.scoring.errors import ModelRefused
from finer.scoring.rules.trees import LEAVES_MAX, Trees, TreeScorer, probabilities

Array = np.ndarray[Any, np.dtype[Any]]
FORMAT = "finer-ensemble-1"
UNUSUAL = "unusual"
"""The name of the forest among the contributions."""


class Ratio(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An input that is one column over another; 0 where either is missing or the denominator is 0."""

    name: str
    numerator: str
    denominator: str


class Forest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An isolation forest. A leaf holds its depth, and what a search among the rows in it would take.

    Splits of tree i are start[i] to start[i + 1]; `left` are the leaves below a split's left side, as bits. `path` is
    the sum of depths over all trees at which a row is as usual as chance, and `usual` the mean answer in training.
    """

    feature: list[int]
    threshold: list[float]
    left: list[int]
    start: list[int]
    leaves: list[list[float]]
    path: float
    usual: float

    def trees(self) -> Trees:
        """The same for the compiled scorer. Raises ModelRefused when the arrays do not fit each other."""
        trees = Trees()
        if not len(self.feature) == len(self.threshold) == len(self.left) == self.start[-1]:
            raise ModelRefused("The arrays of the isolation forest differ in length. Take the file as it was written.")
        if len(self.start) != len(self.leaves) + 1 or sorted(self.start) != self.start or self.path <= 0:
            raise ModelRefused("The trees of the isolation forest do not follow one another. Take the file as written.")
        for tree, leaves in enumerate(self.leaves):
            splits = self.start[tree + 1] - self.start[tree]
            if len(leaves) != splits + 1 or len(leaves) > LEAVES_MAX:
                raise ModelRefused(
                    f"Tree {tree} of the isolation forest has {len(leaves)} leaves for {splits} splits; a tree has one "
                    f"more leaf than splits, and at most {LEAVES_MAX}."
                )
            for split in range(self.start[tree], self.start[tree + 1]):
                trees.keep_right(trees.add_split(self.feature[split], self.threshold[split]), self.left[split])
            trees.end_tree(leaves)
        return trees


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the two answers become one; see the head of this file."""

    intercept: float
    margin: float
    unusual: float


class Ensemble(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole model as it is stored. `booster` is LightGBM's own text; it and the forest read `inputs` in order.

    `columns` are what the model reads from a record, `ratios` what it makes of them; both together are the inputs.
    `usual` are the medians of the inputs over genuine rows in training, for telling people what is usual.
    """

    columns: list[str]
    ratios: list[Ratio]
    booster: str
    forest: Forest
    calibration: Calibration
    usual: list[float]
    format: str = FORMAT

    @property
    def inputs(self) -> list[str]:
        """Columns, then ratios."""
        return [*self.columns, *(ratio.name for ratio in self.ratios)]


class Scorer(Protocol):
    """What every kind of model can do. Rows are float64 (columns, n); a missing value is NaN."""

    def __hash__(self) -> int:
        """A scorer never changes, so what is made of it can be kept."""
        ...

    @property
    def columns(self) -> list[str]:
        """What the model reads of a record, in order."""
        ...

    @property
    def terms(self) -> list[str]:
        """What `contributions` speaks of: columns, ratios, and UNUSUAL for the isolation forest."""
        ...

    def score(self, rows: Array) -> Array:
        """Probabilities, shape (n,), float64."""
        ...

    def margins(self, rows: Array) -> Array:
        """Log-odds, shape (n,), float64."""
        ...

    def contributions(self, rows: Array) -> Array:
        """What each of `terms` adds to the log-odds, and last what all rows have in common, (n, terms + 1)."""
        ...

    def parity(self) -> float:
        """The largest difference of the compiled trees from LightGBM itself, over random rows."""
        ...


class EnsembleScorer:
    """An ensemble ready to score columns. Raises ModelRefused for a document that does not hold together."""

    def __init__(self, document: Ensemble) -> None:
        self.document = document
        self.columns = list(document.columns)
        self.terms = [*document.inputs, UNUSUAL]
        self.supervised = TreeScorer(document.booster)
        if self.supervised.columns != document.inputs:
            raise ModelRefused("The trees of the ensemble do not read its inputs. Take the file as it was written.")
        if not all(0 <= place < len(document.inputs) for place in document.forest.feature):
            raise ModelRefused("The isolation forest reads an input that the ensemble does not have.")
        missing = {name for ratio in document.ratios for name in (ratio.numerator, ratio.denominator)}
        if missing - set(self.columns):
            raise ModelRefused(
                f"Ratios read {', '.join(sorted(missing - set(self.columns)))}, no columns of the model."
            )
        if len(document.usual) != len(document.inputs):
            raise ModelRefused("The ensemble does not say what is usual for each of its inputs.")
        self._forest = document.forest.trees()
        self._places = [
            (self.columns.index(ratio.numerator), self.columns.index(ratio.denominator)) for ratio in document.ratios
        ]

    def inputs(self, rows: Array) -> Array:
        """Columns and ratios, float64 (inputs, n), with 0 for what is missing."""
        return inputs_of(rows, self._places)

    def score(self, rows: Array) -> Array:
        """Probabilities, shape (n,), float64, of `rows` float64 (columns, n); a missing value is NaN."""
        return probabilities(self.margins(rows))

    def margins(self, rows: Array) -> Array:
        """Log-odds, shape (n,), float64."""
        inputs, weights = self.inputs(rows), self.document.calibration
        margins = weights.intercept + weights.margin * self.supervised.margins(inputs)
        return np.asarray(margins + weights.unusual * self.unusual(inputs))

    def unusual(self, inputs: Array) -> Array:
        """How unusual each row is, 0 to 1, shape (n,); half is as usual as chance."""
        return unusual_by(self._forest, self.document.forest.path, inputs)

    def contributions(self, rows: Array) -> Array:
        """What each input and the forest add to the log-odds, and last what all rows have in common."""
        inputs, weights, usual = self.inputs(rows), self.document.calibration, self.document.forest.usual
        trees = self.supervised.contributions(inputs) * weights.margin
        unusual = weights.unusual * (self.unusual(inputs) - usual)
        common = trees[:, -1] + weights.intercept + weights.unusual * usual
        return np.column_stack([trees[:, :-1], unusual, common])

    def parity(self, seed: int = 0) -> float:
        """The largest difference of the compiled trees from LightGBM itself."""
        return self.supervised.parity(seed)


def inputs_of(rows: Array, places: list[tuple[int, int]]) -> Array:
    """`rows` float64 (columns, n) and below them a row for each ratio; `places` are its numerator and denominator."""
    out = np.empty((len(rows) + len(places), rows.shape[1]))
    np.copyto(out[: len(rows)], rows)
    for i, (above, below) in enumerate(places, start=len(rows)):
        out[i] = 0.0
        np.divide(rows[above], rows[below], out=out[i], where=rows[below] != 0)
    return np.nan_to_num(out, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def unusual_by(trees: Trees, path: float, inputs: Array) -> Array:
    """What an isolation forest says of `inputs` float64 (inputs, n): 0 to 1, shape (n,); see `Forest` for `path`."""
    # The forest was grown on 32-bit floats; a value beside a threshold must fall to the same side.
    narrow = inputs.astype(np.float32).astype(np.float64)
    return np.asarray(2.0 ** (-trees.sums(narrow) / path))


def load_scorer(text: str) -> Scorer:
    """A model of either kind: LightGBM's own text, or an ensemble. Raises ModelRefused for anything else."""
    if not text.lstrip().startswith("{"):
        return TreeScorer(text)
    try:
        document = msgspec.json.decode(text, type=Ensemble)
    except msgspec.MsgspecError as error:
        raise ModelRefused(f"This is not an ensemble as Finer writes it: {error}") from error
    if document.format != FORMAT:
        raise ModelRefused(f"The model's format is {document.format!r}; this version of Finer reads {FORMAT!r}.")
    return EnsembleScorer(document)
