"""Pricing rules: the same compiled path as on live payments, over what the lake holds of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from finer.fraud.rules.drafts import compile_rule
from finer.fraud.rules.evaluate import BASE_COLUMNS, Array
from finer.fraud.rules.price import LABELS, Judged, PriceTally, slices
from finer.fraud.rules.rule_set import CompiledRules
from finer.fraud.service.recorded import restore
from finer.fraud.service.rule_sets import feature_types, list_pins, load, without
from finer.fraud.store import lake
from finer.fraud.types import Price, RuleVersion
from finer.kit.columns import Columns
from finer.kit.conditions.condition import Condition
from finer.kit.tx import Tx

_ALWAYS = frozenset(
    {
        "account_id", "amount_minor", "card_last4", "channel", "currency", "customer_id", "merchant_country",
        "occurred_at", "type",
    }
)  # fmt: skip
_LAKE_ONLY = frozenset({"amount", "amount_usd", "amount_usd_minor", "card", "local_hour", "score", "score_threshold"})


class _Priced(NamedTuple):
    """A rule that is priced, and what decides besides it."""

    condition: Condition
    others: CompiledRules
    tally: PriceTally


class Backtest:
    """One backtest, batch by batch; between two batches whoever runs it may keep `found` and stop.

    Several rules cost one reading of the lake. Each is held against what is live without that rule itself.
    """

    def __init__(
        self,
        tx: Tx,
        versions: Sequence[RuleVersion],
        zone: str,
        threshold: float | None,
        timer: Callable[[], float],
    ) -> None:
        """`versions` were begun to be priced; `threshold` is that of the model in force, `timer` gives seconds.

        Raises ConditionError.
        """
        current, lists = load(tx), list_pins(tx)
        live = {rule.id for rule in current.rules}
        self._lists = current.lists
        self._priced: list[_Priced] = []
        for version in versions:
            if version.price is None:
                raise ValueError(f"{version.rule} {version.version} was not begun to be priced.")
            others = without(current, {version.rule}) if version.rule in live else current
            condition = compile_rule(version.text, feature_types(), lists)
            self._priced.append(_Priced(condition, others, PriceTally(version.price)))
        self._zone, self._timer = ZoneInfo(zone), timer
        self._threshold = 1.0 if threshold is None else threshold
        conditions = (*current.conditions, *(one.condition for one in self._priced))
        named = {name for one in conditions for name in one.columns}
        self._windows = sorted(named & feature_types().keys())
        self._plain = sorted(((named & BASE_COLUMNS.keys()) | _ALWAYS) - _LAKE_ONLY)

    def query(self, *, labelled: bool) -> str:
        """The payments of a part of the period with what was decided and known of them, as SQL over the lake.

        `labelled` says whether the lake has any label yet.
        """
        return lake.price_query(self._plain, self._windows, labelled=labelled)

    def parts(self, begun: Price) -> list[dict[str, Any]]:
        """The arguments of `query` for each part of the period."""
        return [_arguments(since, until, begun.as_of) for since, until in slices(begun.since, begun.until)]

    def add(self, batch: pa.RecordBatch) -> None:
        """Hold the rules to some payments."""
        columns = Columns(batch)
        self._restore(columns)
        columns.lists = self._lists
        judged = Judged(columns, _labels(columns.arrow("label")))
        stopped: dict[int, Array] = {}
        for one in self._priced:
            began = self._timer()
            held = one.condition.mask(columns)
            took = self._timer() - began
            by = id(one.others)
            if by not in stopped:
                stopped[by] = one.others.decide(columns)[0] > 0
            one.tally.add(judged, held, stopped[by], took)

    def _restore(self, columns: Columns) -> None:
        """The columns that `derive` and `evaluate` add on live payments, from what was kept of them."""
        restore(columns, self._windows, self._zone)
        score = columns.arrow("kept_score")
        columns.add("score", np.asarray(score.fill_null(0).to_numpy(zero_copy_only=False), np.float32),
                    np.asarray(score.is_valid()))  # fmt: skip
        columns.add("score_threshold", np.full(columns.rows, self._threshold))

    def found(self) -> list[Price]:
        """What was found so far, rule by rule."""
        return [one.tally.price() for one in self._priced]


def _arguments(since: datetime, until: datetime, as_of: datetime) -> dict[str, Any]:
    return {"since": since, "until": until, "as_of": as_of}


def _labels(verdicts: pa.Array) -> Array:
    encoded = verdicts.dictionary_encode()
    meaning = np.array([LABELS.get(str(value), 0) for value in encoded.dictionary.to_pylist()] + [0], np.int8)
    codes = np.asarray(encoded.indices.fill_null(len(meaning) - 1).to_numpy(zero_copy_only=False))
    known: Array = meaning[codes]
    return known
