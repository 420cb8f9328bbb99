"""Why a payment was stopped: rules and model as one list of reasons in plain words, and what would have let it pass.

Made once for each alert, beside the pipeline, from what the decision used and what decided; kept, and never changed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from finer.decisions.types.alerts import Action
from finer.fraud.rules.evaluate import Array
from finer.fraud.rules.reasons import sentence
from finer.fraud.rules.rule_set import SCORE_RULE
from finer.fraud.service.recorded import Decided, by_deciders, recorded_query, restore
from finer.fraud.service.rule_sets import feature_types, windows
from finer.fraud.service.verdicts import Verdicts, evaluate, model_rows, values_of
from finer.fraud.store import lake
from finer.fraud.store.explanations import ExplanationStore
from finer.fraud.types import AlertExplanation, AlertReason, ReasonWeight, Rule
from finer.kit.columns import Columns
from finer.kit.conditions.tree import ColumnType, Literal, Node, walk
from finer.kit.tx import Tx
from finer.scoring.service import explanations as scoring
from finer.scoring.service.explanations import Meaning
from finer.scoring.service.models import Scorer

__all__ = ["explain", "explained_until", "explanations_of", "keep", "recorded_query", "unexplained"]

_AMOUNT = "amount_usd_minor"
_AMOUNTS = {"amount_usd": (_AMOUNT, 100.0), _AMOUNT: (_AMOUNT, 1.0)}
"""The ways to write the amount that can be compared with others', and what makes US cents of them."""
_SUMS = frozenset(one.name for one in windows().definitions if one.unit == "USD cents")
_FACTORS = np.array([0.95, 0.9, 0.8, 0.75, 0.5, 0.25, 0.1, 0.05, 0.01])
_PORTIONS = (0, 100, 800, 4_000)
"""Changes are tried the nearest first, in portions up to these: most often one among the first lets a payment pass."""
_EVERYTHING_PASSES = 2.0  # no probability reaches it: what would pass is looked for here, rules and model together


class _Changes(NamedTuple):
    """Values tried, each in the place of another: of which of `names`, shape (n,), and the value, float64 (n,).

    A name is a window, or _AMOUNT for the payment's amount in US cents.
    """

    names: list[str]
    which: Array
    values: Array

    def between(self, first: int, end: int) -> _Changes:
        """Some of them."""
        return _Changes(self.names, self.which[first:end], self.values[first:end])


def explanations_of(tx: Tx, alerts: Sequence[uuid.UUID]) -> dict[uuid.UUID, AlertExplanation]:
    """The explanations of alerts, those that were made."""
    return ExplanationStore(tx).of(alerts)


