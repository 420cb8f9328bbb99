"""NDJSON bodies of transactions that cost the load generator almost nothing: made once, then patched in place.

A line has the 13 fields and about 350 bytes of the rows S1 to S3. Event ids and times have a fixed width, so that a
body becomes a new one by writing a few bytes of each line.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numba as nb
import numpy as np

_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_MERCHANTS = 900
_MCC = ("5411", "5812", "5999", "4829")
_CHANNELS = ("pos", "web", "atm")
START = datetime(2026, 1, 1, tzinfo=UTC)


@nb.njit(cache=True, nogil=True)
def _patch(buffer: np.ndarray, ids: np.ndarray, times: np.ndarray, first_id: np.uint64, moment: np.ndarray) -> None:
    """Write the last 16 digits of each line's event id, and the moment, where they stand."""
    for i in range(len(ids)):
        number = first_id + np.uint64(i)
        for k in range(16):
            buffer[ids[i] + 31 - k] = _HEX[number & np.uint64(15)]
            number >>= np.uint64(4)
        for k in range(len(moment)):
            buffer[times[i] + k] = moment[k]


class Body:
    """One reusable body of `events` lines."""

    def __init__(self, generator: np.random.Generator, events: int, accounts: int) -> None:
        self.events = events
        account = generator.integers(0, accounts, events)
        merchant = generator.zipf(1.3, events) % _MERCHANTS
        amount = np.maximum(np.round(generator.lognormal(3, 1.2, events), 2), 0.01)
        kind = generator.integers(0, 12, events)
        last4 = generator.integers(0, 10_000, events)
        lines: list[bytes] = []
        ids, times, at = [], [], 0
        for i in range(events):
            line = (
                f'{{"event_id": "{"0" * 32}", "type": "purchase", "occurred_at": "2026-01-01T00:00:00.000Z", '
                f'"customer_id": "c{account[i] // 3:06d}", "account_id": "a{account[i]:06d}", '
                f'"card_last4": "{last4[i]:04d}", "amount": {amount[i]:.2f}, "currency": "USD", '
                f'"merchant_name": "Merchant {merchant[i]}", "merchant_city": "Manila", "merchant_country": "PH", '
                f'"mcc": "{_MCC[kind[i] % 4]}", "channel": "{_CHANNELS[kind[i] % 3]}"}}\n'
            ).encode()
            ids.append(at + line.index(b"0" * 32))
            times.append(at + line.index(b"2026-01-01T"))
            lines.append(line)
            at += len(line)
        self._buffer = np.frombuffer(b"".join(lines), np.uint8).copy()
        self._ids = np.array(ids)
        self._times = np.array(times)

    def patched(self, first_id: int, at: datetime) -> bytes:
        """The body with event ids from `first_id` on, all at the moment `at`."""
        text = np.frombuffer(at.strftime("%Y-%m-%dT%H:%M:%S.").encode() + b"%03d" % (at.microsecond // 1000), np.uint8)
        _patch(self._buffer, self._ids, self._times, np.uint64(first_id), text)
        return self._buffer.tobytes()


class Bodies:
    """An endless supply of distinct bodies; event time runs `speed` times as fast as events per account would.

    The time between bodies is chosen so that `accounts` accounts make about one payment each `seconds_per_payment`,
    as at a real firm: otherwise a load test would be one endless velocity attack.
    """

    def __init__(
        self, events: int, *, accounts: int = 1_000_000, seed: int = 1, seconds_per_payment: float = 1000.0
    ) -> None:
        generator = np.random.default_rng(seed)
        # Bodies come round again: with fewer payments than these, the same accounts would pay every few seconds.
        many = max(min(400, 1_000_000 // events), 40_000 // events, 4)
        self.events = events
        self._bodies = [Body(generator, events, accounts) for _ in range(many)]
        self._step = timedelta(seconds=events * seconds_per_payment / accounts)
        self._made = 0
        # A multiple of every body size in use, so that an id tells which body it came in.
        self._first_id = seed * 10**13

    def next(self) -> tuple[int, bytes]:
        """The first event id's number and the body."""
        body = self._bodies[self._made % len(self._bodies)]
        first = self._first_id + self._made * self.events
        data = body.patched(first, START + self._step * self._made)
        self._made += 1
        return first, data


def event_id(number: int) -> str:
    """The event id of a number given by `Bodies.next`."""
    return f"{number:032x}"
