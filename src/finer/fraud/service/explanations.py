"""Why a payment was stopped: rules and model as one list of reasons in plain words, and what would have let it pass.

Made once for each alert, beside the pipeline, from what the decision used and what decided; kept, and never changed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from math import isnan
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from finer.decisions.types.alerts import Action
from finer.fraud.rules.evaluate import Array
from finer.fraud.rules.reasons import sentence
from finer.fraud.rules.rule_set import SCORE_RULE, CompiledRules
from finer.fraud.service.recorded import Decided, by_deciders, recorded_query, restore
from finer.fraud.service.rule_sets import feature_types, windows
from finer.fraud.service.verdicts import evaluate, model_rows, values_of
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
_PORTIONS = (16, 100, 800, 4_000)
"""So many changes of a payment are tried, the nearest first: most often one among the first lets it pass."""
_AT_ONCE = 4_000
"""Changes that are tried together, of as many payments as that."""
_EVERYTHING_PASSES = 2.0  # no probability reaches it: what would pass is looked for here, rules and model together


class _Changes(NamedTuple):
    """Values tried, each in the place of another: in which payment, of which of `names`, and the value; shape (n,).

    A name is a window, or _AMOUNT for the payment's amount in US cents. Those of a payment stand together, the nearest
    first.
    """

    names: list[str]
    rows: Array
    which: Array
    values: Array


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
        if part.rules is not None and (part.model is not None or part.model_hash is None):
            events = part.batch.column("event_id").to_pylist()
            found.update(zip(events, _explained(part, part.rules, zone), strict=True))
    return found


def _explained(part: Decided, by: CompiledRules, zone: ZoneInfo) -> list[AlertExplanation]:
    """Each payment explained, all of them at once: the cost of a step is that of its calls, not of its payments."""
    columns = part.columns(zone)
    verdicts = evaluate(columns, part.model, by)
    told: list[scoring.Explanation | None] = [None] * columns.rows
    if part.model is not None:
        scorer = part.model.scorer
        told = [*scoring.explain_all(scorer, model_rows(columns, scorer.columns), _EVERYTHING_PASSES, _meanings())]
    rows = zip(
        values_of(columns, np.arange(columns.rows)),
        verdicts.actions.tolist(),
        verdicts.fired.tolist(),
        [None] * columns.rows if verdicts.scores is None else verdicts.scores.tolist(),
        told,
        _would_pass(part, by, verdicts.fired, zone),
        strict=True,
    )
    return [
        _explanation(part, known | {"score": score}, action, by.of(fired), score, by_model, would_pass)
        for known, action, fired, score, by_model, would_pass in rows
    ]


def _explanation(
    part: Decided,
    known: dict[str, Any],
    action: int,
    rules: Sequence[Rule],
    score: float | None,
    told: scoring.Explanation | None,
    would_pass: str | None,
) -> AlertExplanation:
    reasons = [
        AlertReason(source="rule", name=rule.id, text=sentence(rule.reason, known), weight=None) for rule in rules
    ]
    if told is not None and score is not None and part.model is not None and score >= part.model.threshold:
        reasons += _pushing(told)
    return AlertExplanation(
        action=Action(action).word,
        reasons=reasons,
        would_pass=would_pass,
        score=score,
        threshold=None if part.model is None else part.model.threshold,
        log_odds=None if told is None else told.log_odds,
        common=None if told is None else told.common,
        contributions=[] if told is None else [_weight(one) for one in told.contributions],
        rule_set=part.rule_set,
        model=part.model_hash,
    )


def _pushing(told: scoring.Explanation) -> list[AlertReason]:
    """The sentences of a model that stopped a payment, each with its part of what spoke against it."""
    pushing = [one for one in told.contributions if one.log_odds > 0]
    total = sum(one.log_odds for one in pushing) or 1.0
    return [
        AlertReason(source="model", name=one.term, text=text, weight=one.log_odds / total)
        for one, text in zip(pushing, told.reasons, strict=False)
    ]


def _weight(one: scoring.Contribution) -> ReasonWeight:
    # No number is none: JSON, as which it is kept, has no word for it.
    value = None if isnan(one.value) else one.value
    return ReasonWeight(term=one.term, value=value, usual=one.usual, log_odds=one.log_odds)


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


def _would_pass(part: Decided, by: CompiledRules, fired: Array, zone: ZoneInfo) -> list[str | None]:
    """For each payment, as a sentence, the smallest change of one value with which rules and model would approve it."""
    told: list[str | None] = [None] * len(fired)
    for bits in np.unique(fired):
        left = np.flatnonzero(fired == bits)
        limits = _limits(part, by, {rule.id for rule in by.of(int(bits))})
        for many in _PORTIONS:
            together = max(_AT_ONCE // many, 1)
            for first in range(0, len(left), together):
                changes = _nearest(part.batch, left[first : first + together], limits, many)
                for row, name, value in _passing(part, by, changes, zone):
                    meaning, was = _meanings()[name], float(_values(part.batch, name)[row])
                    told[row] = (
                        f"It would have passed had the {meaning.name} been {scoring.shown(value, meaning)} instead of "
                        f"{scoring.shown(was, meaning)}."
                    )
            left = np.array([row for row in left if told[row] is None], np.int64)
    return told


def _passing(part: Decided, by: CompiledRules, changes: _Changes, zone: ZoneInfo) -> Iterator[tuple[int, str, float]]:
    """Of each payment the first change with which it is approved: which payment, what is changed, and the value."""
    if not len(changes.values):
        return
    columns = Columns(_changed(part.batch, changes))
    restore(columns, feature_types(), zone)
    passing = np.flatnonzero(evaluate(columns, part.model, by).actions == Action.APPROVE)
    rows, first = np.unique(changes.rows[passing], return_index=True)
    for row, place in zip(rows.tolist(), passing[first].tolist(), strict=True):
        yield row, changes.names[changes.which[place]], float(changes.values[place])


def _nearest(batch: pa.RecordBatch, rows: Array, limits: Mapping[str, Array], many: int) -> _Changes:
    """The changes to try of some payments, `many` of each: to one of the limits, and to less of all that is named.

    The nearest come first: those of the amount before those of a count, and these before those of a mean or a sum,
    which nobody pays; of each kind, the one that changes least.
    """
    values, fars, which = [np.zeros((len(rows), 0))], [np.zeros((len(rows), 0))], [np.zeros(0, np.int64)]
    for place, (name, known) in enumerate(limits.items()):
        was = _values(batch, name)[rows, None]
        tried = np.sort(np.hstack([np.broadcast_to(known, (len(rows), len(known))), np.floor(was * _FACTORS)]), axis=1)
        again = np.zeros(tried.shape, np.bool_)
        again[:, 1:] = tried[:, 1:] == tried[:, :-1]
        kind = 0 if name == _AMOUNT else 2 if name in _SUMS else 1
        far = 2 * kind + np.clip(np.abs(tried - was) / (tried + was + 1e-9), 0, 1)
        fars.append(np.where((tried >= 0) & (tried != was) & ~np.isnan(was) & ~again, far, np.inf))
        values.append(tried)
        which.append(np.full(tried.shape[1], place))
    far, value = np.hstack(fars), np.hstack(values)
    near = np.arange(far.shape[1])[None].repeat(len(rows), axis=0)
    if many < far.shape[1]:
        near = np.sort(np.argpartition(far, many, axis=1)[:, :many], axis=1)
    near = np.take_along_axis(near, np.argsort(np.take_along_axis(far, near, 1), axis=1, kind="stable"), 1)
    row, column = np.nonzero(np.isfinite(np.take_along_axis(far, near, 1)))
    chosen = near[row, column]
    return _Changes(list(limits), rows[row], np.concatenate(which)[chosen], value[row, chosen])


def _limits(part: Decided, by: CompiledRules, held: set[str]) -> dict[str, Array]:
    """By column, in order: the numbers in the rules that held, and the model's thresholds where its rule did."""
    named = {name: [np.array(sorted(tried))] for name, tried in _of_rules(by, held).items()}
    if part.model is not None and SCORE_RULE in held:
        for name, limits in _of_model(part.model.scorer).items():
            named.setdefault(name, []).append(limits)
    return {name: np.unique(np.concatenate(several)) for name, several in named.items()}


