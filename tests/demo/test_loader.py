"""Loading against a server that misbehaves: nothing is lost, nothing doubled, and refusals are told."""

from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime

import pytest

from finer.demo import analyst
from finer.demo.client import Api, Refused, Stopped
from finer.demo.loader import is_loaded, load
from finer.demo.world import CONTRACTS, World
from finer.kit.errors import Unavailable
from tests.demo.fake_finer import BUSY, REFUSED, RESET_AFTER, RESET_BEFORE, UNAVAILABLE, FakeFiner, serving

TROUBLES = (None, BUSY, None, RESET_BEFORE, RESET_AFTER, None, UNAVAILABLE)


@pytest.fixture(scope="module")
def world() -> World:
    return World(5, date(2026, 11, 2), 4, 800)


def never(_: int) -> None:
    return None


def test_a_misbehaving_server_gets_everything_once_and_in_order(world: World) -> None:
    fake = FakeFiner(lambda number: TROUBLES[number % len(TROUBLES)])
    with serving(fake) as url:
        loaded = load(world, url, "fk_test", records_each=300)
    assert {contract: len(fake.records[contract]) for contract in CONTRACTS} == {
        contract: world.size(contract) for contract in CONTRACTS
    }
    assert fake.order["transaction"] == world.event_ids
    assert loaded.accepted == sum(world.size(contract) for contract in CONTRACTS)
    assert loaded.received == loaded.accepted + loaded.duplicate + loaded.quarantined
    assert loaded.repeated_requests > 5
    # A body whose answer was lost was sent again under its key, so that its spoilt records are not told twice either.
    assert fake.totals["quarantined"] == loaded.quarantined


def test_loading_again_changes_nothing_and_can_be_spared(world: World) -> None:
    fake = FakeFiner(never)
    with serving(fake) as url, Api(url, "fk_test") as api:
        assert not is_loaded(api, world)
        load(world, url, "fk_test", records_each=1_000)
        assert is_loaded(api, world)
        accepted = fake.totals["accepted"]
        load(world, url, "fk_test", records_each=700)  # other bodies, the same records
        assert fake.totals["accepted"] == accepted


def test_profiles_come_last_so_that_a_broken_load_is_begun_again(world: World) -> None:
    fake = FakeFiner(lambda number: REFUSED if number > 5 else None)
    with serving(fake) as url, Api(url, "fk_test") as api:
        with pytest.raises(Refused, match="403 This key may not send events"):
            load(world, url, "fk_test", records_each=500)
        assert not is_loaded(api, world)
        fake.trouble = never
        load(world, url, "fk_test", records_each=500)
        assert is_loaded(api, world)
    assert len(fake.records["transaction"]) == world.size("transaction")


def test_a_server_that_stays_away_ends_the_patience() -> None:
    fake = FakeFiner(lambda _: UNAVAILABLE)
    unavailable = pytest.raises(Unavailable, match="503 The database is away")
    with serving(fake) as url, Api(url, "fk_test", patience_s=0.05) as api, unavailable:
        api.send("transaction", b"{}\n")


def test_loading_stops_when_asked(world: World) -> None:
    stop = threading.Event()

    def trouble(number: int) -> str | None:
        if number > 3:
            stop.set()
            return BUSY
        return None

    with serving(FakeFiner(trouble)) as url, pytest.raises(Stopped):
        load(world, url, "fk_test", stop, records_each=200)


def test_progress_is_told_in_lines_where_there_is_no_terminal(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    with serving(FakeFiner(never)) as url:
        load(world, url, "fk_test", records_each=1_000)
    told = capfd.readouterr().err.splitlines()
    total = sum(world.size(contract) for contract in CONTRACTS)
    assert 2 < len(told) <= 10
    assert told[-1] == f"Loading the demo history: {total:,} of {total:,} records"


def test_the_analyst_closes_old_alerts_mostly_right(world: World) -> None:
    fake = FakeFiner(never)
    labels = world.labels
    honest = [event_id for event_id in world.event_ids if event_id not in labels][:150]
    for number, event_id in enumerate([*honest, *labels]):
        fake.alerts[f"alr_{number}"] = {
            "id": f"alr_{number}", "event_id": event_id, "version": 1 if number else 2, "state": "open",
            "occurred_at": f"2026-11-{1 + number % 20:02d}T10:00:00Z",
        }  # fmt: skip
    fake.alerts["alr_new"] = fake.alerts["alr_1"] | {"id": "alr_new", "occurred_at": "2026-11-30T10:00:00Z"}
    stale = fake.alerts["alr_0"] | {"state": "dismissed"}
    with serving(fake) as url:
        listed = fake.document("/alerts")
        fake.document = lambda path: listed  # type: ignore[method-assign]
        fake.alerts["alr_0"] = stale
        worked = analyst.work(
            url, f"{url}/sign-in?token=secret", labels, now=datetime(2026, 12, 1, tzinfo=UTC), limit=160,
            per_second=100_000,
        )  # fmt: skip
    assert worked.already_closed <= 1
    assert fake.alerts["alr_new"]["state"] == "open"
    assert worked.confirmed + worked.dismissed == len(fake.resolved) < 160
    right = [(event_id in labels) == (body["verdict"] == "confirmed_fraud") for event_id, body in fake.resolved]
    assert 0.9 < sum(right) / len(right) < 1
    assert all(body["note"] for _, body in fake.resolved)
    assert json.dumps(fake.resolved).count("Called the customer") == worked.dismissed
