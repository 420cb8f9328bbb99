"""What rules read of a batch: the fields of the transaction, and the columns that are derived from them."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from finer.fraud.rules.pack import DERIVED
from finer.kit.columns import Columns
from finer.kit.conditions.condition import Condition, parse_condition
from finer.kit.conditions.tree import Catalogue, ColumnType
from finer.kit.hashing import combine_hashes, hash_text
from finer.kit.moments import from_microseconds
from finer.kit.money import EXPONENTS

Array = np.ndarray[Any, np.dtype[Any]]
_HOUR_US = 3_600_000_000

BASE_COLUMNS: dict[str, ColumnType] = {
    **dict.fromkeys(
        (
            "event_id", "type", "status", "customer_id", "account_id", "card_last4", "currency", "merchant_name",
            "merchant_id", "merchant_city", "merchant_state", "merchant_zip", "merchant_country", "mcc", "channel",
            "device_id", "counterparty_id", "state_code",
        ),
        ColumnType.TEXT,
    ),
    "occurred_at": ColumnType.TIMESTAMP,
    "received_at": ColumnType.TIMESTAMP,
    "amount_minor": ColumnType.NUMBER,
    "amount": ColumnType.NUMBER,
    "amount_usd": ColumnType.NUMBER,
    "amount_usd_minor": ColumnType.NUMBER,
    "local_hour": ColumnType.NUMBER,
    "score": ColumnType.NUMBER,
    "score_threshold": ColumnType.NUMBER,
}  # fmt: skip
"""What a rule can name besides the windows: the fields of the transaction and what `derive` adds."""


def add_derived(columns: Columns, usd_minor: Array, known: Array | None, zone: ZoneInfo) -> None:
    """Add amounts in major units and US dollars, the local hour, the card, and the columns of DERIVED.

    `usd_minor` int64 (rows,) are the amounts in US dollar cents; `known` says where there was a rate (None:
    everywhere).
    Adds amount, amount_usd (float64, major units), amount_usd_minor (int64, null without a rate), local_hour
    (int64, 0 to 23 in the tenant's zone), card (hash of account and last four digits), and booleans.
    """
    minor = columns.values("amount_minor")
    currency = columns.hashes("currency")
    columns.add("amount", _major(minor, currency))
    occurred = columns.values("occurred_at")
    columns.add("amount_usd_minor", usd_minor, known)
    columns.add("amount_usd", usd_minor / 100.0, known)
    columns.add("local_hour", _local_hour(occurred, zone))
    columns.add_hashes("card", combine_hashes(columns.hashes("account_id"), columns.hashes("card_last4")))
    for name, condition in _derived().items():
        columns.add(name, condition.mask(columns))


@cache
def _exponents() -> dict[int, int]:
    """Digits by hash of the currency. Made when first needed: most processes that import this hash nothing."""
    return {hash_text(code): digits for code, digits in EXPONENTS.items()}


def _major(minor: Array, currency: Array) -> Array:
    amount = minor / 100.0
    exponents = _exponents()
    for code in np.unique(currency):
        digits = exponents.get(int(code))
        if digits is not None:
            rows = currency == code
            amount[rows] = minor[rows] / float(10**digits)
    return amount


def _local_hour(occurred_us: Array, zone: ZoneInfo) -> Array:
    if len(occurred_us) == 0:
        return np.zeros(0, np.int64)
    first, last = _offset_us(int(occurred_us.min()), zone), _offset_us(int(occurred_us.max()), zone)
    if first == last and int(occurred_us.max()) - int(occurred_us.min()) < 30 * 24 * _HOUR_US:
        return (occurred_us + first) // _HOUR_US % 24
    # The clocks changed within the batch: ask the time zone database for every row.
    local = pc.local_timestamp(pa.array(occurred_us, pa.timestamp("us", "UTC")).cast(pa.timestamp("us", zone.key)))
    return np.asarray(pc.hour(local).to_numpy())


def _offset_us(at_us: int, zone: ZoneInfo) -> int:
    offset = from_microseconds(at_us).astimezone(zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) * 1_000_000


COMPUTED: dict[str, tuple[str, ...]] = {
    "amount": ("amount_minor", "currency"),
    "amount_usd": ("amount_minor", "currency", "occurred_at"),
    "amount_usd_minor": ("amount_minor", "currency", "occurred_at"),
    "card": ("account_id", "card_last4"),
    "local_hour": ("occurred_at",),
}
"""What `derive` computes in code, and the columns that it reads for it; a test compares the two."""


@cache
def _derived() -> dict[str, Condition]:
    """The conditions of DERIVED, compiled when first needed: that loads numba's compiler."""
    return {name: parse_condition(text, Catalogue(BASE_COLUMNS)) for name, text in DERIVED.items()}


def derived_inputs() -> list[tuple[str, tuple[str, ...], str]]:
    """Every column that `derive` adds: its name, the columns that it is made from, and its condition if it is one."""
    computed = [(name, inputs, "") for name, inputs in COMPUTED.items()]
    conditions = [(name, tuple(sorted(one.columns)), one.text) for name, one in _derived().items()]
    return computed + conditions
