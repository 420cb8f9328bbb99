"""Made-up flows of records: what would have been tallied of them, seeded, step by step."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from finer.quality.rules import learning
from finer.quality.rules.judging import Judge, Verdict
from finer.quality.types import (
    CONTRACT_KINDS,
    STEP_S,
    Layout,
    Monitor,
    MonitorKind,
    Observation,
    Progress,
    Reference,
    Tally,
    Watch,
)

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
STEP = timedelta(seconds=STEP_S)
LAYOUT = Layout(
    number=1, fields_since=1, fields=("city",), made_at=START,
    references=(Reference(field="channel", values=("atm", "pos", "web"), shares=(0.1, 0.6, 0.3, 0.0)),),
)  # fmt: skip
KINDS = [
    *((kind, "") for kind in CONTRACT_KINDS),
    (MonitorKind.COMPLETENESS, "city"),
    (MonitorKind.DISTRIBUTION, "channel"),
]
MONITORS = [
    Monitor(id=uuid.UUID(int=place + 1), contract="order", kind=kind, field=field, place=place)
    for place, (kind, field) in enumerate(KINDS)
]
PLACES = {kind: place for place, (kind, _) in enumerate(KINDS)}


class Flow:
    """Records at about `rate` a second, of which shares are refused, repeated or without a city."""

    def __init__(self, seed: int = 1, rate: float = 30.0) -> None:
        self._random = np.random.default_rng(seed)
        self.rate, self.nulls, self.refused, self.repeated = rate, 0.01, 0.002, 0.001
        self.delay_s, self.channels = 0.4, (0.1, 0.6, 0.3, 0.0)

    def tally(self, at: datetime) -> Tally:
        """What one step brings."""
        received = int(self._random.poisson(self.rate * STEP_S))
        refused = int(self._random.binomial(received, self.refused))
        fresh = received - refused
        repeated = int(self._random.binomial(fresh, self.repeated))
        rows = fresh - repeated
        return Tally(
            at=at, layout=1, received=received, quarantined=refused, processed=fresh, duplicates=repeated, rows=rows,
            delay_s=self.delay_s * float(self._random.lognormal(0, 0.1)) if rows else None,
            nulls=(int(self._random.binomial(rows, self.nulls)),) if rows else (),
            bins=tuple(int(n) for n in self._random.multinomial(rows, self.channels)) if rows else (),
        )  # fmt: skip

    def steps(self, since: datetime, count: int) -> Iterator[Tally]:
        """So many steps."""
        return (self.tally(since + STEP * place) for place in range(count))


class Watched:
    """A contract that is watched without a database: judged step by step, learned from every five minutes."""

    def __init__(self, monitors: list[Monitor] = MONITORS, layout: Layout = LAYOUT) -> None:
        self.monitors, self.layout = monitors, layout
        self.kept: list[Observation] = []
        self.watch = Watch(contract="order", first_at=START, layout=layout)

    @property
    def now(self) -> datetime:
        """The end of the last step."""
        return self.kept[-1].tally.at + STEP if self.kept else START

    def take(self, tallies: Iterator[Tally]) -> list[Verdict]:
        """Judge steps, and learn as `finer jobs` does."""
        found = []
        for tally in tallies:
            judge = Judge(self.watch, self.monitors, [one.tally for one in self.kept[-self.watch.usual.window :]])
            verdict = judge.step(tally)
            found.append(verdict)
            self.kept.append(verdict.observation)
            self.watch = msgspec.structs.replace(self.watch, progress=verdict.progress)
            if len(self.kept) % 6 == 0:
                self.learn()
        return found

    def learn(self) -> None:
        """Learn from what was kept."""
        steps = self.kept[-learning.RECENT_STEPS :]
        usual = learning.learn(self.layout, self.monitors, steps, [], [], self.now)
        self.watch = msgspec.structs.replace(self.watch, usual=usual)

    def forget_progress(self) -> None:
        """As after a long time in which nobody looked."""
        self.watch = msgspec.structs.replace(self.watch, progress=Progress())


def unusual(verdicts: list[Verdict]) -> set[MonitorKind]:
    """The kinds that have objected for long enough in any of these steps."""
    return {KINDS[breach.place][0] for one in verdicts for breach in one.breaches}
