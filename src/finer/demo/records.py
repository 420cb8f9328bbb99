"""From columns to NDJSON: the records as they are sent, the spoilt ones among them included."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np

from finer.demo import activity, orders
from finer.demo.chance import Array, key, scatter
from finer.demo.merchants import CATEGORIES, CHANNELS, TYPES, Merchants, Products
from finer.demo.people import People
from finer.demo.places import CITIES, CITY_COUNTRY, COUNTRIES, DECIMALS
from finer.demo.tables import Table

SPOILT_SHARE = 0.003
REPEATED_SHARE = 0.002
_encoder = msgspec.json.Encoder()


class Transaction(msgspec.Struct, omit_defaults=True):
    """A record of the contract `transaction`, as the world sends it."""

    event_id: str
    type: str
    occurred_at: str
    customer_id: str | None
    account_id: str
    amount: int | float
    currency: str
    channel: str
    card_last4: str | None = None
    merchant_id: str | None = None
    merchant_name: str | None = None
    merchant_city: str | None = None
    merchant_state: str | None = None
    merchant_country: str | None = None
    mcc: str | None = None
    device_id: str | None = None
    counterparty_id: str | None = None


class Order(msgspec.Struct, omit_defaults=True):
    """A record of the contract `order`."""

    event_id: str
    order_id: str
    type: str
    occurred_at: str
    customer_id: str | None
    product_id: str
    product_name: str
    quantity: int
    unit_price: int | float
    currency: str
    amount: int | float
    country: str
    region: str
    channel: str
    unit_cost: int | float | None = None


class Action(msgspec.Struct, omit_defaults=True):
    """A record of the contract `activity`."""

    event_id: str
    occurred_at: str
    session_id: str
    kind: str
    channel: str
    country: str
    duration_ms: int
    customer_id: str | None = None
    page: str | None = None
    search_text: str | None = None
    product_id: str | None = None
    device_id: str | None = None


Record = Transaction | Order | Action


def times(occurred_us: Array) -> list[str]:
    """Times as ISO 8601 in UTC, to the millisecond."""
    texts = np.datetime_as_string(occurred_us.astype("datetime64[us]"), unit="ms")
    return [f"{text}Z" for text in texts.tolist()]


def majors(minor: Array, country: Array) -> list[int | float]:
    """Amounts in major units as JSON numbers. Division rounds to the nearest float, whose shortest text is exact."""
    decimals = DECIMALS[country].tolist()
    return [m if d == 0 else m / 10**d for m, d in zip(minor.tolist(), decimals, strict=True)]


def _named(names: Sequence[str], numbers: Array) -> list[str | None]:
    return [None if number < 0 else names[number] for number in numbers.tolist()]


def _codes(prefix: str, numbers: Array, salt: int) -> list[str | None]:
    """Identifiers that say nothing about what they name; None for -1."""
    spread = scatter(numbers, salt).tolist()
    return [None if n < 0 else f"{prefix}{s:016x}" for n, s in zip(numbers.tolist(), spread, strict=True)]


def event_ids(prefix: str, table: Table) -> list[str]:
    """The lasting ids of a table's rows."""
    pairs = zip(table["day"].tolist(), table["number"].tolist(), strict=True)
    return [f"{prefix}-{day:x}-{number:x}" for day, number in pairs]


def transactions(prefix: str, people: People, merchants: Merchants, table: Table) -> list[Transaction]:
    """The rows as records of `transaction`."""
    customer, merchant = table["customer"], table["merchant"]
    country = people.country[customer]
    at = np.maximum(merchant, 0)
    city = np.where(merchant < 0, -1, merchants.city[at])
    land = np.where(merchant < 0, -1, CITY_COUNTRY[merchants.city[at]])
    kind = np.where(merchant < 0, -1, merchants.category[at])
    salt = key(people.seed, "codes")
    outlets = zip(_named(merchants.ids, merchant), table["outlet"].tolist(), strict=True)
    columns: tuple[Iterable[Any], ...] = (
        event_ids(prefix, table),
        [TYPES[i] for i in table["type"].tolist()],
        times(table["occurred_us"]),
        people.identifiers(customer),
        people.account_identifiers(customer, table["account"]),
        majors(table["amount"], country),
        [COUNTRIES[i].currency for i in country.tolist()],
        [CHANNELS[i] for i in table["channel"].tolist()],
        [None if card < 0 else f"{card:04d}" for card in table["card"].tolist()],
        [f"{name}-{outlet}" if outlet else name for name, outlet in outlets],
        _named(merchants.names, merchant),
        _named([place.name for place in CITIES], city),
        _named([place.state for place in CITIES], city),
        _named([land.code for land in COUNTRIES], land),
        _named([category.mcc for category in CATEGORIES], kind),
        _codes("dev-", table["device"], salt),
        _codes("acct-", table["payee"], salt + 1),
    )
    return [Transaction(*row) for row in zip(*columns, strict=True)]


