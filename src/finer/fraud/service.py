"""The public interface of fraud."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from finer.decisions.types import Action, Decision, FiredRule, NewAlert, Verdict
from finer.features.types import FeatureSet
from finer.fraud import store
from finer.fraud.rules.evaluate import BASE_COLUMNS, CompiledPack, add_derived, derived_inputs
from finer.fraud.rules.pack import RULES, pack_version
from finer.fraud.rules.reasons import sentence
from finer.fraud.rules.windows import feature_set
from finer.fraud.types import Rule, Verdicts
from finer.kit.columns import Columns
from finer.kit.conditions.tree import ColumnType
from finer.kit.ids import new_id
from finer.kit.tx import Tx
from finer.ledger.service import RateTable
from finer.scoring.service import models as scoring

__all__ = ["ActiveModel", "VerdictRows", "Verdicts", "active_model", "derive", "evaluate", "feature_set"]

Array = np.ndarray[Any, np.dtype[Any]]
PRODUCT = "fraud"
_SCORE_RULE = "model_score"
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


@cache
def windows() -> FeatureSet:
    """The windows that the default pack reads, validated once."""
    return feature_set()


@cache
def pack() -> CompiledPack:
    """The default pack, compiled once. The model's own rule comes last."""
    score_rule = Rule(
        _SCORE_RULE,
        "The model sees a likely fraud",
        "score >= score_threshold",
        Action.REVIEW,
        "The model gives this payment a probability of fraud of {score:percent}.",
    )
    return CompiledPack((*RULES, score_rule), feature_types())


def feature_types() -> dict[str, ColumnType]:
    """The windows as columns of the conditions language."""
    texts = set(windows().text_names)
    return {name: ColumnType.TEXT if name in texts else ColumnType.NUMBER for name in windows().names}


def versions() -> dict[str, str]:
    """The versions that pin a decision: rule pack and feature set."""
    return {"rule_pack": pack_version(), "feature_set": windows().version}


def list_rules() -> list[Rule]:
    """The rules in force, in the order of their bits."""
    return list(pack().rules)


def derived_columns() -> list[tuple[str, tuple[str, ...], str]]:
    """What `derive` adds: each column, the columns that it is made from, and its condition if it is one."""
    return derived_inputs()


def rule_columns() -> list[tuple[Rule, frozenset[str]]]:
    """The rules in force with the columns that their checked conditions name."""
    return [(rule, one.columns) for rule, one in zip(pack().rules, pack().conditions, strict=True)]


def model_columns() -> set[str]:
    """The numeric columns that a model may read."""
    numeric = {name for name, kind in BASE_COLUMNS.items() if kind is ColumnType.NUMBER and name != "score"}
    return numeric | {name for name, kind in feature_types().items() if kind is ColumnType.NUMBER}


def active_model(tx: Tx, known: ActiveModel | None) -> ActiveModel | None:
    """The tenant's model in force; `known` is given back when it still is, so that nothing is compiled twice."""
    found = scoring.active_model(tx, PRODUCT)
    if found is None:
        return None
    if known is not None and known.sha256 == found.sha256 and known.threshold == found.threshold:
        return known
    return ActiveModel(str(found.id), found.sha256, found.threshold, scoring.load_scorer(found.text))


def derive(columns: Columns, rates: RateTable, zone: ZoneInfo) -> None:
    """Add what rules and windows read besides the transaction's own fields.

    That is amounts in US dollars at the day's rate, the hour in the tenant's zone, and the booleans of the pack.
    """
    usd_minor, known = rates.usd_minor(
        columns.values("amount_minor"), columns.hashes("currency"), columns.values("occurred_at")
    )
    add_derived(columns, usd_minor, known, zone)


def lake_relation(zone: str) -> str:
    """What `derive` adds, as SQL over one tenant's lake; see finer.fraud.store."""
    return store.lake_relation(zone)


