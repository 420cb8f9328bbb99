"""The words that rules are written in, and what a text made of them is worth."""

from __future__ import annotations

from typing import NamedTuple

from finer.fraud.rules.examples import example
from finer.fraud.rules.lists import COLUMNS
from finer.fraud.rules.reasons import FORMATS
from finer.fraud.rules.rule_set import catalogue
from finer.fraud.service.rule_sets import feature_types, list_pins, windows
from finer.fraud.service.rules import check
from finer.fraud.types import ListKind, RuleText
from finer.kit.conditions.condition import Condition, plain_language
from finer.kit.conditions.cost import COST_MAX as STEPS_MAX
from finer.kit.conditions.cost import cost
from finer.kit.conditions.parse import CALLABLE
from finer.kit.conditions.tree import Catalogue
from finer.kit.tx import Tx

__all__ = ["STEPS_MAX", "Word", "assess", "columns", "formats", "functions", "lists"]

_DESCRIPTIONS = {
    "account_id": "the account",
    "amount": "the amount, in the payment's own currency",
    "amount_minor": "the amount in the smallest unit of its currency",
    "amount_usd": "the amount in US dollars",
    "amount_usd_minor": "the amount in US cents",
    "card": "the card",
    "card_last4": "the last four digits of the card",
    "channel": "the channel",
    "counterparty_id": "the payee",
    "currency": "the currency",
    "customer_id": "the customer",
    "device_id": "the device",
    "event_id": "the id of the payment",
    "is_near_limit": "the amount is round and just under a limit",
    "is_night_spending": "it is a payment at night",
    "is_small_spending": "it is a payment below 5 US dollars",
    "is_spending": "it is a payment",
    "local_hour": "the hour of the day where the firm is",
    "mcc": "the merchant's category code",
    "merchant_city": "the merchant's city",
    "merchant_country": "the merchant's country",
    "merchant_id": "the merchant",
    "merchant_name": "the merchant's name",
    "merchant_state": "the merchant's state",
    "merchant_zip": "the merchant's postal code",
    "occurred_at": "the time of the payment",
    "received_at": "the time at which the payment was received",
    "score": "the model's probability of fraud",
    "score_threshold": "the model's threshold",
    "state_code": "the state",
    "status": "the status",
    "type": "the type of the payment",
}


class Word(NamedTuple):
    """A column that a rule can name."""

    name: str
    type: str
    description: str
    hashed: bool


def _catalogue(tx: Tx | None = None) -> Catalogue:
    found = catalogue(feature_types(), {} if tx is None else list_pins(tx))
    about = {one.name: one.description for one in windows().definitions}
    return Catalogue(found.columns, _DESCRIPTIONS | about, found.hashed, found.lists)


def columns() -> list[Word]:
    """Every column, by name."""
    known = _catalogue()
    return [
        Word(name, kind.value, known.descriptions.get(name, ""), name in known.hashed)
        for name, kind in sorted(known.columns.items())
    ]


def functions() -> list[str]:
    """Every function, by name."""
    return sorted(CALLABLE)


def formats() -> list[str]:
    """The ways to write a value in a reason."""
    return sorted(FORMATS)


def lists(tx: Tx) -> list[tuple[str, ListKind, list[str]]]:
    """Every list with its kind and the columns that it can be asked about."""
    return [(name, pin.kind, list(COLUMNS[pin.kind])) for name, pin in sorted(list_pins(tx).items())]


def assess(tx: Tx, text: RuleText) -> tuple[Condition, str, int, str]:
    """The condition of a rule, how it reads in plain language, its steps, and its reason with example values.

    Raises as `check`.
    """
    condition, known = check(tx, text), _catalogue(tx)
    said = example(text.reason, condition.tree, known)
    return condition, plain_language(condition, known), cost(condition.tree), said
