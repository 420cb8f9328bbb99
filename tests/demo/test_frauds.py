"""Injected fraud: each scenario has what its rule looks for, and the evaluation counts right."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from finer.demo.chance import Array, generator
from finer.demo.evaluation import rapid
from finer.demo.fraud import (
    CARD_TESTING,
    COMPROMISED,
    FIRST_PAYEE,
    NIGHT_BURST,
    PAYMENTS_PER_EPISODE,
    SCENARIOS,
    STRUCTURING,
    TAKEOVER,
    THEFT,
    Scene,
    frauds_of_day,
    write_scene,
)
from finer.demo.places import COUNTRIES, in_usd
from finer.demo.spending import DAY_US, HOUR_US
from finer.demo.tables import Table
from finer.demo.world import World

DAY = 20_770
EPISODES = 60


@pytest.fixture(scope="module")
def world() -> World:
    return World(11, date(2026, 11, 2), 12, 3_000)


def episodes(world: World, scenario: int) -> list[Table]:
    """Many episodes of one scenario, each in time order, that begin at half past midnight in Manila."""
    begins = DAY * DAY_US - 8 * HOUR_US + HOUR_US + HOUR_US // 2
    return [
        write_scene(scenario, Scene(world.town, generator(3, scenario, n), begins, DAY, 1.0, n)).in_time_order()
        for n in range(EPISODES)
    ]


def usd(world: World, table: Table) -> Array:
    return in_usd(table["amount"], world.people.country[table["customer"]])


def test_card_testing_is_more_than_three_small_payments_in_ten_seconds_then_a_large_one(world: World) -> None:
    for table in episodes(world, CARD_TESTING):
        tries = table.take(slice(0, -1))
        assert len(tries) > 3
        assert np.ptp(tries["occurred_us"]) < 10_000_000
        assert usd(world, tries).max() < 5
        assert usd(world, table)[-1] > 200
        assert len(np.unique(table["customer"])) == 1
        assert rapid(table).sum() == len(tries) - 3


def test_a_takeover_is_abroad_minutes_after_home_with_a_new_device_and_high_amounts(world: World) -> None:
    known = set(world.transactions["device"].tolist())
    for table in episodes(world, TAKEOVER):
        assert table["scenario"].tolist() == [0] + [TAKEOVER] * (len(table) - 1)
        assert table["episode"][0] == -1
        country = world.merchants.country[table["merchant"]]
        assert country[0] == world.people.country[table["customer"][0]] != country[1]
        assert table["occurred_us"][1] - table["occurred_us"][0] < 2 * HOUR_US
        assert usd(world, table)[2:].min() > 300
        devices = set(table["device"][2:].tolist())
        assert len(devices) == 1
        assert not devices & known


def test_a_compromised_merchant_sees_many_cards_with_small_amounts_within_ten_minutes(world: World) -> None:
    for table in episodes(world, COMPROMISED):
        assert len(np.unique(table["customer"])) == len(table) >= 12
        assert len(np.unique(table["merchant"])) == 1
        assert np.ptp(table["occurred_us"]) < HOUR_US // 6
        assert usd(world, table).max() < 5


def test_theft_is_above_800_dollars(world: World) -> None:
    for table in episodes(world, THEFT):
        assert usd(world, table).min() > 850


def test_structuring_is_round_amounts_just_under_the_limit_within_a_day(world: World) -> None:
    for table in episodes(world, STRUCTURING):
        assert len(table) >= 4
        assert np.ptp(table["occurred_us"]) < DAY_US
        amounts = usd(world, table)
        assert 640 < amounts.min() <= amounts.max() < 800
        units = 10 ** np.array([2 if country.currency != "VND" else 0 for country in COUNTRIES])
        assert (table["amount"] % (100 * units[world.people.country[table["customer"]]]) == 0).all()
        assert len(np.unique(table["payee"])) == 1


def test_a_swindled_customer_sends_much_to_a_payee_that_nobody_knows(world: World) -> None:
    known = set(world.transactions["payee"][world.transactions["scenario"] == 0].tolist())
    for table in episodes(world, FIRST_PAYEE):
        assert len(table) == 1
        assert usd(world, table)[0] > 500
        assert int(table["payee"][0]) not in known


def test_a_night_burst_is_five_payments_or_more_within_an_hour_of_the_small_hours(world: World) -> None:
    for table in episodes(world, NIGHT_BURST):
        assert len(table) >= 5
        assert np.ptp(table["occurred_us"]) < HOUR_US
        assert ((table["occurred_us"] // HOUR_US + 8) % 24 < 5).all()


def test_the_share_of_fraud_is_what_was_asked_for(world: World) -> None:
    days = [frauds_of_day(world.town, generator(5, day), day, 0.02) for day in range(DAY, DAY + 60)]
    tables = [table for table in days if table is not None]
    frauds = sum(int((table["scenario"] > 0).sum()) for table in tables)
    crimes = sum(len(np.unique(table["episode"][table["scenario"] > 0])) for table in tables)
    assert frauds / crimes == pytest.approx(PAYMENTS_PER_EPISODE, rel=0.12)
    assert frauds / (60 * world.people.rate.sum()) == pytest.approx(0.02, rel=0.15)


def test_labels_name_every_scenario_and_only_frauds(world: World) -> None:
    long = World(11, date(2026, 9, 1), 60, 3_000)
    assert set(long.labels.values()) == set(SCENARIOS[1:])
    assert len(long.labels) == int((long.transactions["scenario"] > 0).sum())


def test_evaluation_of_everything_nothing_and_the_truth(world: World) -> None:
    nothing = world.evaluate([])
    assert (nothing.recall, nothing.fpr, nothing.precision, nothing.rule_cases_flagged) == (0, 0, 1, 0)
    assert nothing.frauds == len(world.labels)
    everything = world.evaluate(world.event_ids)
    assert (everything.recall, everything.fpr, everything.episode_recall) == (1, 1, 1)
    assert (everything.rule_cases_flagged, everything.high_value_covered) == (1, 1)
    truth = world.evaluate(world.labels)
    assert (truth.recall, truth.fpr, truth.precision, truth.accuracy) == (1, 0, 1, 1)
    assert set(truth.by_scenario.values()) == {1.0}


def test_one_payment_of_each_crime_finds_all_crimes_but_not_all_payments(world: World) -> None:
    table = world.transactions
    rows = np.flatnonzero(table["scenario"])
    firsts = rows[np.unique(table["episode"][rows], return_index=True)[1]]
    found = world.evaluate([world.event_ids[row] for row in firsts.tolist()])
    assert found.episode_recall == 1
    assert found.recall == pytest.approx(len(firsts) / len(rows))


def test_rapid_counts_the_fourth_payment_of_an_account_within_ten_seconds() -> None:
    seconds = np.array([0, 3, 6, 9, 10, 30, 31, 32])
    account = np.array([0, 0, 0, 0, 1, 0, 0, 0])
    table = Table({"occurred_us": seconds * 1_000_000, "customer": account, "account": account * 0})
    assert rapid(table).tolist() == [False, False, False, True, False, False, False, False]
    apart = Table({"occurred_us": np.array([0, 4, 8, 10]) * 1_000_000, "customer": np.zeros(4), "account": np.zeros(4)})
    assert not rapid(apart).any()