def evaluate(columns: Columns, model: ActiveModel | None) -> Verdicts:
    """Score the batch, add `score` to its columns, and evaluate the pack."""
    rows = columns.rows
    nothing = np.zeros(rows, np.bool_)
    scores: Array | None = None
    if model is None:
        columns.add("score", np.zeros(rows), nothing)
        columns.add("score_threshold", np.ones(rows))
    else:
        matrix = np.empty((len(model.scorer.columns), rows))
        for place, name in enumerate(model.scorer.columns):
            matrix[place] = columns.values(name)
            valid = columns.valid(name)
            if valid is not None:
                matrix[place, ~valid] = np.nan
        scores = model.scorer.score(matrix)
        columns.add("score", scores)
        columns.add("score_threshold", np.full(rows, model.threshold))
    return pack().evaluate(columns, scores)


def verdicts_to_store(
    columns: Columns,
    offsets: Array,
    partition: int,
    verdicts: Verdicts,
    fresh: Array,
    model: ActiveModel | None,
    decided_at: datetime,
) -> VerdictRows:
    """The alerts of the rows that are not simply approved, and the decisions of the rows somebody waits for."""
    waits = "awaited" in columns
    awaited = fresh if waits else np.zeros(columns.rows, np.bool_)
    alarmed = (verdicts.actions > 0) & fresh
    rows = np.flatnonzero(awaited | alarmed)
    if len(rows) == 0:
        return VerdictRows([], [])
    shown = columns.pick(rows, (*_SHOWN, "awaited") if waits else _SHOWN)
    features = _feature_values(columns, rows)
    alerts: list[NewAlert] = []
    answers: list[Decision] = []
    for i, row in enumerate(rows):
        record = {name: shown[name][i] for name in _SHOWN}
        used = {name: values[i] for name, values in features.items()}
        score = None if verdicts.scores is None else float(verdicts.scores[row])
        verdict = _verdict(record, used, int(verdicts.actions[row]), int(verdicts.fired[row]), score, model)
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


def stored_columns(columns: Columns) -> dict[str, Array | pa.Array]:
    """The values a decision used, by name, as they are kept beside it: windows and amounts in US dollars.

    Texts are hashes (uint64, 0 for none); numbers with nulls are Arrow arrays.
    """
    texts = set(windows().text_names)
    found: dict[str, Array | pa.Array] = {}
    for name in ("amount_usd_minor", *windows().names):
        if name in texts:
            found[name] = columns.hashes(name)
        else:
            found[name] = columns.values(name) if columns.valid(name) is None else columns.arrow(name)
    return found


def exact_columns() -> frozenset[str]:
    """Stored columns that a 32-bit float would not hold exactly: amounts."""
    usd = {one.name for one in windows().definitions if one.unit == "USD cents"}
    return frozenset({"amount_usd_minor", *usd})


def _feature_values(columns: Columns, rows: Array) -> dict[str, list[float | str | None]]:
    found: dict[str, list[float | str | None]] = {}
    texts = set(windows().text_names)
    for name in windows().names:
        if name in texts:
            continue
        values = columns.values(name)[rows].tolist()
        valid = columns.valid(name)
        kept = [True] * len(rows) if valid is None else valid[rows].tolist()
        found[name] = [value if ok else None for value, ok in zip(values, kept, strict=True)]
    return found


def _verdict(
    record: dict[str, Any],
    used: dict[str, Any],
    action: int,
    fired: int,
    score: float | None,
    model: ActiveModel | None,
) -> Verdict:
    rules = pack().of(fired)
    known = record | used | {"score": score}
    return Verdict(
        action=Action(action).word,
        rules=[FiredRule(rule.id, rule.title, rule.action.word) for rule in rules],
        reasons=[sentence(rule.reason, known) for rule in rules] or ["No rule fired."],
        features=used,
        score=score,
        rule_pack=pack_version(),
        feature_set=windows().version,
        model=None if model is None else model.sha256[:12],
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
