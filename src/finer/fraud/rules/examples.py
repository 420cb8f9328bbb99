"""The reason of a rule as people will read it: its sentence with values for which the condition could hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from finer.fraud.rules.reasons import columns_in, sentence
from finer.kit.conditions import tree as t

_USD = 1_250.0
_OFTEN, _SECONDS = 4, 45 * 60
_LARGE = 20  # below it one more is enough, as of a count
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_WITHOUT_RATE = "LAK"
"""A currency for the example of a rule that asks for amounts without an exchange rate."""


def example(reason: str, condition: t.Node, known: t.Catalogue) -> str:
    """The reason with example values; a text that nothing is asked of is told by what `known` says that it is."""
    asked = dict(_bounds(condition))
    usd = float(asked.get("amount_usd", asked.get("amount", _USD)))
    without_rate = any(isinstance(node, t.IsNull) and _name(node.operand) == "amount_usd" for node in t.walk(condition))
    values: dict[str, Any] = {
        "amount": usd, "amount_usd": usd, "amount_minor": round(usd * 100), "amount_usd_minor": round(usd * 100),
        "currency": asked.get("currency", _WITHOUT_RATE if without_rate else "USD"), "merchant_country": "FR",
        "local_hour": 3, "score": 0.97, "score_threshold": 0.9,
    }  # fmt: skip
    for name in columns_in(reason):
        if name in asked and not name.startswith("amount"):
            values[name] = asked[name]
        else:
            values.setdefault(name, _usual(name, known, round(usd * 100)))
    return sentence(reason, values)


def _usual(name: str, known: t.Catalogue, usd_minor: int) -> Any:
    """What a payment or an account could have that nothing is asked of."""
    kind = known.columns.get(name)
    if kind is not t.ColumnType.NUMBER:
        return known.descriptions.get(name, name)
    if "mean" in name:
        return usd_minor / 12
    if "sum" in name:
        return usd_minor * 2
    return _SECONDS if "seconds" in name else _OFTEN


def _bounds(condition: t.Node) -> Iterator[tuple[str, Any]]:
    """Columns that are compared with a value, and one that fits; of what must not hold nothing is taken."""
    match condition:
        case t.And() | t.Or():
            for part in condition.parts:
                yield from _bounds(part)
        case t.Compare(operator="<>"):
            return  # it names the one value for which the condition does not hold
        case t.Compare(operator=operator, left=t.Column(name=name), right=t.Literal(value=value)):
            yield name, _beyond(operator, value)
        case t.Compare(operator=operator, left=t.Literal(value=value), right=t.Column(name=name)):
            yield name, _beyond(_TURNED.get(operator, operator), value)
        case t.Between(operand=t.Column(name=name), low=t.Literal(value=value)):
            yield name, value
        case t.In(operand=t.Column(name=name), values=(t.Literal(value=value), *_)):
            yield name, value


def _beyond(operator: str, value: Any) -> Any:
    if not isinstance(value, int | float):
        return value
    if operator == ">":
        value = value * 1.25 if value >= _LARGE else value + 1
    elif operator == "<":
        value *= 0.75
    return int(value) if value == int(value) else value


def _name(node: t.Node) -> str:
    return node.name if isinstance(node, t.Column) else ""
