"""History into Finer: three connections, each contract in the order of its time, with a progress bar for a person."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from finer.demo.client import Api, Stopped
from finer.demo.world import BODY_RECORDS, World

# One connection per contract: the windows of the stream want events in the order of their time, and a second
# connection for the same contract could overtake the first. Profiles come last, so that their presence in the lake
# says that all the rest is there (see is_loaded).
_LANES = ("transaction", "order", "activity")
_LAST = "customer_profile"
_PLAIN_STEPS = 10


class Loaded(msgspec.Struct, frozen=True):
    """What loading the history came to; counts are those of the receipts."""

    received: int
    accepted: int
    duplicate: int
    quarantined: int
    bodies: int
    repeated_requests: int
    seconds: float


class _Tally:
    """Sums receipts of several threads, and keeps the first thing that went wrong."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.counts = dict.fromkeys(("received", "accepted", "duplicate", "quarantined"), 0)
        self.bodies = 0
        self.repeated = 0
        self.failure: BaseException | None = None

    def add(self, receipt: dict[str, Any]) -> None:
        with self._lock:
            self.bodies += 1
            for name in self.counts:
                self.counts[name] += int(receipt[name])

    def end(self, repeated: int, failure: BaseException | None) -> None:
        with self._lock:
            self.repeated += repeated
            # A lane that was only told to stop is not the reason for stopping.
            if failure is not None and (self.failure is None or isinstance(self.failure, Stopped)):
                self.failure = failure


def is_loaded(api: Api, world: World) -> bool:
    """Whether the history is in Finer already: the API tells whether all profiles, sent last, are in the lake."""
    for table in api.get("/api/v1/pipeline").get("freshness", []):
        if str(table["table"]).rstrip("s") == _LAST and int(table["rows"] or 0) >= world.people.count:
            return True
    return False


def load(
    world: World,
    base_url: str,
    api_key: str,
    stop: threading.Event | None = None,
    records_each: int = BODY_RECORDS,
    patience_s: float = 120.0,
) -> Loaded:
    """Send the whole history. Sending it again changes nothing, since ids come from the seed.

    Raises Refused or Unavailable with what the server said, and Stopped when `stop` is set meanwhile.
    """
    begun = time.monotonic()
    stopped = stop or threading.Event()
    abandon = threading.Event()  # set by the first lane that fails, so that the others do not go on for nothing
    tally = _Tally()
    total = sum(world.size(contract) for contract in (*_LANES, _LAST))

    def lane(contract: str, advance: Callable[[int], None]) -> None:
        api = Api(base_url, api_key, stopped, patience_s)
        failure: BaseException | None = None
        try:
            for body in world.bodies(contract, records_each):
                if abandon.is_set():
                    break
                tally.add(api.send(contract, body.data))
                advance(body.records)
        except BaseException as error:  # noqa: BLE001 - carried over to the thread that waits, and raised there
            failure = error
            abandon.set()
        finally:
            api.close()
            tally.end(api.repeated, failure)

    with _progress(total) as advance:
        threads = [
            threading.Thread(target=lane, args=(contract, advance), name=f"load {contract}", daemon=True)
            for contract in _LANES
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if tally.failure is None:
            lane(_LAST, advance)
    if tally.failure is not None:
        raise tally.failure
    seconds = time.monotonic() - begun
    return Loaded(**tally.counts, bodies=tally.bodies, repeated_requests=tally.repeated, seconds=seconds)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, a line for each tenth elsewhere; yields what to call with the number of records sent."""
    console = Console(stderr=True)
    if console.is_terminal:
        bar = Progress(
            TextColumn("Loading the demo history"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=console,
        )  # fmt: skip
        with bar:
            task = bar.add_task("load", total=total)
            yield lambda records: bar.advance(task, records)
        return
    lock = threading.Lock()
    sent = told = 0

    def advance(records: int) -> None:
        nonlocal sent, told
        with lock:
            sent += records
            step = sent * _PLAIN_STEPS // max(total, 1)
            if step > told:
                told = step
                sys.stderr.write(f"Loading the demo history: {sent:,} of {total:,} records\n")
                sys.stderr.flush()

    yield advance