def _of_rules(by: CompiledRules, held: set[str]) -> dict[str, set[float]]:
    """By column: the numbers in the conditions of the rules that held, and beside them."""
    named: dict[str, set[float]] = {}
    for rule, condition in zip(by.rules, by.conditions, strict=True):
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


def _column(name: str) -> str:
    """Where the lake keeps it."""
    return "kept_usd_minor" if name == _AMOUNT else lake.column_name(name)


def _values(batch: pa.RecordBatch, name: str) -> Array:
    """What payments have of it, float64, NaN where nothing is known."""
    return np.asarray(batch.column(_column(name)).cast(pa.float64()).to_numpy(zero_copy_only=False))


def _changed(batch: pa.RecordBatch, changes: _Changes) -> pa.RecordBatch:
    """The payments once for each change, with the change made. Amounts change in their own currency as well."""
    found = batch.take(pa.array(changes.rows))
    for place in np.unique(changes.which):
        name, mine = changes.names[place], changes.which == place
        found = _with(found, _column(name), mine, changes.values)
        if name == _AMOUNT:
            usd = _values(batch, name)[changes.rows]
            minor = np.asarray(batch.column("amount_minor").to_numpy(), np.float64)[changes.rows]
            scale = np.divide(minor, usd, out=np.ones(len(usd)), where=usd != 0)
            found = _with(found, "amount_minor", mine, np.round(changes.values * scale))
    return found


def _with(batch: pa.RecordBatch, name: str, rows: Array, values: Array) -> pa.RecordBatch:
    place = batch.schema.get_field_index(name)
    kind = batch.schema.field(place).type
    new = pa.array(values).cast(pa.float64())
    changed = pc.if_else(pa.array(rows), new, batch.column(place).cast(pa.float64()))
    return batch.set_column(place, pa.field(name, kind), changed.cast(kind, safe=False))
