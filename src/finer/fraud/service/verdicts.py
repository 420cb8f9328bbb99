"""Deciding: what is derived of a batch, its verdicts, and what they leave behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pyarrow as pa
import structlog

from finer.decisions.types.alerts import Action, Decision, FiredRule, NewAlert, Verdict
from finer.features.types import Aggregate
from finer.fraud.rules.evaluate import BASE_COLUMNS, add_derived, derived_inputs
from finer.fraud.rules.reasons import sentence
from finer.fraud.rules.rule_set import CompiledRules
from finer.fraud.service.rule_sets import built_in_rules, feature_types, load, windows
from finer.fraud.store import lake
from finer.fraud.types import Rule, Verdicts
from finer.kit.columns import Columns
from finer.kit.conditions.tree import ColumnType
from finer.kit.errors import Unprocessable
from finer.kit.ids import new_id
from finer.kit.tx import Tx
from finer.ledger.service import RateTable
from finer.scoring.service import models as scoring
from finer.scoring.types import Model, ModelState

__all__ = ["ActiveModel", "CompiledRules", "VerdictRows", "Verdicts", "active_models", "derive", "evaluate", "windows"]

_log = structlog.get_logger(__name__)
Array = np.ndarray[Any, np.dtype[Any]]
PRODUCT = "fraud"
_SHOWN = (
    "event_id", "type", "occurred_at", "received_at", "account_id", "customer_id", "card_last4", "amount_minor",
    "currency", "merchant_name", "merchant_city", "merchant_country", "channel", "device_id", "amount",
    "amount_usd", "amount_usd_minor", "local_hour",
)  # fmt: skip


@dataclass(frozen=True)
class ActiveModel:
    """A tenant's model, ready to score."""

    id: str
    sha256: str
    threshold: float
    scorer: scoring.Scorer


@dataclass(frozen=True)
class VerdictRows:
    """What one batch leaves in the database."""

    alerts: list[NewAlert]
    decisions: list[Decision]


def versions() -> dict[str, str]:
    """The versions of what comes with Finer: built-in rules and windows."""
    return {"rule_pack": built_in_rules().version, "feature_set": windows().version}


def list_rules() -> list[Rule]:
    """The built-in rules, in the order of their bits."""
    return list(built_in_rules().rules)


def derived_columns() -> list[tuple[str, tuple[str, ...], str]]:
    """What `derive` adds: each column, the columns that it is made from, and its condition if it is one."""
    return derived_inputs()


def rule_columns() -> list[tuple[Rule, frozenset[str]]]:
    """The built-in rules with the columns that their checked conditions name."""
    return _columns_of(built_in_rules())


def rule_columns_of(tx: Tx) -> list[tuple[Rule, frozenset[str]]]:
    """The rules in force for the firm, and those that it tries in shadow, with the columns that they name."""
    found = load(tx)
    tried = zip(found.shadow, found.shadow_conditions, strict=True)
    return _columns_of(found) + [(rule, one.columns) for rule, one in tried]


def _columns_of(found: CompiledRules) -> list[tuple[Rule, frozenset[str]]]:
    return [(rule, one.columns) for rule, one in zip(found.rules, found.conditions, strict=True)]


def model_columns() -> set[str]:
    """The numeric columns that a model may read."""
    numeric = {name for name, kind in BASE_COLUMNS.items() if kind is ColumnType.NUMBER and name != "score"}
    return numeric | {name for name, kind in feature_types().items() if kind is ColumnType.NUMBER}


def active_models(
    tx: Tx, known: ActiveModel | None, known_challenger: ActiveModel | None = None
) -> tuple[ActiveModel | None, ActiveModel | None]:
    """The champion, which decides, and the challenger, which only scores; known ones are given back if they still do.

    A champion whose text was altered is refused: what decided last goes on, or the last former champion that is whole.
    """
    found = scoring.heads(tx, PRODUCT)
    trying = next((_loaded(tx, head, known_challenger) for head in found if head.state is ModelState.CHALLENGER), None)
    if not found or found[0].state is not ModelState.CHAMPION:
        return None, trying
    for head in found:
        if head.state is ModelState.CHALLENGER:
            continue
        champion = _loaded(tx, head, known)
        if champion is not None or known is not None:
            return champion or known, trying
    return None, trying


def model_in_force(tx: Tx) -> Model | None:
    """The tenant's champion as it is registered, without its text."""
    return scoring.active_model(tx, PRODUCT)


