"""The nouns of labels that are reported: what payments turned out to be, by those who heard of it elsewhere."""

from __future__ import annotations

from datetime import datetime

import msgspec

from finer.decisions.types.alerts import AlertState
from finer.decisions.types.cases import LabelSource


class ReportedLabel(msgspec.Struct, frozen=True, kw_only=True):
    """What a payment turned out to be, from whom that is known, and since when.

    `occurred_at` is when the payment was made, to within a day: it says where in the lake to look for it.
    """

    event_id: str
    occurred_at: datetime
    verdict: AlertState
    source: LabelSource
    known_at: datetime
    reason: str


class LabelsTaken(msgspec.Struct, frozen=True, kw_only=True):
    """How many payments were labelled, how many of them had raised an alert, and in how many cases these are."""

    labels: int
    alerts: int
    cases: int
