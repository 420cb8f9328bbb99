"""S4: the window engine alone, and a whole streaming job beside its peers.

(a) 12 values per event over one million accounts, batches of 8,192 events: microseconds per event.
(b) workload W1: read 500,000 events as NDJSON, six windows per account, two rules, write every alert with its values
as NDJSON. The same by hand with msgspec and deques, and with river and bytewax when FINER_PEERS_PYTHON names a Python
that has bench/peers/requirements.txt. All checksums must agree. `events_per_s` reads the four fields that the peers
read (Arrow's JSON reader); `events_per_s_contract` holds all 13 fields to the transaction contract instead.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.json as pj

from bench.support.report import median, report
from finer.features.service import Engine
from finer.features.types import Aggregate, Entity, FeatureDefinition, FeatureSet
from finer.ingest.service import contracts, parsing
from finer.ingest.types.records import Body
from finer.kit.columns import Columns

Array = np.ndarray[Any, np.dtype[Any]]
Parser = Callable[[bytes], Columns]
RUNS = 3
EVENTS = 500_000
CHUNK = 2 << 20
SEED = 7
TEN, TEN_MINUTES, HOUR, DAY = timedelta(seconds=10), timedelta(minutes=10), timedelta(hours=1), timedelta(days=1)
PEERS = Path(__file__).parent / "peers"
ENTITIES = (Entity("account", ("account_id",)), Entity("merchant", ("merchant_id",)))
AMOUNT = "amount_minor"
START = datetime(2026, 1, 5, tzinfo=UTC)


def twelve() -> FeatureSet:
    """The twelve values of part (a)."""
    declare, kind = FeatureDefinition, Aggregate
    return FeatureSet(
        ENTITIES,
        (
            declare("account.count_10s", "account", kind.COUNT, TEN),
            declare("account.count_1h", "account", kind.COUNT, HOUR),
            declare("account.sum_1h", "account", kind.SUM, HOUR, AMOUNT),
            declare("account.count_24h", "account", kind.COUNT, DAY),
            declare("account.sum_24h", "account", kind.SUM, DAY, AMOUNT),
            declare("account.mean_30d", "account", kind.MEAN, 30 * DAY, AMOUNT),
            declare("account.merchants_24h", "account", kind.DISTINCT, DAY, "merchant_id"),
            declare("merchant.count_10m", "merchant", kind.COUNT, TEN_MINUTES),
            declare("merchant.count_1h", "merchant", kind.COUNT, HOUR),
            declare("merchant.sum_1h", "merchant", kind.SUM, HOUR, AMOUNT),
            declare("merchant.mean_24h", "merchant", kind.MEAN, DAY, AMOUNT),
            declare("merchant.accounts_10m", "merchant", kind.DISTINCT, TEN_MINUTES, "account_id"),
        ),
    )


def engine_alone(accounts: int = 1_000_000, events: int = 4_000_000, size: int = 8192) -> dict[str, float]:
    """Part (a): median and worst batch of the last quarter, when the state is as large as it gets."""
    random = np.random.default_rng(SEED)
    spread = np.uint64(0x9E3779B97F4A7C15)
    engine = Engine(twelve())
    empty = pa.RecordBatch.from_pydict({"nothing": pa.array(np.zeros(size, np.int8))})
    seconds = []
    for number in range(events // size):
        columns = Columns(empty)
        columns.add_hashes("account_id", random.integers(1, accounts + 1, size).astype(np.uint64) * spread)
        columns.add_hashes("merchant_id", (1 + 5000 * random.random(size) ** 2).astype(np.uint64) * spread)
        columns.add(AMOUNT, random.integers(100, 100_000, size))
        columns.add("occurred_at", (np.arange(size) + number * size) * 100)
        begin = time.perf_counter()
        engine.step(columns, SEED)
        seconds.append(time.perf_counter() - begin)
    last = [value / size * 1e6 for value in seconds[-len(seconds) // 4 :]]
    metrics = engine.metrics()
    return {"us_per_event": median(last), "state_mb": metrics["bytes"] / 2**20, "accounts": metrics["entities"] - 5000}


def write_events(path: Path, events: int = EVENTS) -> None:
    """W1: 48 h, about 30,000 accounts, strictly increasing milliseconds, 3,000 bursts of 3 to 10 within 9 s."""
    random = np.random.default_rng(SEED)
    span = 48 * 3600 * 1000
    account = np.floor(30_000 * random.beta(0.7, 1.6, events)).astype(np.int64)
    times = np.sort(random.choice(span, events, replace=False))
    starts, lengths = random.choice(events - 10, 3000, replace=False), random.integers(3, 11, 3000)
    for start, length in zip(starts, lengths, strict=True):
        # Events near each other in time that become one account's; the stretch is cut where 9 s end.
        account[start : start + length][times[start : start + length] < times[start] + 9000] = account[start]
    amount = np.maximum(np.round(random.lognormal(3.6, 1.35, events), 2), 0.01)
    merchant, last4 = random.integers(0, 900, events), random.integers(0, 10_000, events)
    with path.open("w", buffering=1 << 20) as file:
        for i in range(events):
            moment = (START + timedelta(milliseconds=int(times[i]))).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
            file.write(
                f'{{"event_id":"e{i:09d}","type":"purchase","occurred_at":"{moment}Z",'
                f'"customer_id":"c{account[i] % 20_000:06d}","account_id":"a{account[i]:06d}",'
                f'"card_last4":"{last4[i]:04d}","amount":{amount[i]:.2f},"currency":"USD",'
                f'"merchant_name":"Merchant {merchant[i]:04d}","merchant_city":"Springfield","merchant_country":"US",'
                f'"mcc":"{5000 + merchant[i] % 900:04d}","channel":"{("pos", "web", "app")[merchant[i] % 3]}"}}\n'
            )


def chunks(path: Path) -> Iterator[bytes]:
    """The file in pieces of whole lines."""
    rest = b""
    with path.open("rb", buffering=0) as file:
        while data := file.read(CHUNK):
            cut = data.rfind(b"\n") + 1
            yield rest + data[:cut]
            rest = data[cut:]
    if rest:
        yield rest


_FIELDS = pa.schema(
    [
        ("event_id", pa.string()),
        ("account_id", pa.string()),
        ("occurred_at", pa.timestamp("us", "UTC")),
        ("amount", pa.float64()),
    ]
)


def four_fields(data: bytes) -> Columns:
    """The fields that the windows and alerts need; the reader skips the others, as the peers' do."""
    table = pj.read_json(
        pa.BufferReader(data),
        read_options=pj.ReadOptions(use_threads=False, block_size=CHUNK * 2),
        parse_options=pj.ParseOptions(explicit_schema=_FIELDS, unexpected_field_behavior="ignore"),
    )
    columns = Columns(table.combine_chunks().to_batches()[0])
    columns.add(AMOUNT, np.rint(columns.values("amount") * 100).astype(np.int64))
    return columns


