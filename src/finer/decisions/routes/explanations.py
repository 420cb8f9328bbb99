"""What decisions shows of why an alert was raised, as the deciding domain explains it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from finer.decisions.types.alerts import ActionWord
from finer.kit.tx import Tx


class ExplainedReason(msgspec.Struct, frozen=True, kw_only=True):
    """One reason: `name` is the rule or the model's input, `weight` its share of what pushed the score up."""

    source: Literal["rule", "model"]
    name: str
    text: str
    weight: float | None


class ExplainedInput(msgspec.Struct, frozen=True, kw_only=True):
    """What one input adds to the log-odds of the score; `usual` is its median among genuine payments.

    `value` is null where it was not known.
    """

    term: str
    value: float | None
    usual: float | None
    log_odds: float


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Rules and model as one list of reasons, and the single change that would have let the payment pass.

    `common` and the log-odds of `contributions` add up to `log_odds`, that of the score.
    """

    action: ActionWord
    reasons: list[ExplainedReason]
    would_pass: str | None
    score: float | None
    threshold: float | None
    log_odds: float | None
    common: float | None
    contributions: list[ExplainedInput]
    rule_set: str
    model: str | None


Explanations: TypeAlias = Callable[[Tx, Sequence[uuid.UUID]], Mapping[uuid.UUID, Explanation]]
"""The explanations of alerts, those that were made; an alert gets its own a second or two after it was raised."""
