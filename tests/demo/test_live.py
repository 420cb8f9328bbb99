"""The living world: the same ticks for a seed, crimes among them, and a clean stop."""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest
from click.testing import CliRunner

from finer.demo import __main__ as program
from finer.demo.client import Api
from finer.demo.live import TICK_US, LiveBody, LiveWorld
from finer.demo.service import go_on, run
from finer.demo.world import World
from finer.ingest.service import contracts, parsing
from finer.ingest.types.records import Body
from finer.kit.moments import microseconds
from finer.operations.service import behaviour, executive
from finer.segments.service import segments
from tests.demo.fake_finer import BUSY, REFUSED, RESET_AFTER, RESET_BEFORE, FakeFiner, serving

NOON = microseconds(datetime(2026, 11, 20, 4, tzinfo=UTC)) // TICK_US


@pytest.fixture(scope="module")
def world() -> World:
    return World(5, date(2026, 11, 19), 0, 2_000)


def told(live: LiveWorld, seconds: int, first: int = NOON) -> list[LiveBody]:
    return [body for tick in range(first, first + seconds * 4) for body in live.tick(tick)]


def clean(bodies: list[LiveBody], contract: str) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for line in itertools.chain.from_iterable(body.data.splitlines() for body in bodies if body.contract == contract):
        if line.endswith(b"}"):
            record = json.loads(line)
            if not record["event_id"].endswith("-x"):
                found[record["event_id"]] = record
    return list(found.values())


def test_a_tick_is_the_same_whenever_and_however_often_it_is_asked_for(world: World) -> None:
    first, second = LiveWorld(world, 50), LiveWorld(world, 50)
    late = second.tick(NOON + 400)
    assert late
    assert first.tick(NOON + 400) == late == second.tick(NOON + 400)
    ids = [one["event_id"] for body in told(first, 30) for one in clean([body], body.contract)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("rate", [4.0, 20.0, 2_000.0])
def test_the_rate_is_kept_and_times_lie_within_the_tick(world: World, rate: float) -> None:
    seconds = 60 if rate < 100 else 4
    bodies = told(LiveWorld(world, rate), seconds)
    assert sum(body.records for body in bodies) == pytest.approx(rate * seconds, rel=0.1, abs=12)
    start = datetime.fromtimestamp(NOON * TICK_US / 1e6, UTC).isoformat(timespec="milliseconds")[:19]
    for contract in ("transaction", "order", "activity"):
        times = [record["occurred_at"] for record in clean(bodies, contract)]
        assert times == sorted(times)
        assert times[0] >= start


def test_every_live_record_is_accepted_by_its_contract(world: World) -> None:
    bodies = told(LiveWorld(world, 200), 20)
    for contract in ("transaction", "order", "activity"):
        data = b"".join(body.data for body in bodies if body.contract == contract)
        body = Body(data=data, format="ndjson", encoding="", source="http", idempotency_key=None)
        parsed = parsing.parse_body(contracts.contract(contract), body, datetime(2026, 11, 21, tzinfo=UTC))
        accepted = set(parsed.batch.column("event_id").to_pylist())
        assert accepted == {record["event_id"] for record in clean(bodies, contract)}


def test_a_crime_comes_every_twenty_to_sixty_seconds(world: World) -> None:
    live = LiveWorld(world, 20)
    begins = []
    for tick in range(NOON, NOON + 4 * 300):
        begins += [tick for body in live.tick(tick) for scenario in body.labels.values() if scenario]
    assert len(begins) > 15
    gaps = [(b - a) / 4 for a, b in itertools.pairwise(sorted(set(begins)))]
    assert max(gaps) < 120


def test_no_honest_account_looks_hasty_at_a_high_rate(world: World) -> None:
    bodies = told(LiveWorld(world, 2_000), 10)
    labels = {event_id for body in bodies for event_id in body.labels}
    payments = [record for record in clean(bodies, "transaction") if record["event_id"] not in labels]
    assert len(payments) > 6_000
    assert max(Counter(record["account_id"] for record in payments).values()) <= 2
    shops = Counter(record.get("merchant_id") for record in payments)
    assert shops.most_common(1)[0][1] < 60


def test_orders_go_through_their_stages_in_time_lapse(world: World) -> None:
    stories: dict[str, list[str]] = {}
    for record in clean(told(LiveWorld(world, 40), 200), "order"):
        stories.setdefault(record["order_id"], []).append(record["type"])
    whole = [story for story in stories.values() if story[0] == "placed" and len(story) == 4]
    assert len(whole) > 50
    assert all(story == ["placed", "paid", "shipped", "delivered"] for story in whole)


def test_the_live_loop_survives_a_restart_of_the_server_and_stops_when_asked(world: World) -> None:
    troubles = (None, BUSY, RESET_AFTER, None, RESET_BEFORE)
    fake = FakeFiner(lambda number: troubles[number % len(troubles)])
    stop = threading.Event()
    with serving(fake) as url, Api(url, "fk_test", stop) as api:
        thread = threading.Thread(target=go_on, args=(LiveWorld(world, 400), api, stop))
        thread.start()
        fake.wait_for(150)
        stop.set()
        thread.join(timeout=10)
        assert not thread.is_alive()
    assert fake.totals["accepted"] == sum(len(found) for found in fake.records.values())
    assert fake.totals["duplicate"] < 10  # only those that the world repeats on purpose


def test_run_loads_once_lets_the_analyst_work_and_then_lives(world: World) -> None:
    fake = FakeFiner(lambda _: None)
    fake.alerts["alr_1"] = {"id": "alr_1", "event_id": "w5-t-0-0", "version": 1, "state": "open"}
    fake.alerts["alr_1"]["occurred_at"] = "2026-01-01T00:00:00Z"
    with serving(fake) as url:
        run(url, "fk_test", "secret", "secret", rate=0, seed=5, history_days=2, customers=300)
        history = fake.totals["accepted"]
        assert history > 500
        assert len(fake.records["customer_profile"]) == 300
        assert len(fake.segments) == 3
        for one in fake.segments:
            assert segments.compiled(contracts.contracts()["customer_profile"], one["condition"]).columns
        # The figures of the history are asked for when it is there, and again when the analyst has judged of it.
        assert set(fake.jobs) == {behaviour.SESSIONS_JOB, executive.OUTCOMES_JOB}
        assert len(fake.jobs) == 4
        stop = threading.Event()
        arguments: dict[str, Any] = {"rate": 400, "seed": 5, "history_days": 2, "customers": 300, "stop": stop}
        thread = threading.Thread(target=run, args=(url, "fk_test"), kwargs=arguments)
        thread.start()
        fake.wait_for(history + 50)
        stop.set()
        thread.join(timeout=10)
        assert not thread.is_alive()
    assert sum(not event_id.startswith("w5-l") for found in fake.records.values() for event_id in found) == history


def test_the_command_tells_a_refusal_and_exits_with_an_error() -> None:
    with serving(FakeFiner(lambda _: REFUSED)) as url:
        arguments = ["--url", url, "--api-key", "fk_bad", "--rate", "0", "--days", "1", "--customers", "100"]
        result = CliRunner().invoke(program.main, arguments)
    assert result.exit_code == 1
    assert "403 This key may not send events" in result.output
