"""What somebody writes of a rule, held to what a rule can be: its columns, its reason, its cost."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from finer.decisions.types.alerts import Action
from finer.fraud.errors import RuleNotAcceptable
from finer.fraud.rules.evaluate import BASE_COLUMNS
from finer.fraud.rules.reasons import FIELD, FORMATS
from finer.fraud.rules.rule_set import catalogue
from finer.fraud.types import Brake, ListPin, RuleText
from finer.kit.conditions.condition import Condition, parse_condition
from finer.kit.conditions.cost import COST_MAX, cost
from finer.kit.conditions.tree import ColumnType

NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
TITLE_MAX, REASON_MAX, OWNER_MAX, NOTE_MAX = 120, 500, 120, 1000
EVERYTHING_SHARE = 0.2
"""A rule that holds for more payments than this is taken only when somebody confirms that it is meant so."""
US_PER_EVENT_MAX = 5.0
"""What one rule may cost, measured over the payments that it was priced on."""
_PERSONAL = frozenset({"account_id", "card", "card_last4", "counterparty_id", "customer_id", "device_id"})
_NUMERIC = frozenset(FORMATS) - {"money", "money_and_usd"}


def compile_rule(text: RuleText, features: Mapping[str, ColumnType], lists: Mapping[str, ListPin]) -> Condition:
    """The condition of a rule, checked with everything else that is said of it.

    Raises ConditionError with the place of a mistake, RuleNotAcceptable.
    """
    known = catalogue(features, lists)
    condition = parse_condition(text.condition, known)
    spent = cost(condition.tree)
    if spent > COST_MAX:
        raise RuleNotAcceptable(f"The condition takes {spent} steps; {COST_MAX} is the limit. Split it into two rules.")
    if not condition.columns:
        raise RuleNotAcceptable("The condition names no column, so it holds for every payment or for none.")
    _check_reason(text.reason, known.columns)
    return condition


def tidy(text: RuleText) -> RuleText:
    """The text with blanks taken away. Raises RuleNotAcceptable for what is too long, missing, or cannot be."""
    title, reason, owner = (" ".join(each.split()) for each in (text.title, text.reason, text.owner))
    for what, found, least, most in (
        ("title", title, 3, TITLE_MAX), ("reason", reason, 3, REASON_MAX), ("owner", owner, 0, OWNER_MAX),
    ):  # fmt: skip
        if not least <= len(found) <= most:
            raise RuleNotAcceptable(f"The {what} has {len(found)} characters; {least} to {most} are possible.")
    brake = text.brake
    if brake is not None:
        _check_brake(brake, text.action)
    return msgspec.structs.replace(text, title=title, reason=reason, owner=owner, condition=text.condition.strip())


def _check_brake(brake: Brake, action: Action) -> None:
    if action is not Action.BLOCK:
        raise RuleNotAcceptable("A brake counts what a rule blocks; this rule does not block.")
    if brake.most is None and brake.share is None:
        raise RuleNotAcceptable("A brake needs a number of payments, a share, or both.")
    if brake.most is not None and not 1 <= brake.most <= 10_000_000:
        raise RuleNotAcceptable("A brake is 1 to 10,000,000 payments.")
    if brake.share is not None and not 0 < brake.share <= 1:
        raise RuleNotAcceptable("The share of a brake is above 0 and at most 1.")
    if not 1 <= brake.minutes <= 1440:
        raise RuleNotAcceptable("A brake looks back 1 to 1,440 minutes.")


def _check_reason(reason: str, columns: Mapping[str, ColumnType]) -> None:
    left = FIELD.sub("", reason)
    if "{" in left or "}" in left:
        raise RuleNotAcceptable("In the reason, a column stands in braces, such as {amount_usd:usd}.")
    shown = columns.keys() | BASE_COLUMNS.keys()
    for name, form, other in FIELD.findall(reason):
        for column in (name, *((other,) if other else ())):
            if column in _PERSONAL:
                raise RuleNotAcceptable(f"The reason names {column}, which not everybody who reads reasons may see.")
            if column not in shown:
                raise RuleNotAcceptable(f"The reason names {column}, and there is no such column.")
        if form and form not in FORMATS:
            raise RuleNotAcceptable(f"The reason writes {name} as {form}; there are {', '.join(sorted(FORMATS))}.")
        if form in _NUMERIC and columns[name] is not ColumnType.NUMBER:
            raise RuleNotAcceptable(f"The reason writes {name} as {form}, and it is a {columns[name].value}.")
