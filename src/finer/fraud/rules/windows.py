"""The sliding windows that the default rule pack reads.

Amounts in windows are US dollar cents, so that windows over several currencies add up. A `where` names a boolean
column that `derive` adds: what comes in (a refund, a deposit) is no payment of the account.

Frauds are counted from when they became known, and not from when the payment was made: `service/label_rows.py`
tells the engine of them.
"""

from __future__ import annotations

from datetime import timedelta

from finer.features.types import Aggregate, Entity, FeatureDefinition, FeatureSet

_10S, _10MIN = timedelta(seconds=10), timedelta(minutes=10)
_1H, _24H, _30D = timedelta(hours=1), timedelta(hours=24), timedelta(days=30)
_1D, _7D, _28D = timedelta(days=1), timedelta(days=7), timedelta(days=28)

ENTITIES = (
    Entity("account", ("account_id",)),
    Entity("merchant", ("merchant_id",)),
    Entity("account_device", ("account_id", "device_id")),
    Entity("account_payee", ("account_id", "counterparty_id")),
    Entity("merchant_frauds", ("merchant_id",), told=True),
    Entity("account_frauds", ("account_id",), told=True),
)
KNOWN_BY = tuple(sorted({column for entity in ENTITIES if entity.told for column in entity.columns}))
"""The fields of a payment by which frauds that became known are counted."""
_PERSONAL = frozenset({"account_id", "counterparty_id", "device_id"})
PARTED = tuple(dict.fromkeys(entity.columns for entity in ENTITIES if _PERSONAL.issuperset(entity.columns)))
"""The fields that make entities of a person; erasing the person gives them other names in the lake."""
PARTED_BY = tuple(sorted({column for columns in PARTED for column in columns}))
"""All of these fields."""


def feature_set() -> FeatureSet:
    """The declared windows, compiled by the features domain for the stream and for the lake."""
    return FeatureSet(entities=ENTITIES, definitions=(*_definitions(), *_frauds()))


def _definitions() -> tuple[FeatureDefinition, ...]:
    usd, spent = "amount_usd_minor", "is_spending"
    declare = FeatureDefinition
    return (
        declare(
            "account.count_10s", "account", Aggregate.COUNT, _10S, where=spent,
            description="payments of the account in 10 s",
        ),
        declare(
            "account.count_1h", "account", Aggregate.COUNT, _1H, where=spent,
            description="payments of the account in 1 h",
        ),
        declare(
            "account.count_24h", "account", Aggregate.COUNT, _24H, where=spent,
            description="payments of the account in 24 h",
        ),
        declare(
            "account.sum_24h", "account", Aggregate.SUM, _24H, value=usd, where=spent, unit="USD cents",
            description="amount that the account paid in 24 h",
        ),
        declare(
            "account.mean_30d", "account", Aggregate.MEAN, _30D, value=usd, where=spent, unit="USD cents",
            description="mean payment of the account in 30 days",
        ),
        declare(
            "account.count_ever", "account", Aggregate.COUNT, None, where=spent,
            description="payments of the account so far",
        ),
        declare(
            "account.previous_country", "account", Aggregate.PREVIOUS, None, value="merchant_country", where=spent,
            description="country of the account's payment before this one",
        ),
        declare(
            "account.seconds_since_previous", "account", Aggregate.TIME_SINCE_PREVIOUS, None, where=spent, unit="s",
            description="time since the account's payment before this one",
        ),
        declare(
            "account.night_count_1h", "account", Aggregate.COUNT, _1H, where="is_night_spending",
            description="payments of the account at night in 1 h",
        ),
        declare(
            "account.near_limit_count_24h", "account", Aggregate.COUNT, _24H, where="is_near_limit",
            description="round amounts just under a limit by the account in 24 h, paid or received",
        ),
        declare(
            "account_device.count_ever", "account_device", Aggregate.COUNT, None, where=spent,
            description="payments of the account with this device so far",
        ),
        declare(
            "account_payee.count_ever", "account_payee", Aggregate.COUNT, None, where=spent,
            description="payments of the account to this payee so far",
        ),
        declare(
            "merchant.count_10m", "merchant", Aggregate.COUNT, _10MIN, where=spent,
            description="payments at the merchant in 10 min",
        ),
        declare(
            "merchant.small_cards_10m", "merchant", Aggregate.DISTINCT, _10MIN, value="card", where="is_small_spending",
            description="cards that paid a small amount at the merchant in 10 min",
        ),
    )  # fmt: skip


def _frauds() -> tuple[FeatureDefinition, ...]:
    merchant, account = "payments at the merchant", "payments of the account"
    known = "that became known as frauds within"
    return tuple(
        FeatureDefinition(name, entity, Aggregate.COUNT, window, description=f"{whose} {known} {window.days} {days}")
        for name, entity, window, whose, days in (
            ("merchant.frauds_1d", "merchant_frauds", _1D, merchant, "day"),
            ("merchant.frauds_7d", "merchant_frauds", _7D, merchant, "days"),
            ("merchant.frauds_28d", "merchant_frauds", _28D, merchant, "days"),
            ("account.frauds_28d", "account_frauds", _28D, account, "days"),
        )
    )
