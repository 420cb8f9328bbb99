"""The nouns of quality."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

STEP_S = 10
"""How much time one observation covers, in seconds."""
HOUR_S = 3600
HOUR_OF_WEEK = "hour of the week"
"""How the band is learned besides the last hours, once three weeks are known; before that by the hour of the day."""
KEYS_MAX = 50
"""Keys of failing records that an incident holds at most."""


class MonitorKind(StrEnum):
    """What a monitor looks at. In the order of how much the cause explains: a stop explains a low volume."""

    FRESHNESS = "freshness"
    VALIDITY = "validity"
    DUPLICATES = "duplicates"
    COMPLETENESS = "completeness"
    DISTRIBUTION = "distribution"
    VOLUME = "volume"
    TIMELINESS = "timeliness"


CONTRACT_KINDS = (
    MonitorKind.VOLUME,
    MonitorKind.FRESHNESS,
    MonitorKind.VALIDITY,
    MonitorKind.DUPLICATES,
    MonitorKind.TIMELINESS,
)
"""Kinds that look at all records of a contract; the others look at one field."""


class Sensitivity(StrEnum):
    """How far from usual is unusual."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class MonitorState(StrEnum):
    """Where a monitor stands. `silent`: the flow is too thin, or has too many values, for it to say anything."""

    LEARNING = "learning"
    USUAL = "usual"
    UNUSUAL = "unusual"
    SILENT = "silent"
    MUTED = "muted"
    OFF = "off"


class Monitor(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is watched of a contract. `place` is where its numbers stand in rows of observations.

    What was observed from `relearn_from` to `relearned_at` counts as usual, whatever was thought of it then.
    """

    id: uuid.UUID
    contract: str
    kind: MonitorKind
    field: str
    place: int
    enabled: bool = True
    sensitivity: Sensitivity = Sensitivity.NORMAL
    muted_until: datetime | None = None
    relearn_from: datetime | None = None
    relearned_at: datetime | None = None
    version: int = 1


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """How the values of a field were distributed when they were looked at: shares of bins, the last for all others.

    Bins are intervals of numbers by their upper `edges`, or the `values` themselves.
    """

    field: str
    edges: tuple[float, ...] | None = None
    values: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted of a contract's records: empty values of `fields`, and bins by `references`.

    `number` grows with every change; observations of another number cannot be compared bin by bin, and those from
    before `fields_since` not by their empty values either.
    """

    number: int = 0
    fields_since: int = 0
    fields: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    made_at: datetime | None = None
    records: int = 0


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What came in one step or one hour: records that were received, refused, processed, and seen before.

    `rows` of them were looked at in the lake; `nulls` and `bins` count in the order of the layout.
    """

    at: datetime
    layout: int
    received: int = 0
    quarantined: int = 0
    processed: int = 0
    duplicates: int = 0
    rows: int = 0
    delay_s: float | None = None
    nulls: tuple[int, ...] = ()
    bins: tuple[int, ...] = ()


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """A tally with what monitors made of it, by place: the value, the band that was usual then, and who objected.

    `spreads` are known of hours only: how much values differed within one.
    """

    tally: Tally
    values: tuple[float | None, ...] = ()
    lows: tuple[float | None, ...] = ()
    highs: tuple[float | None, ...] = ()
    spreads: tuple[float | None, ...] = ()
    unusual: tuple[int, ...] = ()


class Usual(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned of a contract, by place; numbers stand on the scale of their kind (see rules.bands).

    `centers` and `scales` come from the last hours, `hour_centers` and `hour_scales` from this hour of earlier days or
    weeks, as `basis` says. `gap_s` is the longest pause that is usual now. `window` is how many steps are looked at
    together, so that enough records are.
    """

    learned_at: datetime | None = None
    hour: datetime | None = None
    window: int = 1
    steady: bool = False
    gap_s: float | None = None
    observations: tuple[int, ...] = ()
    centers: tuple[float | None, ...] = ()
    scales: tuple[float | None, ...] = ()
    hour_centers: tuple[float | None, ...] = ()
    hour_scales: tuple[float | None, ...] = ()
    basis: str = ""


class Streak(msgspec.Struct, frozen=True):
    """How often in a row a monitor has objected or not, and since when."""

    unusual: int = 0
    usual: int = 0
    since: datetime | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Where watching a contract stands: up to when, and what is going on."""

    observed_until: datetime | None = None
    quiet_s: int = 0
    last_record_at: datetime | None = None
    streaks: dict[int, Streak] = {}


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of a contract between two looks at it."""

    contract: str
    first_at: datetime
    layout: Layout = Layout()
    usual: Usual = Usual()
    progress: Progress = Progress()


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """A value that is out of what is usual. `excess` tells how far, in widths of the band; larger is graver."""

    place: int
    value: float
    low: float | None
    high: float | None
    since: datetime
    excess: float


class IncidentState(StrEnum):
    """What became of an incident. `settled`: by itself, because the data are as usual again."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SETTLED = "settled"
    RESOLVED = "resolved"
    EXPECTED = "expected"


OPEN_STATES = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED)


class Severity(StrEnum):
    """How soon somebody should look."""

    WARNING = "warning"
    CRITICAL = "critical"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One monitor's share in an incident: what it saw last, what is usual, and which values moved most."""

    monitor: uuid.UUID
    kind: MonitorKind
    field: str
    value: float
    low: float | None
    high: float | None
    worst: float
    since: datetime
    detail: str = ""
    settled: bool = False


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """Which records failed: event ids, quarantined records or receipts, the newest first, and how many there are."""

    kind: str = ""
    ids: tuple[str, ...] = ()
    records: int = 0


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as usual with the records of a contract. The first part is the gravest."""

    id: uuid.UUID
    contract: str
    state: IncidentState
    severity: Severity
    since: datetime
    opened_at: datetime
    last_at: datetime
    closed_at: datetime | None
    parts: tuple[Part, ...]
    keys: Keys
    note: str
    changed_by: str
    changed_at: datetime | None
    version: int

    @property
    def kind(self) -> MonitorKind:
        """What the gravest part looks at."""
        return self.parts[0].kind


class IncidentFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which incidents: None does not limit. `open` means not closed in any way."""

    open: bool | None = None
    contract: str | None = None


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A monitor's value at a moment with the band that was usual then; None where nothing could be said."""

    at: datetime
    value: float | None
    low: float | None
    high: float | None
    unusual: bool


class ScorePoint(msgspec.Struct, frozen=True):
    """Records of an hour or a day, and how many of them passed."""

    at: datetime
    received: int
    passed: int


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """The share of records that passed the contract when they arrived, over the last hours; None without records."""

    hours: int
    received: int
    passed: int

    @property
    def score(self) -> float | None:
        """Passed of received, 0 to 1."""
        return None if self.received == 0 else self.passed / self.received


class ContractQuality(msgspec.Struct, frozen=True, kw_only=True):
    """How one contract's records are: scores of an hour, a day and thirty days, and what is open."""

    contract: str
    scores: tuple[Score, ...]
    history: list[ScorePoint]
    last_record_at: datetime | None
    monitors: dict[MonitorState, int]
    incidents: list[Incident]
    records_per_s: float | None