def whole_contract(data: bytes) -> Columns:
    """All fields, typed and checked."""
    return Columns(parsing.parse_group(contracts.contract("transaction"), [Body(data=data)], START + 3 * DAY).batch)


def parsed(path: Path, parse: Parser, out: queue.Queue[Columns | None]) -> None:
    """Read and parse, ahead of the windows: both let go of the interpreter while they work."""
    try:
        for data in chunks(path):
            out.put(parse(data))
    finally:
        out.put(None)


def w1_features() -> FeatureSet:
    """The six values of W1."""
    declare, kind = FeatureDefinition, Aggregate
    return FeatureSet(
        ENTITIES[:1],
        (
            declare("count_10s", "account", kind.COUNT, TEN),
            declare("count_1h", "account", kind.COUNT, HOUR),
            declare("sum_1h", "account", kind.SUM, HOUR, AMOUNT),
            declare("count_24h", "account", kind.COUNT, DAY),
            declare("sum_24h", "account", kind.SUM, DAY, AMOUNT),
            declare("mean", "account", kind.MEAN, None, AMOUNT),
        ),
    )


def finer(source: Path, target: Path, parse: Parser) -> dict[str, Any]:
    """Part (b) with Finer."""
    feature_set = w1_features()
    money = np.array([name.startswith(("sum", "mean")) for name in feature_set.names])
    scale = np.where(money, 0.01, 1.0)[:, None]
    encode = msgspec.json.Encoder().encode_lines
    begin = time.perf_counter()
    engine = Engine(feature_set)
    batches: queue.Queue[Columns | None] = queue.Queue(4)
    threading.Thread(target=parsed, args=(source, parse, batches), daemon=True).start()
    sums, events, alerts = np.zeros(6), 0, 0
    with target.open("wb", buffering=1 << 20) as out:
        while (columns := batches.get()) is not None:
            values = engine.step(columns, SEED).matrix * scale
            sums += values.sum(axis=1)
            events += columns.rows
            high, fast = columns.values(AMOUNT) > 80_000, values[0] > 3
            rows = np.flatnonzero(high | fast)
            alerts += len(rows)
            out.write(encode(_alerts(columns, rows, high, fast, dict(zip(feature_set.names, values, strict=True)))))
    return {"seconds": time.perf_counter() - begin, "events": events, "checksum": [*sums.tolist(), alerts]}


