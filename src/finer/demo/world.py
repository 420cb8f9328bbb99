"""`World`: everything that happens in a stretch of days, for a seed, with the labels of its crimes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

import numpy as np

from finer.demo import activity, orders, records
from finer.demo.chance import Array, generator
from finer.demo.evaluation import Evaluation, evaluate
from finer.demo.fraud import SCENARIOS, frauds_of_day
from finer.demo.merchants import Merchants, Products
from finer.demo.people import People
from finer.demo.profiles import profile_lines
from finer.demo.spending import DAY_US, Town, ordinary_day
from finer.demo.tables import Table, number_rows, stack
from finer.kit.moments import microseconds

DEFAULT_SEED = 7
DEFAULT_CUSTOMERS = 6_000
BODY_RECORDS = 5_000
FRAUD_SHARE = 0.0045
CONTRACTS = ("transaction", "order", "activity", "customer_profile")
_EPOCH = date(1970, 1, 1)
# An order lives for some weeks, so that the first days also see what was ordered before them.
_ORDER_DAYS = 14


class Body(NamedTuple):
    """One request body of NDJSON: of which contract, how many good records it carries, and the lines."""

    contract: str
    records: int
    data: bytes


class World:
    """The simulated bank from `start` for `days` days, or up to the moment `until`.

    A day is made from the seed and its date alone: two worlds with one seed agree on every day that they share, event
    ids included, so that sending a day again changes nothing. `customers` must be the same for that.
    """

    def __init__(
        self,
        seed: int,
        start: date,
        days: int,
        customers: int = DEFAULT_CUSTOMERS,
        *,
        until: datetime | None = None,
    ) -> None:
        self.seed = seed
        self.first_day = (start - _EPOCH).days
        self.begins_us = self.first_day * DAY_US
        self.ends_us = self.begins_us + days * DAY_US if until is None else microseconds(until)
        self.people = People(seed, customers)
        self.merchants = Merchants(seed)
        self.products = Products(seed)
        self.town = Town(seed, self.people, self.merchants)

    @classmethod
    def ending(cls, at: datetime, days: int, seed: int = DEFAULT_SEED, customers: int = DEFAULT_CUSTOMERS) -> World:
        """The `days` days up to a moment."""
        return cls(seed, (at.astimezone(UTC) - timedelta(days=days)).date(), days, customers, until=at)

    def _days(self, before: int = 1) -> range:
        # Calendars run up to a day ahead of UTC or behind it, so that the edges need their neighbours.
        return range(self.first_day - before, -(-self.ends_us // DAY_US) + 1)

    def _within(self, days: list[Table]) -> Table:
        table = stack(days)
        at = table["occurred_us"]
        return table.take((at >= self.begins_us) & (at < self.ends_us)).in_time_order()

    @cached_property
    def transactions(self) -> Table:
        """All payments by time; columns as in finer.demo.spending.blank."""
        days = []
        for day in self._days():
            rng = generator(self.seed, "payments", day)
            parts = [ordinary_day(self.town, rng, day)]
            crimes = frauds_of_day(self.town, generator(self.seed, "crimes", day), day, FRAUD_SHARE)
            parts += [] if crimes is None else [crimes]
            table = stack(parts).in_time_order()
            days.append(number_rows(table, day, rng.random(len(table))))
        return self._within(days)

    @cached_property
    def orders(self) -> Table:
        """All events of orders by time."""
        days = []
        for day in self._days(before=_ORDER_DAYS):
            rng = generator(self.seed, "orders", day)
            table = orders.orders_of_day(self.people, self.products, rng, day)
            days.append(number_rows(table, day, rng.random(len(table))))
        return self._within(days)

    @cached_property
    def activity(self) -> Table:
        """All actions on web and app by time."""
        days = []
        for day in self._days():
            rng = generator(self.seed, "activity", day)
            table = activity.activity_of_day(self.people, self.products, rng, day)
            days.append(number_rows(table, day, rng.random(len(table))))
        return self._within(days)

    def size(self, contract: str) -> int:
        """How many good records of a contract there are, spoilt and repeated ones not counted."""
        return self.people.count if contract == "customer_profile" else len(self._table(contract))

    def bodies(self, contract: str, records_each: int = BODY_RECORDS) -> Iterator[Body]:
        """The records of a contract in the order of their time, as bodies to send one after the other."""
        for first in range(0, self.size(contract), records_each):
            count = min(records_each, self.size(contract) - first)
            yield Body(contract, count, self._lines(contract, slice(first, first + count)))

    def _table(self, contract: str) -> Table:
        return {"transaction": lambda: self.transactions, "order": lambda: self.orders}.get(
            contract, lambda: self.activity
        )()

    def _lines(self, contract: str, rows: slice) -> bytes:
        if contract == "customer_profile":
            return profile_lines(self.people, self.prefix, rows.start, rows.stop - rows.start)
        table = self._table(contract).take(rows)
        return records.encode(self.records(contract, table), table["quirk"])

    def records(self, contract: str, table: Table) -> list[records.Record]:
        """Rows of a table as the records of its contract."""
        if contract == "transaction":
            return [*records.transactions(f"{self.prefix}-t", self.people, self.merchants, table)]
        if contract == "order":
            return [*records.order_records(f"{self.prefix}-o", self.people, self.products, table)]
        return [*records.action_records(f"{self.prefix}-a", self.people, self.products, table)]

    @property
    def prefix(self) -> str:
        """What the ids of this world's records begin with."""
        return f"w{self.seed:x}"

    @cached_property
    def event_ids(self) -> list[str]:
        """The event id of every row of `transactions`."""
        return records.event_ids(f"{self.prefix}-t", self.transactions)

    @cached_property
    def labels(self) -> dict[str, str]:
        """The scenario of every fraudulent payment by event id. Never part of a record."""
        scenario = self.transactions["scenario"]
        return {self.event_ids[row]: SCENARIOS[scenario[row]] for row in np.flatnonzero(scenario).tolist()}

    def alerted(self, event_ids: Collection[str]) -> Array:
        """Which payments are among the given ids, shape (n,), bool."""
        wanted = frozenset(event_ids)
        return np.fromiter((event_id in wanted for event_id in self.event_ids), np.bool_, len(self.event_ids))

    def evaluate(self, event_ids: Collection[str]) -> Evaluation:
        """How well a set of alerts, given by the event ids of their payments, finds the injected fraud."""
        country = self.people.country[self.transactions["customer"]]
        return evaluate(self.transactions, country, self.alerted(event_ids))