def _loaded(tx: Tx, head: scoring.Head, known: ActiveModel | None) -> ActiveModel | None:
    if known is not None and known.sha256 == head.sha256 and known.threshold == head.threshold:
        return known
    try:
        scorer = scoring.load(tx, head)
    except Unprocessable as error:
        _log.error("a model cannot be used", tenant=str(tx.tenant), model=head.sha256[:12], problem=error.detail)
        return None
    if missing := set(scorer.columns) - model_columns():
        _log.error("a model reads what is not there any more", tenant=str(tx.tenant), columns=sorted(missing))
        return None
    return ActiveModel(str(head.id), head.sha256, head.threshold, scorer)


def pinned_model(tx: Tx, sha256: str, threshold: float | None) -> ActiveModel | None:
    """The model of a hash or its beginning, to decide again as it did; None when it is not there, or not as it was.

    Without a threshold it is that of the model.
    """
    try:
        found = scoring.model_of(tx, sha256)
    except Unprocessable as error:
        _log.error("a model cannot be used", tenant=str(tx.tenant), model=sha256[:12], problem=error.detail)
        return None
    if found is None:
        return None
    return ActiveModel(str(found.id), found.sha256, threshold or found.threshold, _scorer(found.text))


@lru_cache(maxsize=4)
def _scorer(text: str) -> scoring.Scorer:
    """Alerts are explained by the same few models every other second, and reading one takes a tenth of one."""
    return scoring.load_scorer(text)


def derive(columns: Columns, rates: RateTable, zone: ZoneInfo) -> None:
    """Add what rules and windows read besides the transaction's own fields.

    That is amounts in US dollars at the day's rate, the hour in the tenant's zone, and the booleans of the pack.
    """
    usd_minor, known = rates.usd_minor(
        columns.values("amount_minor"), columns.hashes("currency"), columns.values("occurred_at")
    )
    add_derived(columns, usd_minor, known, zone)


def lake_relation(zone: str) -> str:
    """What `derive` adds, as SQL over one tenant's lake; see finer.fraud.store.lake."""
    return lake.lake_relation(zone)


def evaluate(
    columns: Columns,
    model: ActiveModel | None,
    rules: CompiledRules | None = None,
    challenger: ActiveModel | None = None,
) -> Verdicts:
    """Score the batch, add `score` to its columns, and evaluate the rules: the built-in ones if none are given.

    The challenger scores it too, and no rule reads that.
    """
    rows = columns.rows
    nothing = np.zeros(rows, np.bool_)
    scores: Array | None = None
    if model is None:
        columns.add("score", np.zeros(rows), nothing)
        columns.add("score_threshold", np.ones(rows))
    else:
        scores = model.scorer.score(model_rows(columns, model.scorer.columns))
        columns.add("score", scores)
        columns.add("score_threshold", np.full(rows, model.threshold))
    found = (rules or built_in_rules()).evaluate(columns, scores)
    if challenger is None:
        return found
    tried = challenger.scorer.score(model_rows(columns, challenger.scorer.columns))
    return msgspec.structs.replace(found, challenger_scores=tried)


def model_rows(columns: Columns, names: list[str]) -> Array:
    """What a model reads of a batch, float64 (names, rows), NaN where missing."""
    matrix = np.empty((len(names), columns.rows))
    for place, name in enumerate(names):
        matrix[place] = columns.values(name)
        valid = columns.valid(name)
        if valid is not None:
            matrix[place, ~valid] = np.nan
    return matrix


def verdicts_to_store(
    columns: Columns,
    offsets: Array,
    partition: int,
    verdicts: Verdicts,
    fresh: Array,
    model: ActiveModel | None,
    decided_at: datetime,
    rules: CompiledRules | None = None,
    contract: str = "",
) -> VerdictRows:
    """The alerts of the rows that are not simply approved, and the decisions of the rows somebody waits for.

    `contract` is the version that the records were held to.
    """
    waits = "awaited" in columns
    awaited = fresh if waits else np.zeros(columns.rows, np.bool_)
    alarmed = (verdicts.actions > 0) & fresh
    rows = np.flatnonzero(awaited | alarmed)
    if len(rows) == 0:
        return VerdictRows([], [])
    by = rules or built_in_rules()
    # A reason can name any column; windows are among the features.
    named = (*_SHOWN, *(name for name in by.named if name not in _SHOWN and name in BASE_COLUMNS and name != "score"))
    shown = columns.pick(rows, (*named, "awaited") if waits else named)
    features = _feature_values(columns, rows)
    alerts: list[NewAlert] = []
    answers: list[Decision] = []
    for i, row in enumerate(rows):
        record = {name: shown[name][i] for name in named}
        used = {name: values[i] for name, values in features.items()}
        score = None if verdicts.scores is None else float(verdicts.scores[row])
        verdict = _verdict(
            record, used, int(verdicts.actions[row]), int(verdicts.fired[row]), score, by, model, contract
        )
        alert_id = None
        if alarmed[row]:
            alert_id = new_id()
            alerts.append(_alert(alert_id, record, partition, int(offsets[row]), verdict))
        if awaited[row]:
            answers.append(
                Decision(
                    id=new_id(),
                    event_id=record["event_id"],
                    body_hash=shown["awaited"][i],
                    verdict=verdict,
                    decided_at=decided_at,
                    alert_id=alert_id,
                )
            )
    return VerdictRows(alerts, answers)


