"""Reasons in words: the sentence of each rule that fired, filled with the values the decision used."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from finer.kit.money import Money

FIELD = re.compile(r"\{([a-z0-9_.]+)(?::([a-z_]+))?(?::([a-z0-9_.]+))?\}")
_ORDINALS = {1: "st", 2: "nd", 3: "rd"}


def sentence(template: str, values: Mapping[str, Any]) -> str:
    """The template with every {column:format} replaced; a value that is not known reads "unknown"."""

    def fill(match: re.Match[str]) -> str:
        name, form, other = match.groups()
        value = values.get(name)
        if value is None:
            return "unknown"
        if form == "ratio_to":
            return _ratio(value, values.get(other))
        if form in ("money", "money_and_usd"):
            amount = str(Money(values["amount_minor"], values["currency"]))
            in_usd = form == "money_and_usd" and values["currency"] != "USD"
            return f"{amount} ({_FORMATS['usd'](values['amount_usd'])})" if in_usd else amount
        return _FORMATS.get(form or "", str)(value)

    return FIELD.sub(fill, template)


def columns_in(template: str) -> set[str]:
    """The columns that a template names."""
    return {name for found in FIELD.findall(template) for name in (found[0], found[2]) if name}


def _ordinal(value: float) -> str:
    number = int(value)
    suffix = "th" if 10 <= number % 100 <= 20 else _ORDINALS.get(number % 10, "th")
    return f"{number}{suffix}"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    if seconds < 7200:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"


def _ratio(amount_usd: float, mean_usd_minor: float | None) -> str:
    if not mean_usd_minor:
        return "many times"
    return f"{amount_usd * 100 / mean_usd_minor:.1f} times"


_SMALL_SHARE = 0.001  # of which one decimal of a per cent shows nothing
_FORMATS: dict[str, Callable[[float], str]] = {
    "ordinal": _ordinal,
    "duration": _duration,
    "usd": lambda value: f"{value:,.2f} USD",
    "count": lambda value: f"{value:.0f}",
    "percent": lambda value: f"{100 * value:.1f} %" if value >= _SMALL_SHARE else f"{100 * value:.2g} %",
}
FORMATS = frozenset({*_FORMATS, "money", "money_and_usd", "ratio_to"})
"""How a column can be written in a reason."""
