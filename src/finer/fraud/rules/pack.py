"""The default rule pack: ten well-known patterns, each one condition and one sentence.

Thresholds follow common practice in card monitoring; every one is a plain number in the condition, to be changed by
the firm. Amounts compared are US dollars, so that one rule serves every currency.

Rules about spending look at spending alone: a refund or a deposit neither fires them nor counts in their windows.
Structuring is the exception, since it is about cash that comes in as much as about money that leaves.
"""

from __future__ import annotations

from finer.decisions.types.alerts import Action
from finer.fraud.types import Rule

_SPENDING = "type not in ('refund', 'deposit')"
# Columns that `derive` adds from others, as conditions: rules and windows can use them by name.
DERIVED = {
    "is_spending": _SPENDING,
    "is_night_spending": f"local_hour >= 0 and local_hour < 5 and {_SPENDING}",
    "is_small_spending": f"amount_usd < 5 and {_SPENDING}",
    "is_near_limit": (
        "((amount_usd >= 640 and amount_usd <= 800) or (amount_usd >= 8000 and amount_usd <= 10000)) "
        "and amount % 10 = 0"
    ),
}

RULES = (
    Rule(
        "high_amount",
        "High amount",
        "is_spending and amount_usd > 800",
        Action.REVIEW,
        "The amount of {amount:money_and_usd} is above the limit of 800 USD.",
    ),
    Rule(
        "velocity_10s",
        "More than 3 payments in 10 seconds",
        "is_spending and account.count_10s > 3",
        Action.BLOCK,
        "This is the {account.count_10s:ordinal} payment of the account within 10 seconds; more than 3 is unusual.",
    ),
    Rule(
        "new_device_high_amount",
        "New device and high amount",
        "is_spending and account_device.count_ever = 1 and account.count_ever > 5 and amount_usd > 300",
        Action.BLOCK,
        "The account has never paid with this device before, and the amount is {amount_usd:usd}.",
    ),
    Rule(
        "country_change_too_fast",
        "Country change faster than travel",
        "is_spending and channel in ('pos', 'atm') and merchant_country <> account.previous_country "
        "and account.seconds_since_previous < 7200",
        Action.BLOCK,
        "The account paid in another country {account.seconds_since_previous:duration} before this payment in "
        "{merchant_country}: faster than anyone travels.",
    ),
    Rule(
        "many_cards_one_merchant",
        "Many cards tested at one merchant",
        "is_small_spending and merchant.small_cards_10m >= 12 and merchant.small_cards_10m * 2 > merchant.count_10m",
        Action.BLOCK,
        "{merchant.small_cards_10m:count} different cards paid small amounts at this merchant within 10 minutes.",
    ),
    Rule(
        "night_burst",
        "Burst at night",
        "is_night_spending and account.night_count_1h >= 5",
        Action.REVIEW,
        "This is the {account.night_count_1h:ordinal} payment of the account within an hour, at night.",
    ),
    Rule(
        "structuring",
        "Round amounts just under a limit",
        "is_near_limit and account.near_limit_count_24h >= 3",
        Action.REVIEW,
        "This is the {account.near_limit_count_24h:ordinal} round amount just under a limit within 24 hours.",
    ),
    Rule(
        "first_payee_high_amount",
        "First payment to a payee, high amount",
        "type = 'transfer' and account_payee.count_ever = 1 and amount_usd > 500",
        Action.REVIEW,
        "The account sends {amount_usd:usd} to a payee that it has never paid before.",
    ),
    Rule(
        "far_above_habit",
        "Far above the account's habit",
        "is_spending and account.count_ever > 10 and amount_usd > 200 and amount_usd * 100 > account.mean_30d * 10",
        Action.REVIEW,
        "The amount is {amount_usd:ratio_to:account.mean_30d} the account's mean of the last 30 days.",
    ),
    Rule(
        "no_exchange_rate",
        "No exchange rate",
        "amount_usd is null",
        Action.REVIEW,
        "There is no exchange rate for {currency}, so the amount {amount:money} cannot be compared with any limit.",
    ),
)
