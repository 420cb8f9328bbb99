# mypy: ignore-errors
# A peer's side, written as its users write it; its packages are not installed here.
"""Workload W1 by hand: msgspec, one deque per window and account. Also what the other peers compute with.

python w1_plain.py EVENTS.ndjson ALERTS.ndjson     prints {"seconds", "events", "checksum"}
"""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

TEN, HOUR, DAY = timedelta(seconds=10), timedelta(hours=1), timedelta(days=1)


class Event(msgspec.Struct):
    """The fields that the windows read; msgspec skips the others."""

    event_id: str
    occurred_at: datetime
    account_id: str
    amount: float


class Account:
    """The windows of one account."""

    __slots__ = ("day", "day_sum", "hour", "hour_sum", "n", "ten", "total")

    def __init__(self):
        self.ten, self.hour, self.day = deque(), deque(), deque()
        self.hour_sum = self.day_sum = self.total = 0.0
        self.n = 0

    def add(self, t, a):
        """The six values with this event: count 10 s, count and sum 1 h, count and sum 24 h, mean so far."""
        ten, hour, day = self.ten, self.hour, self.day
        ten.append(t)
        edge = t - TEN
        while ten[0] <= edge:
            ten.popleft()
        hour.append((t, a))
        self.hour_sum += a
        edge = t - HOUR
        while hour[0][0] <= edge:
            self.hour_sum -= hour.popleft()[1]
        day.append((t, a))
        self.day_sum += a
        edge = t - DAY
        while day[0][0] <= edge:
            self.day_sum -= day.popleft()[1]
        self.n += 1
        self.total += a
        return len(ten), len(hour), self.hour_sum, len(day), self.day_sum, self.total / self.n


def alert_of(event, values):
    """What is emitted when a rule fires."""
    rules = [name for name, fired in (("high_amount", event.amount > 800), ("velocity", values[0] > 3)) if fired]
    return {
        "event_id": event.event_id, "account_id": event.account_id, "amount": event.amount, "rules": rules,
        "count_10s": values[0], "count_1h": values[1], "sum_1h": values[2], "count_24h": values[3],
        "sum_24h": values[4], "mean": values[5],
    }  # fmt: skip


def run(source, target):
    """The whole workload; returns the checksum over all events."""
    decode = msgspec.json.Decoder(Event).decode
    encode = msgspec.json.Encoder().encode
    accounts = {}
    sums = [0.0] * 6
    events = alerts = 0
    with Path(source).open("rb", buffering=1 << 20) as lines, Path(target).open("wb", buffering=1 << 20) as out:
        for line in lines:
            event = decode(line)
            account = accounts.get(event.account_id)
            if account is None:
                account = accounts[event.account_id] = Account()
            values = account.add(event.occurred_at, event.amount)
            for i in range(6):
                sums[i] += values[i]
            events += 1
            if event.amount > 800 or values[0] > 3:
                out.write(encode(alert_of(event, values)))
                out.write(b"\n")
                alerts += 1
    return events, [*sums, alerts]


if __name__ == "__main__":
    begin = time.perf_counter()
    count, checksum = run(sys.argv[1], sys.argv[2])
    print(json.dumps({"seconds": time.perf_counter() - begin, "events": count, "checksum": checksum}))