def unexplained(tx: Tx, alerts: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of some alerts that have no explanation yet."""
    return set(alerts) - ExplanationStore(tx).known(alerts)


def explained_until(tx: Tx) -> datetime | None:
    """Until when every alert of the firm has its explanation; None where none was ever made."""
    return ExplanationStore(tx).until()


def keep(tx: Tx, made: Iterable[tuple[uuid.UUID, str, AlertExplanation]], until: datetime | None = None) -> None:
    """Keep explanations by alert and event id; one that is there stays. `until` is noted where it is given."""
    store = ExplanationStore(tx)
    store.add(made, tx.now())
    if until is not None:
        store.note_until(until)


def explain(tx: Tx, batch: pa.RecordBatch, zone: ZoneInfo) -> dict[str, AlertExplanation]:
    """Explain the payments of a batch of `recorded_query`, by event id. What cannot be decided again is left out."""
    found: dict[str, AlertExplanation] = {}
    for part in by_deciders(tx, batch):
        if part.rules is None or (part.model is None and part.model_hash is not None):
            continue
        columns = part.columns(zone)
        verdicts = evaluate(columns, part.model, part.rules)
        for row, event in enumerate(part.batch.column("event_id").to_pylist()):
            found[event] = _explained(part, columns, verdicts, row, zone)
    return found


def _explained(part: Decided, columns: Columns, verdicts: Verdicts, row: int, zone: ZoneInfo) -> AlertExplanation:
    rules = part.rules.of(int(verdicts.fired[row])) if part.rules is not None else []
    score = None if verdicts.scores is None else float(verdicts.scores[row])
    known = values_of(columns, row) | {"score": score}
    reasons = [
        AlertReason(source="rule", name=rule.id, text=sentence(rule.reason, known), weight=None) for rule in rules
    ]
    log_odds = common = None
    weights: list[ReasonWeight] = []
    if part.model is not None and score is not None:
        one = np.ascontiguousarray(model_rows(columns, part.model.scorer.columns)[:, row])
        told = scoring.explain(part.model.scorer, one, _EVERYTHING_PASSES, _meanings())
        log_odds, common = told.log_odds, told.common
        weights = [
            ReasonWeight(term=one.term, value=one.value, usual=one.usual, log_odds=one.log_odds)
            for one in told.contributions
        ]
        if score >= part.model.threshold:
            pushing = [one for one in weights if one.log_odds > 0]
            total = sum(one.log_odds for one in pushing) or 1.0
            reasons += [
                AlertReason(source="model", name=one.term, text=text, weight=one.log_odds / total)
                for one, text in zip(pushing, told.reasons, strict=False)
            ]
    return AlertExplanation(
        action=Action(int(verdicts.actions[row])).word,
        reasons=reasons,
        would_pass=_would_pass(part, row, rules, zone),
        score=score,
        threshold=None if part.model is None else part.model.threshold,
        log_odds=log_odds,
        common=common,
        contributions=weights,
        rule_set=part.rule_set,
        model=part.model_hash,
    )


@cache
def _meanings() -> dict[str, Meaning]:
    found = {
        one.name: Meaning(one.description, "USD", 100.0)
        if one.unit == "USD cents"
        else Meaning(one.description, one.unit)
        for one in windows().definitions
    }
    return found | {
        _AMOUNT: Meaning("amount", "USD", 100.0),
        "amount": Meaning("amount"),
        "amount_usd": Meaning("amount", "USD"),
        "local_hour": Meaning("hour of the day", "o'clock"),
    }


def _would_pass(part: Decided, row: int, rules: Sequence[Rule], zone: ZoneInfo) -> str | None:
    """The smallest change of one value with which rules and model together would have approved it, as a sentence."""
    if part.rules is None:
        return None
    one = part.batch.slice(row, 1)
    changes = _changes(part, one, rules)
    for first, end in pairwise(_PORTIONS):
        portion = changes.between(first, end)
        if not len(portion.values):
            break
        columns = Columns(_changed(one, portion))
        restore(columns, feature_types(), zone)
        passing = np.flatnonzero(evaluate(columns, part.model, part.rules).actions == Action.APPROVE)
        if len(passing):
            name = portion.names[portion.which[passing[0]]]
            meaning, value = _meanings()[name], float(portion.values[passing[0]])
            return (
                f"It would have passed had the {meaning.name} been {scoring.shown(value, meaning)} instead of "
                f"{scoring.shown(_value(one, name), meaning)}."
            )
    return None


def _changes(part: Decided, one: pa.RecordBatch, rules: Sequence[Rule]) -> _Changes:
    """Values to try: the numbers in the rules that held, the thresholds of the model, and less of all that is named.

    The nearest come first: those of the amount before those of a count, and these before those of a mean or a sum,
    which nobody pays; of each kind, the one that changes least.
    """
    held = {rule.id for rule in rules}
    named: dict[str, list[Array]] = {name: [np.array(sorted(tried))] for name, tried in _of_rules(part, held).items()}
    if part.model is not None and SCORE_RULE in held:
        for name, limits in _of_model(part.model.scorer).items():
            named.setdefault(name, []).append(limits)
    names = list(named)
    tables: list[Array] = [np.zeros((4, 0))]
    for place, (name, several) in enumerate(named.items()):
        was = _value(one, name)
        tried = np.unique(np.concatenate([*several, np.floor(was * _FACTORS)]))
        tried = tried[(tried >= 0) & (tried != was) & ~np.isnan(was)]
        kind = 0 if name == _AMOUNT else 2 if name in _SUMS else 1
        far = np.abs(tried - was) / (tried + was + 1e-9)
        tables.append(np.array([np.full(len(tried), place), tried, np.full(len(tried), kind), far]))
    which, values, kinds, fars = np.concatenate(tables, axis=1)
    order = np.lexsort((fars, kinds))
    return _Changes(names, which[order].astype(np.int64), values[order])


def _of_rules(part: Decided, held: set[str]) -> dict[str, set[float]]:
    """By column: the numbers in the conditions of the rules that held, and beside them."""
    named: dict[str, set[float]] = {}
    for rule, condition in () if part.rules is None else zip(part.rules.rules, part.rules.conditions, strict=True):
        if rule.id not in held:
            continue
        numbers = _numbers(condition.tree)
        for name in _varied(condition.columns):
            # A number about an amount may be dollars or cents.
            tried = numbers | {number * 100 for number in numbers} if name == _AMOUNT else numbers
            named.setdefault(name, set()).update(value + step for value in tried for step in (-1.0, 0.0, 1.0))
    return named


@lru_cache(maxsize=16)
def _of_model(scorer: Scorer) -> dict[str, Array]:
    """By column: the values on both sides of the model's thresholds."""
    named: dict[str, set[float]] = {}
    for column in scorer.columns:
        name, scale = _AMOUNTS.get(column, (column, 1.0))
        if name in _varied([column]):
            limits = {float(np.floor(limit * scale)) for limit in scoring.limits_of(scorer, column)}
            named.setdefault(name, set()).update(limits | {limit + 1 for limit in limits})
    return {name: np.array(sorted(limits)) for name, limits in named.items()}


def _numbers(tree: Node) -> set[float]:
    """The numbers written in a condition."""
    return {
        float(node.value)
        for node in walk(tree)
        if isinstance(node, Literal) and isinstance(node.value, int | float) and node.type is ColumnType.NUMBER
    }


def _varied(columns: Iterable[str]) -> list[str]:
    """The windows among some columns, and _AMOUNT for every way to write the payment's amount."""
    amounts = {"amount", "amount_minor", "amount_usd", _AMOUNT, "is_near_limit", "is_small_spending"}
    names = set(columns)
    found = [name for name in names if feature_types().get(name) is ColumnType.NUMBER]
    return sorted(found) + ([_AMOUNT] if names & amounts else [])


def _value(one: pa.RecordBatch, name: str) -> float:
    column = "kept_usd_minor" if name == _AMOUNT else lake.column_name(name)
    value = one.column(column)[0].as_py()
    return float("nan") if value is None else float(value)


def _changed(one: pa.RecordBatch, changes: _Changes) -> pa.RecordBatch:
    """The same payment once for each change, with the change made. Amounts change in its own currency as well."""
    batch = one.take(pa.array(np.zeros(len(changes.values), np.int64)))
    for place in np.unique(changes.which):
        name, mine = changes.names[place], changes.which == place
        column = "kept_usd_minor" if name == _AMOUNT else lake.column_name(name)
        batch = _with(batch, column, mine, changes.values)
        if name == _AMOUNT:
            minor, usd = float(one.column("amount_minor")[0].as_py()), _value(one, name)
            batch = _with(batch, "amount_minor", mine, np.round(changes.values * (minor / usd if usd else 1.0)))
    return batch


def _with(batch: pa.RecordBatch, name: str, rows: Array, values: Array) -> pa.RecordBatch:
    place = batch.schema.get_field_index(name)
    kind = batch.schema.field(place).type
    new = pa.array(values).cast(pa.float64())
    changed = pc.if_else(pa.array(rows), new, batch.column(place).cast(pa.float64()))
    return batch.set_column(place, pa.field(name, kind), changed.cast(kind, safe=False))
