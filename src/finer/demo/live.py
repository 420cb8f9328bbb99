"""The same world going on in real time, in ticks of a quarter of a second, each made from seed and number alone."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import NamedTuple

import numpy as np

from finer.demo import activity, orders, records
from finer.demo.chance import Array, generator, key, pick_rows
from finer.demo.fraud import SCENARIOS, live_scene
from finer.demo.people import People
from finer.demo.spending import DAY_US, Town, purchases
from finer.demo.tables import Table, stack
from finer.demo.world import World

TICK_US = 250_000
DEFAULT_RATE = 20.0
_SHARES = {"transaction": 0.36, "activity": 0.46, "order": 0.18}
# Everybody pays in turn. Much denser than life, yet thin enough that no honest account looks hasty: about fifteen
# minutes between two payments of a customer, and thirty seconds between two at a shop at the most.
_SECONDS_BETWEEN_PAYMENTS = 900
_PEOPLE_MAX = 500_000
_SHOP_SECONDS = 600
_EPISODE_S, _EPISODE_MIN_S, _EPISODE_MAX_S = 40.0, 2.0, 60.0
_EPISODES_KEPT = 64
# How long after the beginning of its slot a crime may still pay.
_EPISODE_LASTS_US = 120 * 1_000_000


class LiveBody(NamedTuple):
    """The records of one contract in one tick: how many good ones, as NDJSON, and the labels of crimes among them."""

    contract: str
    records: int
    data: bytes
    labels: dict[str, str]


class LiveWorld:
    """Events at `rate` a second: 36 % payments, 46 % web and app, 18 % orders, and a crime in every slot of time.

    A slot is 40 seconds at the default rate. A tick is the same whenever and however often it is asked for.
    """

    def __init__(self, world: World, rate: float = DEFAULT_RATE) -> None:
        self.rate = rate
        self.seed = world.seed
        self._world = world
        paying = rate * _SHARES["transaction"]
        wanted = min(max(world.people.count, int(paying * _SECONDS_BETWEEN_PAYMENTS)), _PEOPLE_MAX)
        same = wanted == world.people.count
        self.people = world.people if same else People(world.seed, wanted)
        # The additional customers of a fast show are strangers to the history; crimes happen to those that are known.
        self._known = world.town
        self._town = Town(world.seed, self.people, world.merchants)
        self._turn = generator(world.seed, "turns", wanted).permutation(wanted)
        self._outlets = max(1, math.ceil(paying * _SHOP_SECONDS / len(world.merchants)))
        spacing = _EPISODE_S * DEFAULT_RATE / max(rate, 0.001)
        self._slot_us = int(min(max(spacing, _EPISODE_MIN_S), _EPISODE_MAX_S) * 1e6)
        self._episodes: OrderedDict[int, Table] = OrderedDict()
        self._homebodies: dict[int, Array] = {}

    def tick(self, number: int) -> list[LiveBody]:
        """What happens in the quarter of a second that begins `number` * 250 ms after 1970 UTC."""
        begins = number * TICK_US
        found = [self._payments(number, begins), self._orders(number, begins), self._activity(number, begins)]
        return [body for body in found if body is not None]

    def _due(self, contract: str, number: int) -> tuple[int, int]:
        """The running number of the contract's first event in the tick, and how many there are."""
        per_tick = self.rate * _SHARES[contract] * TICK_US / 1e6
        first = int(number * per_tick)
        return first, int((number + 1) * per_tick) - first

    def _payments(self, number: int, begins: int) -> LiveBody | None:
        first, count = self._due("transaction", number)
        crimes = self._crimes(begins)
        rng = generator(self.seed, "live payments", number)
        turns = first + np.arange(count)
        day = begins // DAY_US
        turns = turns[self._at_home(day)[self._turn[turns % self.people.count]]]
        customers, count = self._turn[turns % self.people.count], len(turns)
        categories = pick_rows(self.people.mix[customers], rng.random(count))
        at = begins + (np.sort(rng.random(count)) * TICK_US).astype(np.int64)
        city = self.people.city[customers]
        honest = purchases(self._town, rng, customers, categories, at, city, day)
        honest["account"] = turns // self.people.count % self.people.accounts[customers]
        honest["card"] = self.people.card_last4(customers, honest["account"])
        honest["outlet"] = rng.integers(0, self._outlets, count)
        both = stack((honest, crimes)).in_time_order()
        if len(both) == 0:
            return None
        table = self._numbered(both, number, rng)
        found = records.transactions(f"{self._world.prefix}-lt", self.people, self._world.merchants, table)
        scenario = table["scenario"].tolist()
        labels = {one.event_id: SCENARIOS[s] for one, s in zip(found, scenario, strict=True) if s}
        return LiveBody("transaction", len(found), records.encode(found, table["quirk"]), labels)

    def _at_home(self, day: int) -> Array:
        """Who is at home on a day, a mask over all customers: travellers do not pay in the live world.

        A payment at home soon after the history's last one abroad would look like a stolen card.
        """
        if day not in self._homebodies:
            known = self._world.people
            city, leaves, _ = known.travelling(day)
            mask = np.ones(self.people.count, np.bool_)
            mask[: known.count] = (city == known.city) & ~leaves
            self._homebodies = {day: mask}
        return self._homebodies[day]

    def _crimes(self, begins: int) -> Table:
        """The payments of crimes that fall into the tick."""
        last = begins // self._slot_us
        earlier = range(last - _EPISODE_LASTS_US // self._slot_us - 1, last + 1)
        # Crimes that began long before the tick cannot pay in it; at a high rate only the newest are looked at.
        tables = [self._crime(slot) for slot in list(earlier)[-_EPISODES_KEPT:]]
        table = stack(tables)
        at = table["occurred_us"]
        return table.take((at >= begins) & (at < begins + TICK_US))

    def _crime(self, slot: int) -> Table:
        found = self._episodes.get(slot)
        if found is None:
            rng = generator(self.seed, "live crimes", slot, self._slot_us)
            at = slot * self._slot_us + int((0.25 + 0.5 * rng.random()) * self._slot_us)
            # Numbers far above those of the history, so that no mule and no stolen device is met again.
            found = live_scene(self._known, rng, at, at // DAY_US, 10**9 + slot)
            self._episodes[slot] = found
            while len(self._episodes) > 2 * _EPISODES_KEPT:
                self._episodes.popitem(last=False)
        return found

    def _orders(self, number: int, begins: int) -> LiveBody | None:
        first, count = self._due("order", number)
        if count == 0:
            return None
        rng = generator(self.seed, "live orders", number)
        at = self._times(rng, begins, count)
        speed = self.rate * _SHARES["order"]
        salt = key(self.seed, "live order lines")
        table = orders.live_events(self._world.people, self._world.products, first, at, speed, salt)
        if len(table) == 0:
            return None
        table = self._numbered(table, number, rng)
        found = records.order_records(f"{self._world.prefix}-lo", self._world.people, self._world.products, table)
        return LiveBody("order", len(found), records.encode(found, table["quirk"]), {})

    def _activity(self, number: int, begins: int) -> LiveBody | None:
        first, count = self._due("activity", number)
        if count == 0:
            return None
        rng = generator(self.seed, "live activity", number)
        at = self._times(rng, begins, count)
        speed, salt = self.rate * _SHARES["activity"], key(self.seed, "live sessions")
        people, products = self._world.people, self._world.products
        table = activity.live_events(people, products, first, at, speed, salt, begins // DAY_US)
        table = self._numbered(table, number, rng)
        found = records.action_records(f"{self._world.prefix}-la", people, products, table)
        return LiveBody("activity", len(found), records.encode(found, table["quirk"]), {})

    @staticmethod
    def _times(rng: np.random.Generator, begins: int, count: int) -> Array:
        return begins + (np.sort(rng.random(count)) * TICK_US).astype(np.int64)

    @staticmethod
    def _numbered(table: Table, number: int, rng: np.random.Generator) -> Table:
        table["day"] = np.full(len(table), number)
        table["number"] = np.arange(len(table))
        table["quirk"] = rng.random(len(table))
        return table
