# mypy: ignore-errors
# A peer's side, written as its users write it; its packages are not installed here.
"""Workload W1 with bytewax: one keyed stateful_map, the windows by hand as its documentation does.

python w1_bytewax.py EVENTS.ndjson ALERTS.ndjson     prints {"seconds", "events", "checksum"}
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import bytewax.operators as op
import msgspec
from bytewax.connectors.files import FileSink, FileSource
from bytewax.dataflow import Dataflow
from bytewax.testing import run_main
from w1_plain import Account, Event, alert_of

SUMS, SEEN = [0.0] * 7, [0]


def step(state, event):
    """One event of one account."""
    state = state or Account()
    values = state.add(event.occurred_at, event.amount)
    for i in range(6):
        SUMS[i] += values[i]
    SEEN[0] += 1
    return state, (event, values)


def flow(source, target):
    """File, windows, two rules, file."""
    decode, encode = msgspec.json.Decoder(Event).decode, msgspec.json.Encoder().encode

    def alert(keyed):
        event, values = keyed[1]
        if event.amount > 800 or values[0] > 3:
            SUMS[6] += 1
            return (keyed[0], encode(alert_of(event, values)).decode())
        return None

    whole = Dataflow("w1")
    lines = op.input("in", whole, FileSource(Path(source), batch_size=1000))
    keyed = op.map("key", lines, lambda line: ((event := decode(line)).account_id, event))
    alerts = op.filter_map("rules", op.stateful_map("windows", keyed, step), alert)
    op.output("out", alerts, FileSink(Path(target)))
    return whole


if __name__ == "__main__":
    begin = time.perf_counter()
    run_main(flow(sys.argv[1], sys.argv[2]))
    print(json.dumps({"seconds": time.perf_counter() - begin, "events": SEEN[0], "checksum": SUMS}))
