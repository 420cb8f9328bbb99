"""The nouns of fraud: rules and what a batch was decided."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from finer.decisions.types import Action

Array = np.ndarray[Any, np.dtype[Any]]


class Rule(msgspec.Struct, frozen=True):
    """One rule: when `condition` holds, `action` is asked for, and `reason` says why.

    `reason` is a sentence with column names in braces, e.g. `{account.count_10s:ordinal}`; see
    finer.fraud.rules.reasons for the formats.
    """

    id: str
    title: str
    condition: str
    action: Action
    reason: str


class Verdicts(msgspec.Struct, frozen=True):
    """What the rules and the model say of every row of a batch.

    `actions` uint8 (see Action), `fired` uint64 with bit i set when rule i of the pack holds, `scores` float32 or
    None without a model; all shape (rows,).
    """

    actions: Array
    fired: Array
    scores: Array | None