def order_records(prefix: str, people: People, products: Products, table: Table) -> list[Order]:
    """The rows as records of `order`."""
    country = orders.country_of(table)
    columns: tuple[Iterable[Any], ...] = (
        event_ids(prefix, table),
        [f"{prefix}{number:x}" for number in table["order"].tolist()],
        [orders.TYPES[i] for i in table["type"].tolist()],
        times(table["occurred_us"]),
        people.identifiers(table["customer"]),
        _named(products.ids, table["product"]),
        _named(products.names, table["product"]),
        table["quantity"].tolist(),
        majors(table["price"], country),
        [COUNTRIES[i].currency for i in country.tolist()],
        majors(table["price"] * table["quantity"], country),
        [COUNTRIES[i].code for i in country.tolist()],
        [CITIES[i].state for i in table["city"].tolist()],
        ["app" if app else "web" for app in table["channel"].tolist()],
        [cost if cost >= 0 else None for cost in majors(table["cost"], country)],
    )
    return [Order(*row) for row in zip(*columns, strict=True)]


def action_records(prefix: str, people: People, products: Products, table: Table) -> list[Action]:
    """The rows as records of `activity`."""
    columns: tuple[Iterable[Any], ...] = (
        event_ids(prefix, table),
        times(table["occurred_us"]),
        [f"{prefix}s{number:x}" for number in table["session"].tolist()],
        [activity.KINDS[i] for i in table["kind"].tolist()],
        [CHANNELS[i] for i in table["channel"].tolist()],
        [COUNTRIES[i].code for i in CITY_COUNTRY[table["city"]].tolist()],
        table["duration"].tolist(),
        people.identifiers(table["customer"]),
        _named(activity.PAGES, table["page"]),
        _named(activity.SEARCHES, table["search"]),
        _named(products.ids, table["product"]),
        _codes("dev-", table["device"], key(people.seed, "codes")),
    )
    return [Action(*row) for row in zip(*columns, strict=True)]


def encode(found: Sequence[Record], quirks: Array) -> bytes:
    """Records as NDJSON. Where chance (`quirks`, uniform) says so, a spoilt copy or the record once more follows."""
    odd = np.flatnonzero(quirks < SPOILT_SHARE + REPEATED_SHARE).tolist()
    if not odd:
        return _encoder.encode_lines(found)
    lines: list[Any] = []
    begun = 0
    for row in odd:
        lines += found[begun : row + 1]
        begun = row + 1
        if quirks[row] < SPOILT_SHARE:
            lines.append(spoil(found[row], int(quirks[row] / SPOILT_SHARE * 5)))
        else:
            lines.append(found[row])
    lines += found[begun:]
    return _encoder.encode_lines(lines)


def spoil(record: Record, how: int) -> Record | msgspec.Raw:
    """A copy of a record, under an id of its own, that breaks its contract in one of five ways."""
    copy = msgspec.structs.replace(record, event_id=f"{record.event_id}-x")
    if how == 0:
        line = _encoder.encode(copy)
        return msgspec.Raw(line[: len(line) * 2 // 3])  # the connection of a branch broke off
    if how == 1:
        return msgspec.structs.replace(copy, occurred_at=copy.occurred_at.replace("T", " 25:").replace("-", "/13/", 1))
    if isinstance(copy, Action):
        return msgspec.structs.replace(copy, **({"kind": "clicked"} if how < 4 else {"duration_ms": -5}))
    if how == 2:
        return msgspec.structs.replace(copy, currency="P$")
    if isinstance(copy, Order):
        return msgspec.structs.replace(copy, **({"quantity": 0} if how == 3 else {"unit_price": -1}))
    if how == 3:
        return msgspec.structs.replace(copy, customer_id=None)
    return msgspec.structs.replace(copy, amount=-copy.amount)
