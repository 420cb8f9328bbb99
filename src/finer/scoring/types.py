"""The nouns of scoring: models in their versions, what is told of them, and how they do."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias

import msgspec

ThresholdRule: TypeAlias = Literal["capacity", "false_positive_rate", "given"]
LabelsAs: TypeAlias = Literal["as_known", "after_delay"]
WatchState: TypeAlias = Literal["ok", "warning", "alarm", "unknown"]


class ModelState(StrEnum):
    """How far a model has come. One challenger and one champion of each product at most."""

    CANDIDATE = "candidate"
    CHALLENGER = "challenger"
    CHAMPION = "champion"
    RETIRED = "retired"


class TrainingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How to learn: `days` of payments to learn from, `delay_days` until labels are known, `test_days` of trial.

    `folds` earlier trials choose parameters and threshold. The threshold lets at most `target` of the genuine payments
    pass it (false_positive_rate), or on an average day `target` accounts (capacity); `capacity` is what the team looks
    at a day.
    """

    days: int = 28
    delay_days: int = 7
    test_days: int = 7
    folds: int = 2
    labels: LabelsAs = "as_known"
    threshold_rule: ThresholdRule = "capacity"
    target: float = 100
    capacity: int = 100
    seed: int = 0


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with the bounds within which it lies in 19 of 20 cases; None where it cannot be told."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """How a column was spread when the model was tried: `edges` between bins, the `shares` of the bins, 0 to 1.

    There is one share more than edges, and `missing` is the share of rows without a value; all shares add up to 1.
    """

    name: str
    edges: list[float]
    shares: list[float]
    missing: float = 0.0


class CalibrationBin(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of about one score: the mean score, and the share of fraud that there really was, with its bounds."""

    rows: int
    predicted: float
    observed: float
    low: float
    high: float


class CurvePoint(msgspec.Struct, frozen=True, kw_only=True):
    """What a threshold would give."""

    threshold: float
    precision: float
    recall: float
    false_positive_rate: float


class GroupResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a model treats one group at its threshold. Bounds of shares are Wilson's, None without a row to tell by."""

    by: str
    value: str
    rows: int
    frauds: int
    flagged: int
    false_positive_rate: Measure
    recall: Measure


class Weight(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the scores' movement comes from one input: its share of all mean absolute contributions."""

    term: str
    share: float


class WatchLimits(msgspec.Struct, frozen=True, kw_only=True):
    """From where on a monitor warns and alarms.

    `psi_*` is the population stability index of an input or the score; `calibration` how many times more or less
    fraud than predicted there may be.
    """

    psi_warning: float = 0.1
    psi_alarm: float = 0.25
    calibration: float = 2.0


class ModelCard(msgspec.Struct, frozen=True, kw_only=True):
    """All that is to be known of a model before it decides about people's payments.

    It learnt from [learnt_since, learnt_until) and was tried on [tested_since, tested_until), with `label_delay_days`
    between the two; figures are about the second period. `labels` says whether labels were taken as they were known
    when the trial began, or as known today after the delay. `tried` are the mean average precisions of the candidates.
    """

    learnt_since: datetime
    learnt_until: datetime
    tested_since: datetime
    tested_until: datetime
    rows: int
    frauds: int
    tested_rows: int
    tested_frauds: int
    label_delay_days: int
    labels: LabelsAs
    labels_as_of: datetime
    inputs: list[str]
    parameters: dict[str, float]
    tried: list[float]
    threshold_rule: ThresholdRule
    threshold_target: float
    measures: list[Measure]
    curve: list[CurvePoint]
    calibration: list[CalibrationBin]
    calibration_error: float
    score: Baseline
    baselines: list[Baseline]
    groups: list[GroupResult]
    weights: list[Weight]
    seed: int
    seconds: float
    limits: WatchLimits = WatchLimits()


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """What one of two models did with the same payments, at its own threshold.

    `unjudged` are payments that it alone would stop and of which nobody knows yet what they were.
    """

    model: str
    threshold: float
    flagged: int
    frauds: int
    legitimate: int
    unjudged: int
    measures: list[Measure]


class ModelComparison(msgspec.Struct, frozen=True, kw_only=True):
    """Champion and challenger on the same live payments, by the labels known at `as_of`.

    `differences` are challenger minus champion; their bounds come from drawing the same customers for both.
    """

    since: datetime
    until: datetime
    as_of: datetime
    rows: int
    frauds: int
    legitimate: int
    champion: Side
    challenger: Side
    differences: list[Measure]
    both_flagged: int
    problem: str = ""


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """The population stability index of one column against the model's card."""

    name: str
    psi: float
    state: WatchState


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """What the monitors saw of a model: drift of the score and its inputs, and calibration on ripe labels.

    `expected` is the number of frauds that the scores add up to, `observed` how many there were, `ratio` of the two.
    """

    at: datetime
    since: datetime
    until: datetime
    rows: int
    score: Drift | None
    inputs: list[Drift]
    calibration_rows: int
    expected: float
    observed: int
    ratio: Measure | None
    calibration: WatchState
    state: WatchState
    says: list[str]


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a product's model: its text as it was written, the columns it reads in order, the text's hash."""

    id: uuid.UUID
    name: str
    product: str
    version: int
    state: ModelState
    columns: list[str]
    text: str
    sha256: str
    threshold: float
    note: str
    author: str
    owner: str
    registered_at: datetime
    challenger_at: datetime | None = None
    champion_at: datetime | None = None
    approved_by: str = ""
    retired_at: datetime | None = None
    plan: TrainingPlan | None = None
    card: ModelCard | None = None
    comparison: ModelComparison | None = None
    watch: Watch | None = None
