"""D1: NDJSON to checked columns of the contract `transaction`, no database; beside msgspec and pydantic.

All three read the same 13 fields of the same body and check the same 12 rules. The peers make one object per record
and stop there; Finer goes on to Arrow columns, with defaults, derived fields and amounts in exact minor units.
Processor time is measured, not elapsed time, so that a busy machine disturbs less.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from bench.support.bodies import Bodies
from bench.support.report import report
from finer.ingest.service import contracts, parsing
from finer.ingest.types.records import Body

GOAL = "<= 1.5 us/event; >= 4x pydantic, >= 1.5x msgspec in the same run"
_Id = Annotated[str, Meta(min_length=1, max_length=64)]
_Name = Annotated[str, Meta(max_length=128)]
_Kind = Literal["purchase", "withdrawal", "transfer", "payment", "refund", "deposit", "fee"]
_Channel = Literal["pos", "web", "app", "atm", "branch", "transfer"]


class Transaction(msgspec.Struct):
    """The 13 fields with their rules, for msgspec."""

    event_id: _Id
    type: _Kind
    occurred_at: datetime
    customer_id: _Id
    account_id: _Id
    card_last4: Annotated[str, Meta(pattern="^[0-9]{4}$")]
    amount: Annotated[float, Meta(gt=0, lt=10_000_000)]
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    merchant_name: _Name
    merchant_city: _Name
    merchant_country: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    mcc: Annotated[str, Meta(pattern="^[0-9]{4}$")]
    channel: _Channel


def pydantic_reader() -> Callable[[bytes], Any] | None:
    """The same with pydantic, when it is installed (it is no dependency of Finer)."""
    if importlib.util.find_spec("pydantic") is None:
        return None
    pydantic: Any = importlib.import_module("pydantic")
    field, text = pydantic.Field, str
    identifier, name = (text, field(min_length=1, max_length=64)), (text, field(max_length=128))
    model = pydantic.create_model(
        "Transaction",
        event_id=identifier,
        type=(_Kind, ...),
        occurred_at=(datetime, ...),
        customer_id=identifier,
        account_id=identifier,
        card_last4=(text, field(pattern="^[0-9]{4}$")),
        amount=(float, field(gt=0, lt=10_000_000)),
        currency=(text, field(pattern="^[A-Z]{3}$")),
        merchant_name=name,
        merchant_city=name,
        merchant_country=(text, field(pattern="^[A-Z]{2}$")),
        mcc=(text, field(pattern="^[0-9]{4}$")),
        channel=(_Channel, ...),
    )
    validate = model.model_validate_json
    return lambda data: [validate(line) for line in data.splitlines()]


def measure(read: Callable[[bytes], Any], body: bytes, repeats: int) -> float:
    """Processor time of one reading of the body in seconds."""
    started = time.thread_time()
    for _ in range(repeats):
        read(body)
    return (time.thread_time() - started) / repeats


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--events", type=int, default=5000)
    arguments.add_argument("--rounds", type=int, default=9)
    chosen = arguments.parse_args()
    contract = contracts.contract("transaction")
    now = datetime.now(UTC)
    bodies = {size: Bodies(size, seed=5).next()[1] for size in (1, 100, 1000, chosen.events)}

    def finer(data: bytes) -> Any:
        return parsing.parse_group(contract, [Body(data=data)], now)

    readers: dict[str, Callable[[bytes], Any]] = {
        "finer": finer,
        "msgspec": msgspec.json.Decoder(Transaction).decode_lines,
    }
    if (pydantic := pydantic_reader()) is not None:
        readers["pydantic"] = pydantic
    body = bodies[chosen.events]
    (result,) = finer(body).bodies
    if result.accepted != chosen.events:
        raise SystemExit(f"Only {result.accepted} of {chosen.events} records were accepted.")
    # The readers take turns, so that a change of the machine's speed meets all of them.
    rounds: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(chosen.rounds):
        for name, read in readers.items():
            rounds[name].append(measure(read, body, 3) / chosen.events * 1e6)
    us = {name: statistics.median(found) for name, found in rounds.items()}
    figures = {"us_per_event": us["finer"], "ratio_msgspec": us["msgspec"] / us["finer"]}
    if "pydantic" in us:
        figures["ratio_pydantic"] = us["pydantic"] / us["finer"]
    for size in (1, 100, 1000):
        milliseconds = [measure(finer, bodies[size], 20) * 1e3 for _ in range(chosen.rounds)]
        figures[f"ms_{size}"] = statistics.median(milliseconds)
    holds = figures["us_per_event"] <= 1.5 and figures["ratio_msgspec"] >= 1.5
    holds = holds and figures.get("ratio_pydantic", 4.0) >= 4.0
    report(
        "D1",
        figures,
        GOAL,
        holds,
        peers={f"{name}_us_per_event": round(value, 3) for name, value in us.items() if name != "finer"},
        settings={"events": chosen.events, "bytes_per_event": len(body) // chosen.events, "rounds": chosen.rounds},
    )


if __name__ == "__main__":
    main()