def _alerts(columns: Columns, rows: Array, high: Array, fast: Array, values: dict[str, Array]) -> list[dict[str, Any]]:
    picked: dict[str, list[Any]] = columns.pick(rows, ("event_id", "account_id"))
    picked["amount"] = (columns.values(AMOUNT)[rows] / 100).tolist()
    words = (["high_amount"], ["velocity"], ["high_amount", "velocity"])
    picked["rules"] = [words[code - 1] for code in (high[rows] + 2 * fast[rows]).tolist()]
    for name, column in values.items():
        found = column[rows]
        picked[name] = (found.astype(np.int64) if name.startswith("count") else found).tolist()
    names = list(picked)
    return [dict(zip(names, row, strict=True)) for row in zip(*picked.values(), strict=True)]


def peer(python: str, name: str, source: Path, target: Path) -> dict[str, Any]:
    """One run of a peer's script in its own process and environment."""
    command = [python, str(PEERS / f"w1_{name}.py"), str(source), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PEERS)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether two runs counted the same and their money agrees to the cent's rounding."""
    return a["events"] == b["events"] and bool(np.allclose(a["checksum"], b["checksum"], rtol=1e-9))


def whole_job() -> tuple[dict[str, float], dict[str, float], bool]:
    """Part (b): events per second of Finer and of each peer, alternating, and whether all were exact."""
    python = os.environ.get("FINER_PEERS_PYTHON", "")
    names = ["plain", "river", "bytewax"] if python else ["plain"]
    rates: dict[str, list[float]] = {name: [] for name in ("finer", "contract", *names)}
    exact = True
    with tempfile.TemporaryDirectory() as place:
        source = Path(place, "events.ndjson")
        write_events(source)
        parsing.warm()
        Engine(w1_features()).warm()
        for _ in range(RUNS):
            for name, parse in (("contract", whole_contract), ("finer", four_fields)):
                ours = finer(source, Path(place, "finer.ndjson"), parse)
                rates[name].append(ours["events"] / ours["seconds"])
            for name in names:
                interpreter = sys.executable if name == "plain" else python
                theirs = peer(interpreter, name, source, Path(place, f"{name}.ndjson"))
                rates[name].append(theirs["events"] / theirs["seconds"])
                exact = exact and same(ours, theirs)
    medians = {name: median(found) for name, found in rates.items()}
    best = max((medians[name] for name in names if name != "plain"), default=0.0)
    figures = {
        "events_per_s": medians["finer"],
        "ratio_plain": medians["finer"] / medians["plain"],
        "events_per_s_contract": medians["contract"],
    }
    if best:
        figures["ratio_best_streaming_peer"] = medians["finer"] / best
    return figures, {name: medians[name] for name in names}, exact


def main() -> None:
    """Both parts, medians of three runs."""
    runs = [engine_alone() for _ in range(RUNS)]
    figures = {name: median([run[name] for run in runs]) for name in runs[0]}
    job, peers, exact = whole_job()
    figures |= job | {"exact": float(exact)}
    holds = (
        figures["us_per_event"] <= 1
        and figures["events_per_s"] >= 600_000
        and figures["ratio_plain"] >= 2.5
        and figures.get("ratio_best_streaming_peer", 8.0) >= 8
        and exact
    )
    goal = "<= 1 us/event; >= 600,000 events/s, >= 8x the best streaming peer, >= 2.5x plain msgspec, exact"
    settings = {"runs": RUNS, "events": EVENTS, "threads": 2}
    report("S4", figures, goal, holds, peers=peers, settings=settings)


if __name__ == "__main__":
    main()