def verdict_of(
    columns: Columns, row: int, verdicts: Verdicts, rules: CompiledRules, model: ActiveModel | None
) -> Verdict:
    """The whole answer for one row of a batch that was evaluated."""
    score = None if verdicts.scores is None else float(verdicts.scores[row])
    used = {name: values[0] for name, values in _feature_values(columns, np.array([row])).items()}
    (record,) = values_of(columns, np.array([row]))
    return _verdict(record, used, int(verdicts.actions[row]), int(verdicts.fired[row]), score, rules, model)


def values_of(columns: Columns, rows: Array) -> list[dict[str, Any]]:
    """The fields and windows of some rows, as reasons are filled with them."""
    names = [name for name in BASE_COLUMNS if name in columns and name != "awaited"]
    found = columns.pick(rows, names) | _feature_values(columns, rows)
    return [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]


def stored_columns(columns: Columns) -> dict[str, Array | pa.Array]:
    """The values a decision used, by name, as they are kept beside it: windows and amounts in US dollars.

    Texts are hashes (uint64, 0 for none); numbers with nulls are Arrow arrays.
    """
    texts = windows().text_names
    found: dict[str, Array | pa.Array] = {}
    for name in ("amount_usd_minor", *windows().names):
        if name in texts:
            found[name] = columns.hashes(name)
        else:
            found[name] = columns.values(name) if columns.valid(name) is None else columns.arrow(name)
    return found


def exact_columns() -> frozenset[str]:
    """Stored columns that a 32-bit float would not hold exactly: amounts and times."""
    exact = {
        one.name
        for one in windows().definitions
        if one.unit == "USD cents" or one.aggregate is Aggregate.TIME_SINCE_PREVIOUS
    }
    return frozenset({"amount_usd_minor", *exact})


def _feature_values(columns: Columns, rows: Array) -> dict[str, list[float | str | None]]:
    texts = windows().text_names
    return columns.pick(rows, [name for name in windows().names if name not in texts])


def _verdict(
    record: dict[str, Any],
    used: dict[str, Any],
    action: int,
    fired: int,
    score: float | None,
    by: CompiledRules,
    model: ActiveModel | None,
    contract: str = "",
) -> Verdict:
    rules = by.of(fired)
    known = record | used | {"score": score}
    return Verdict(
        action=Action(action).word,
        rules=[FiredRule(rule.id, rule.title, rule.action.word) for rule in rules],
        reasons=[sentence(rule.reason, known) for rule in rules] or ["No rule fired."],
        features=used,
        score=score,
        rule_pack=by.version,
        feature_set=windows().version,
        model=None if model is None else model.sha256[:12],
        contract=contract,
    )


def _alert(identifier: Any, record: dict[str, Any], partition: int, offset: int, verdict: Verdict) -> NewAlert:
    return NewAlert(
        id=identifier,
        partition=partition,
        log_offset=offset,
        event_id=record["event_id"],
        action=verdict.action,
        occurred_at=record["occurred_at"],
        received_at=record["received_at"],
        account_id=record["account_id"],
        customer_id=record["customer_id"],
        card_last4=record["card_last4"],
        amount_minor=record["amount_minor"],
        currency=record["currency"],
        amount_usd_minor=record["amount_usd_minor"],
        merchant_name=record["merchant_name"],
        merchant_city=record["merchant_city"],
        merchant_country=record["merchant_country"],
        channel=record["channel"],
        device_id=record["device_id"],
        rules=[rule.id for rule in verdict.rules],
        verdict=verdict,
    )
