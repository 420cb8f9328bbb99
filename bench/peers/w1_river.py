# mypy: ignore-errors
# A peer's side, written as its users write it; its packages are not installed here.
"""Workload W1 with river: TimeRolling statistics per account.

python w1_river.py EVENTS.ndjson ALERTS.ndjson     prints {"seconds", "events", "checksum"}
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import msgspec
from river import stats, utils
from w1_plain import DAY, HOUR, TEN, Event, alert_of


class Count(stats.base.Univariate):
    """A count that can roll: river's own has no revert."""

    def __init__(self):
        self.n = 0

    def update(self, x):
        self.n += 1

    def revert(self, x):
        self.n -= 1

    def get(self):
        return self.n


def windows():
    """The state of one account."""
    rolling = utils.TimeRolling
    return (
        rolling(Count, period=TEN), rolling(Count, period=HOUR), rolling(stats.Sum, period=HOUR),
        rolling(Count, period=DAY), rolling(stats.Sum, period=DAY), stats.Mean(),
    )  # fmt: skip


def run(source, target):
    """The whole workload; returns events and the checksum over all of them."""
    decode, encode = msgspec.json.Decoder(Event).decode, msgspec.json.Encoder().encode
    accounts = {}
    sums, events, alerts = [0.0] * 6, 0, 0
    with Path(source).open("rb", buffering=1 << 20) as lines, Path(target).open("wb", buffering=1 << 20) as out:
        for line in lines:
            event = decode(line)
            state = accounts.get(event.account_id)
            if state is None:
                state = accounts[event.account_id] = windows()
            moment = event.occurred_at.replace(tzinfo=None)  # it cannot compare zoned times
            for window in state[:5]:
                window.update(event.amount, t=moment)
            state[5].update(event.amount)
            values = [window.get() for window in state]
            for i in range(6):
                sums[i] += values[i]
            events += 1
            if event.amount > 800 or values[0] > 3:
                out.write(encode(alert_of(event, values)) + b"\n")
                alerts += 1
    return events, [*sums, alerts]


if __name__ == "__main__":
    begin = time.perf_counter()
    count, checksum = run(sys.argv[1], sys.argv[2])
    print(json.dumps({"seconds": time.perf_counter() - begin, "events": count, "checksum": checksum}))
