"""Facts of the decisions domain."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from finer.kit.actors import Fact


class AlertResolved(Fact, frozen=True):
    """A person has judged an alert: its transaction is now labelled. `verdict` is confirmed_fraud or dismissed."""

    name: ClassVar[str] = "decisions.alert_resolved.v1"

    event_id: str
    occurred_at: datetime
    verdict: str
    known_at: datetime
    source: str
