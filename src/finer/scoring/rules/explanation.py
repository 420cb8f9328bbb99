"""Why a model scored a row as it did: contributions that add up to the score, and sentences made of them.

Contributions are TreeSHAP values in log-odds, as LightGBM computes them; those of a calibrated ensemble are scaled by
its weights, and its isolation forest is one term more. They add up to the row's log-odds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from finer.scoring.rules.ensemble import UNUSUAL, EnsembleScorer, Ratio, Scorer
from finer.scoring.rules.trees import TreeScorer, probabilities

Array = np.ndarray[Any, np.dtype[Any]]
ADDITIVITY_MAX = 1e-6
SENTENCES = 3
_SMALL = 0.05  # of the log-odds; less is noise to a reader


class Meaning(msgspec.Struct, frozen=True):
    """A column in people's words: `name` as in "amount of the payment", and how its numbers are written.

    `scale` is what a value is divided by before it is shown (100 for cents), `unit` what follows it.
    """

    name: str
    unit: str = ""
    scale: float = 1.0


class Contribution(msgspec.Struct, frozen=True):
    """What one term adds to the log-odds; `usual` is the median of genuine rows, None when the model knows none."""

    term: str
    value: float
    usual: float | None
    log_odds: float


class Explanation(msgspec.Struct, frozen=True):
    """A score taken apart: `common` and the contributions, the largest first, add up to `log_odds`.

    `would_pass` says which change of one column would have kept the score below the threshold; None if none does.
    """

    score: float
    log_odds: float
    common: float
    contributions: list[Contribution]
    reasons: list[str]
    would_pass: str | None


def explain(scorer: Scorer, row: Array, threshold: float, meanings: Mapping[str, Meaning]) -> Explanation:
    """Explain one row, float64 (columns,), NaN where missing. A column without a meaning is called by its own name."""
    return explain_all(scorer, row[:, None], threshold, meanings)[0]


def explain_all(scorer: Scorer, rows: Array, threshold: float, meanings: Mapping[str, Meaning]) -> list[Explanation]:
    """`explain` for many rows at once, float64 (columns, n): asking the model costs as much for one as for some."""
    margins, parts = scorer.margins(rows), scorer.contributions(rows)
    values, usual = _values(scorer, rows)
    ratios = {ratio.name: ratio for ratio in scorer.document.ratios} if isinstance(scorer, EnsembleScorer) else {}
    found = []
    for row, (log_odds, score) in enumerate(zip(margins.tolist(), probabilities(margins).tolist(), strict=True)):
        added, own = parts[row].tolist(), values[:, row].tolist()
        contributions = [
            Contribution(scorer.terms[place], own[place], usual[place], added[place])
            for place in sorted(range(len(scorer.terms)), key=lambda place: -added[place])
        ]
        telling = [one for one in contributions[:SENTENCES] if one.log_odds > _SMALL]
        found.append(
            Explanation(
                score=score,
                log_odds=log_odds,
                common=added[-1],
                contributions=contributions,
                reasons=[_sentence(one, ratios, meanings) for one in telling],
                would_pass=None if score < threshold else _would_pass(scorer, rows[:, row], threshold, meanings),
            )
        )
    return found


def _values(scorer: Scorer, rows: Array) -> tuple[Array, list[float | None]]:
    """The value of each term, float64 (terms, n), and what is usual for it."""
    if not isinstance(scorer, EnsembleScorer):
        return rows, [None] * len(rows)
    inputs = scorer.inputs(rows)
    return np.vstack([inputs, scorer.unusual(inputs)]), [*scorer.document.usual, scorer.document.forest.usual]


def _sentence(one: Contribution, ratios: Mapping[str, Ratio], meanings: Mapping[str, Meaning]) -> str:
    if one.term == UNUSUAL and one.usual is not None:
        return f"The payment as a whole is unlike others: {one.value:.2f} on a scale to 1, usually {one.usual:.2f}."
    ratio = ratios.get(one.term)
    if ratio is not None:
        above, below = _named(ratio.numerator, meanings).name, _named(ratio.denominator, meanings).name
        said = f"{_capital(above)} is {one.value:.1f} times the {below}"
        return f"{said}." if one.usual is None else f"{said}; usual is {one.usual:.1f} times."
    meaning = _named(one.term, meanings)
    said = f"{_capital(meaning.name)}: {shown(one.value, meaning)}"
    return f"{said}." if one.usual is None else f"{said}; usual is {shown(one.usual, meaning)}."


def _would_pass(scorer: Scorer, row: Array, threshold: float, meanings: Mapping[str, Meaning]) -> str | None:
    """The nearest value of each column that passes, tried in one batch; told is the column that needs least change."""
    places, tried = [], []
    for place in range(len(row)):
        for value in _candidates(scorer, row, place):
            places.append(place)
            tried.append(value)
    if not tried:
        return None
    rows = np.repeat(row[:, None], len(tried), axis=1)
    rows[places, np.arange(len(tried))] = tried
    passing = np.flatnonzero(scorer.score(rows) < threshold)
    if len(passing) == 0:
        return None
    change = [abs(tried[i] - row[places[i]]) / (abs(tried[i]) + abs(row[places[i]]) + 1e-9) for i in passing]
    best = int(passing[int(np.argmin(change))])
    meaning = _named(scorer.columns[places[best]], meanings)
    side = "at most" if tried[best] < row[places[best]] else "more than"
    return f"It would have passed had the {meaning.name} been {side} {shown(tried[best], meaning)}."


def _candidates(scorer: Scorer, row: Array, place: int) -> list[float]:
    """Values of a column on the other side of each of the model's own thresholds; none for a missing value."""
    value = float(row[place])
    if np.isnan(value):
        return []
    if isinstance(scorer, TreeScorer):
        return _beyond(scorer.thresholds(place), value)
    if not isinstance(scorer, EnsembleScorer):
        return []
    found = set(scorer.supervised.thresholds(place))
    for number, ratio in enumerate(scorer.document.ratios, start=len(scorer.columns)):
        if ratio.numerator == scorer.columns[place]:
            below = float(row[scorer.columns.index(ratio.denominator)])
            if below > 0:
                # A hair less, so that dividing by the denominator again does not land above the threshold.
                found |= {limit * below * (1 - 1e-12) for limit in scorer.supervised.thresholds(number)}
    return _beyond(sorted(found), value)


def _beyond(limits: list[float], value: float) -> list[float]:
    """A split sends what is at most its limit to the left, and the rest to the right."""
    return [limit if limit < value else float(np.nextafter(limit, np.inf)) for limit in limits if limit != value]


def limits_of(scorer: Scorer, column: str) -> list[float]:
    """The values at which a model splits a column itself, ratios left out; empty where it is not known."""
    trees = scorer.supervised if isinstance(scorer, EnsembleScorer) else scorer
    return trees.thresholds(scorer.columns.index(column)) if isinstance(trees, TreeScorer) else []


def _named(column: str, meanings: Mapping[str, Meaning]) -> Meaning:
    return meanings.get(column, Meaning(column))


_LONGER = ((86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes"))


def shown(value: float, meaning: Meaning) -> str:
    """A value as people write it; seconds as the unit that fits, what is missing as not known."""
    number, unit, digits = float(value / meaning.scale), meaning.unit, 2
    if np.isnan(number):
        return "not known"
    if unit == "s":
        length, unit = next((each for each in _LONGER if abs(number) >= 2 * each[0]), (1.0, "s"))
        number, digits = round(number / length, 1), 1
    text = f"{number:,.0f}" if number.is_integer() else f"{number:,.{digits}f}"
    return f"{text} {unit}".rstrip()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
