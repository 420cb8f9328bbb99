"""The simulated world as data: the same for a seed, valid for its contracts, in plausible shares."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from finer.demo.places import in_usd
from finer.demo.world import CONTRACTS, World
from finer.ingest.service import contracts, parsing
from finer.ingest.types.records import Body, ParsedBody

START = date(2026, 11, 2)
RECEIVED = datetime(2026, 12, 1, tzinfo=UTC)


def make(seed: int = 7, days: int = 6, start: date = START, customers: int = 2_000) -> World:
    return World(seed, start, days, customers)


@pytest.fixture(scope="module")
def world() -> World:
    return make()


def lines(world: World, contract: str) -> bytes:
    return b"".join(body.data for body in world.bodies(contract, 3_000))


def parse(world: World, contract: str) -> ParsedBody:
    body = Body(data=lines(world, contract), format="ndjson", encoding="", source="http", idempotency_key=None)
    return parsing.parse_body(contracts.contract(contract), body, RECEIVED)


def clean(world: World, contract: str) -> list[dict[str, Any]]:
    """The records that are meant to be good, each once."""
    found: dict[str, dict[str, Any]] = {}
    for line in lines(world, contract).splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        if not record["event_id"].endswith("-x"):
            found[record["event_id"]] = record
    return list(found.values())


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(world: World, contract: str) -> None:
    assert lines(make(), contract) == lines(world, contract)
    assert lines(make(seed=8), contract) != lines(world, contract)


@pytest.mark.parametrize("contract", ["transaction", "order", "activity"])
def test_a_day_is_the_same_in_every_world_that_contains_it(world: World, contract: str) -> None:
    later = make(start=date(2026, 11, 5), days=9)
    known = {record["event_id"]: record for record in clean(world, contract)}
    shared = [record for record in clean(later, contract) if record["occurred_at"] < "2026-11-08"]
    assert len(shared) > 500
    assert all(known[record["event_id"]] == record for record in shared)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_event_ids_are_unique_and_nothing_says_what_is_fraud(world: World, contract: str) -> None:
    records = clean(world, contract)
    assert len(records) == world.size(contract)
    assert not {"label", "scenario", "fraud", "is_fraud"} & {name for record in records for name in record}


@pytest.mark.parametrize("contract", ["transaction", "order", "activity"])
def test_records_come_in_the_order_of_their_time(world: World, contract: str) -> None:
    times = [record["occurred_at"] for record in clean(world, contract)]
    assert times == sorted(times)
    assert times[0] >= "2026-11-02"
    assert times[-1] < "2026-11-08"


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_good_record_is_accepted_by_the_contract_and_every_spoilt_one_refused(
    world: World, contract: str
) -> None:
    parsed = parse(world, contract)
    accepted = parsed.batch.column("event_id").to_pylist()
    assert set(accepted) == {record["event_id"] for record in clean(world, contract)}
    assert parsed.unknown_fields == []
    assert parsed.received == len(accepted) + len(parsed.refused)


def test_quarantine_gets_every_kind_of_mistake_and_deduplication_something_to_do() -> None:
    world = make(days=20)
    parsed = parse(world, "transaction")
    size = world.size("transaction")
    assert 0.0015 < len(parsed.refused) / size < 0.005
    assert 0.0008 < parsed.batch.num_rows / size - 1 < 0.004
    broken = {(error.field, error.rule) for refused in parsed.refused for error in refused.errors}
    assert {field for field, _ in broken} >= {"customer_id", "occurred_at", "amount", ""}
    repeated = Counter(parsed.batch.column("event_id").to_pylist())
    assert max(repeated.values()) == 2


def test_profiles_also_come_with_the_names_of_the_older_system(world: World) -> None:
    records = clean(world, "customer_profile")
    assert len(records) == 2_000
    legacy = [record for record in records if "customerNumber" in record]
    assert len(legacy) == 1_000
    assert {"dateOfBirth", "branchNumber", "citizenshipCode", "currCountryCode", "incomeInThousands", "City"} <= {
        *legacy[0]
    }


def test_amounts_are_exact_in_the_units_of_their_currency(world: World) -> None:
    table = world.transactions
    parsed = parse(world, "transaction")
    minor = dict(zip(*(parsed.batch.column(name).to_pylist() for name in ("event_id", "amount_minor")), strict=True))
    assert minor == dict(zip(world.event_ids, table["amount"].tolist(), strict=True))
    currencies = set(parsed.batch.column("currency").to_pylist())
    assert currencies == {"PHP", "SGD", "MYR", "THB", "IDR", "VND", "USD"}


def test_the_world_has_the_size_and_the_shares_of_a_bank(world: World) -> None:
    full = World(7, date(2026, 8, 22), 90)
    assert 250_000 < full.size("transaction") < 400_000
    assert 600_000 < sum(full.size(contract) for contract in CONTRACTS) < 800_000
    assert 0.003 < len(full.labels) / full.size("transaction") < 0.006
    country = full.people.country[full.transactions["customer"]]
    honest = full.transactions["scenario"] == 0
    large = (in_usd(full.transactions["amount"], country) > 800) & honest
    assert 0 < large.sum() < 0.0005 * honest.sum()


def test_life_has_a_rhythm() -> None:
    world = World(7, date(2026, 10, 26), 28)  # four weeks with the sale of 11 November
    at = world.transactions["occurred_us"]
    local_hour = (at // 3_600_000_000 + 8) % 24
    by_hour = np.bincount(local_hour, minlength=24)
    assert by_hour[2:5].max() < by_hour[10:20].min() / 4
    orders = world.orders
    placed_day = (orders["occurred_us"][orders["type"] == 0] // 3_600_000_000 + 8) // 24
    by_day = np.bincount(placed_day - placed_day.min())
    sale = (date(2026, 11, 11) - date(1970, 1, 1)).days - placed_day.min()
    assert by_day[sale] == by_day.max()
    assert by_day[sale] > 1.8 * np.median(by_day)


def test_orders_are_placed_then_paid_then_shipped_then_delivered() -> None:
    world = make(days=25)
    stories: dict[str, list[dict[str, Any]]] = {}
    for record in clean(world, "order"):
        stories.setdefault(record["order_id"], []).append(record)
    begun = [story for story in stories.values() if story[0]["type"] == "placed"]
    usual = ["placed", "paid", "shipped", "delivered", "returned"]
    for story in begun:
        kinds = [record["type"] for record in story]
        assert kinds in ([*usual[: len(kinds)]], ["placed", "cancelled"])
        assert len({(record["product_id"], record["unit_price"]) for record in story}) == 1
    assert {record["type"] for story in begun for record in story} == {*usual, "cancelled"}


def test_customers_have_habits(world: World) -> None:
    """Half of a customer's payments at shops go to the few places that the customer likes."""
    world = make(days=30, customers=500)
    table = world.transactions
    pairs = Counter(zip(table["customer"].tolist(), table["merchant"].tolist(), strict=True))
    paid_again = sum(count for (_, merchant), count in pairs.items() if merchant >= 0 and count > 1)
    assert paid_again > 0.3 * sum(count for (_, merchant), count in pairs.items() if merchant >= 0)
    devices = table["device"][table["device"] >= 0]
    assert len(np.unique(devices)) < 3 * 500
