"""The brake: what every rule blocked of late, and which rule has blocked too much."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from finer.decisions.types.alerts import Action
from finer.fraud.rules.evaluate import Array
from finer.fraud.types import Brake, Rule, Verdicts

SHARE_EVENTS_MIN = 200
"""A share of fewer payments than this says nothing yet."""
ALL = ""
"""The name under which all decided payments are counted."""


class Tally:
    """What a batch did by rule: hits, payments blocked, and their worth in USD cents."""

    def __init__(self, decided: int) -> None:
        self.rows: dict[tuple[str, bool], tuple[int, int, int]] = {(ALL, False): (decided, 0, 0)}

    def add(self, rule: str, shadow: bool, hits: int, blocks: int, usd_minor: int) -> None:
        """Note what one rule did."""
        self.rows[rule, shadow] = hits, blocks, usd_minor

    def blocks(self) -> dict[str, int]:
        """Payments blocked, by live rule."""
        return {rule: blocks for (rule, shadow), (_, blocks, _) in self.rows.items() if rule and not shadow and blocks}


def tally(rules: Sequence[Rule], shadow: Sequence[Rule], verdicts: Verdicts, fresh: Array, usd_minor: Array) -> Tally:
    """Count a batch: what each rule held for among the `fresh` rows; `usd_minor` int64 is 0 where it is not known."""
    found = Tally(int(np.count_nonzero(fresh)))
    for ids, fired, is_shadow in ((rules, verdicts.fired, False), (shadow, verdicts.shadow, True)):
        if fired is None:
            continue
        rows = np.flatnonzero((fired != 0) & fresh)
        if not len(rows):
            continue
        bits = (fired[rows, None] >> np.arange(len(ids), dtype=np.uint64)) & np.uint64(1)
        blocked = verdicts.actions[rows] == Action.BLOCK
        worth = usd_minor[rows]
        for bit in np.flatnonzero(bits.any(axis=0)).tolist():
            rule, held = ids[bit], bits[:, bit] != 0
            blocks = int(np.count_nonzero(held & blocked)) if rule.action is Action.BLOCK and not is_shadow else 0
            found.add(rule.id, is_shadow, int(np.count_nonzero(held)), blocks, int(worth[held].sum()))
    return found


class BrakeWatch:
    """Blocks by rule and minute of one firm, as far back as any brake looks."""

    def __init__(self, known: Iterable[tuple[int, str, int]] = ()) -> None:
        """`known` are (minute since 1970, rule or ALL, count) of the minutes before, oldest first."""
        self._minutes: dict[str, deque[tuple[int, int]]] = {}
        for minute, rule, count in known:
            self._add(minute, rule, count)

    def tripped(self, brakes: Mapping[str, Brake], found: Tally, minute: int) -> dict[str, str]:
        """The rules that would pass their cap with this batch, and why as a sentence."""
        said = {}
        for rule, blocks in found.blocks().items():
            brake = brakes.get(rule)
            if brake is None:
                continue
            since = minute - brake.minutes
            total = self._since(rule, since) + blocks
            decided = self._since(ALL, since) + found.rows[ALL, False][0]
            if brake.most is not None and total > brake.most:
                said[rule] = (
                    f"It would have blocked {total:,} payments within {brake.minutes} minutes; "
                    f"{brake.most:,} is its cap."
                )
            elif brake.share is not None and decided >= SHARE_EVENTS_MIN and total > brake.share * decided:
                said[rule] = (
                    f"It would have blocked {total / decided:.1%} of {decided:,} payments within {brake.minutes} "
                    f"minutes; {brake.share:.1%} is its cap."
                )
        return said

    def note(self, brakes: Mapping[str, Brake], found: Tally, minute: int) -> None:
        """Remember a batch that was committed."""
        if not brakes:
            self._minutes.clear()
            return
        self._add(minute, ALL, found.rows[ALL, False][0])
        for rule, blocks in found.blocks().items():
            if rule in brakes:
                self._add(minute, rule, blocks)
        self._forget(minute - max(brake.minutes for brake in brakes.values()))

    def _add(self, minute: int, rule: str, count: int) -> None:
        minutes = self._minutes.setdefault(rule, deque())
        if minutes and minutes[-1][0] == minute:
            minutes[-1] = minute, minutes[-1][1] + count
        else:
            minutes.append((minute, count))

    def _since(self, rule: str, minute: int) -> int:
        return sum(count for at, count in self._minutes.get(rule, ()) if at > minute)

    def _forget(self, minute: int) -> None:
        for minutes in self._minutes.values():
            while minutes and minutes[0][0] <= minute:
                minutes.popleft()
