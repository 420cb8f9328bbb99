"""One record at a time: the slow path, which is the meaning of a contract. It finds every broken field.

A value comes as a *token*: a text, a `Number` (digits as they were written), a bool, None, or `NESTED`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from finer.ingest.rules.patterns import matches
from finer.ingest.rules.plan import DAY_AHEAD, INT64_MAX, INT64_MIN, FieldPlan, Plan, money_limits, text_limits
from finer.ingest.rules.times import combine, names_zone, read_date, read_timestamp
from finer.ingest.types.contracts import Field, Kind
from finer.ingest.types.records import FieldError
from finer.kit.money import exponent as currency_exponent

VALUE_SHOWN_MAX = 120
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_DIGITS_MAX = 400


class Number(str):
    """A number as it was written."""

    __slots__ = ()


class Nested:
    """An object or a list where a plain value belongs."""

    __slots__ = ()

    def __str__(self) -> str:
        return "{...}"


NESTED = Nested()
Token = str | bool | None | Nested


class _Broken(Exception):
    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule = rule
        self.reason = reason


def show(value: Any) -> str:
    """A value as an error shows it: short, and without characters that a database cannot keep."""
    text = str(value)
    if len(text) > VALUE_SHOWN_MAX:
        text = f"{text[:VALUE_SHOWN_MAX]}... ({len(text)} characters)"
    return text.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()


def check_record(
    plan: Plan, tokens: dict[int, Token], received_us: int, *, texts: bool
) -> tuple[list[Any], list[FieldError]]:
    """The values of a record in the order of the fields, and every broken field.

    `texts` says that the source writes all values as text (CSV). Money is in minor units, timestamps in
    microseconds, dates in days.
    """
    values: list[Any] = [None] * len(plan.fields)
    errors: list[FieldError] = []
    for i in plan.order:
        item = plan.fields[i]
        token = tokens.get(item.slot)
        derived = token in (None, "") and item.source >= 0
        if derived:
            token = tokens.get(item.source)
        token = None if token == "" else token
        error: FieldError | None = None
        try:
            if item.date_slot >= 0 and (tokens.get(item.date_slot) or tokens.get(item.time_slot)):
                values[i] = _combined(item, plan, token, tokens, received_us)
            elif token is None:
                values[i], error = _absent(item, received_us), item.missing
            elif item.field.kind is Kind.MONEY:
                values[i] = _money(item.field, token, values[item.currency])
            else:
                values[i] = _value(item, token, received_us, texts)
        except _Broken as broken:
            error = FieldError(item.field.name, broken.rule, "" if token is None else show(token), broken.reason)
        if error is not None and not (derived and _is_told(errors, item.field.derived_from)):
            errors.append(error)
    errors.sort(key=lambda error: plan.slot_of[error.field])
    return values, errors


def _is_told(errors: list[FieldError], name: str | None) -> bool:
    return any(one.field == name for one in errors)


def _absent(item: FieldPlan, received_us: int) -> Any:
    default = item.field.default
    return received_us if default is not None and item.field.kind is Kind.TIMESTAMP else default


def _value(item: FieldPlan, token: Token, received_us: int, texts: bool) -> Any:
    field = item.field
    if isinstance(token, Nested):
        raise _Broken("type", f"{field.name} must be a single {field.kind.value}, and is an object or a list.")
    if field.kind is Kind.STRING:
        return _text(field, token)
    if field.kind is Kind.INTEGER:
        return _integer(item, token, texts)
    if field.kind is Kind.NUMBER:
        return _number(item, token, texts)
    if field.kind is Kind.BOOLEAN:
        return _boolean(field, token, texts)
    if isinstance(token, bool | Number):
        raise _Broken("type", f"{field.name} must be a {field.kind.value} as text, like {_example(field)}.")
    text = str(token)
    if field.kind is Kind.DATE:
        days = read_date(text)
        if days is None:
            raise _Broken("type", f"{field.name} must be a date like {_example(field)}.")
        return _within(item, days, text)
    if field.local and names_zone(text):
        raise _Broken("type", f"{field.name} must be a local time without a zone, like 2026-11-20T10:00:00.")
    return _timestamp(item, read_timestamp(text), text, received_us)


def _example(field: Field) -> str:
    return "2026-11-20" if field.kind is Kind.DATE else "2026-11-20T10:00:00Z"


def _timestamp(item: FieldPlan, value: int | None, text: str, received_us: int) -> int:
    name = item.field.name
    if value is None:
        raise _Broken("type", f"{name} must be a date and time like {_example(item.field)}.")
    if value < item.low or value > timestamp_high(item, received_us):
        high = item.field.maximum or "one day after the record arrived"
        low = "not be after" if item.field.minimum is None else f"lie between {item.field.minimum} and"
        raise _Broken("timestamp_range", f"{name} is {show(text)}; it must {low} {high}.")
    return value


def timestamp_high(item: FieldPlan, received_us: int) -> int:
    """The last allowed moment of a timestamp: the contract's, or one day after the record arrived."""
    return int(item.high) if item.field.maximum is not None else received_us + DAY_AHEAD


def _combined(item: FieldPlan, plan: Plan, token: Token, tokens: dict[int, Token], received_us: int) -> int:
    date_name, time_name = plan.slot_names[item.date_slot], plan.slot_names[item.time_slot]
    date_token, time_token = tokens.get(item.date_slot), tokens.get(item.time_slot)
    if token is not None:
        raise _Broken("duplicate_key", f"{item.field.name} is given, and {date_name} and {time_name} are too.")
    for name, part in ((date_name, date_token), (time_name, time_token)):
        if part is None or part == "":
            raise _Broken("required", f"{item.field.name} needs both {date_name} and {time_name}; {name} is missing.")
        if not isinstance(part, str) or isinstance(part, Number):
            raise _Broken("type", f"{name} must be a text.")
    text = f"{date_token} {time_token}"
    value = combine(str(date_token), str(time_token))
    if value is None:
        raise _Broken(
            "type", f"{date_name} and {time_name} must be like 2026-11-20 and 10:00:00; they are {show(text)}."
        )
    return _timestamp(item, value, text, received_us)


def _text(field: Field, token: Token) -> str:
    if isinstance(token, bool) or (isinstance(token, Number) and not (field.from_number and token.isdigit())):
        raise _Broken("type", f"{field.name} must be a text.")
    text = str(token)
    shortest, longest = field.shortest, field.longest
    if len(text) > longest:
        raise _Broken("max_length", f"{field.name} has {len(text)} characters; at most {longest} are allowed.")
    if len(text) < shortest:
        raise _Broken("min_length", f"{field.name} has {len(text)} characters; at least {shortest} are needed.")
    if "\0" in text:
        raise _Broken("forbidden_character", f"{field.name} contains the character U+0000.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _Broken(
            "invalid_text", f"{field.name} contains half of a surrogate pair, which is no character."
        ) from None
    if field.allowed:
        return _allowed(field, text)
    if field.pattern is not None and not _fits(field, text):
        raise _Broken("pattern", f"{field.name} must match the pattern {field.pattern}.")
    return text


def _fits(field: Field, text: str) -> bool:
    low, high = text_limits(field)
    return low <= len(text) <= high and matches(str(field.pattern), field.program, text)


def _allowed(field: Field, text: str) -> str:
    if text in field.allowed:
        return text
    if field.fold and text.isascii():
        for value in field.allowed:
            if value == text.lower():
                return value
    raise _Broken("allowed_values", f"{field.name} must be one of: {', '.join(field.allowed)}.")


def _decimal(field: Field, token: Token) -> Decimal:
    text = str(token)
    if isinstance(token, bool | Nested) or len(text) > _DIGITS_MAX or _DECIMAL.fullmatch(text) is None:
        if isinstance(token, str) and text.strip("+-").lower() in ("nan", "inf", "infinity"):
            raise _Broken("not_finite", f"{field.name} is {text}, which is no amount of anything.")
        raise _Broken("type", f"{field.name} must be a number.")
    number, _, power = text.lower().partition("e")
    # A power beyond this cannot be an amount, and must not be expanded to find that out.
    if power and len(power.lstrip("+-").lstrip("0")) > 4:
        raise _Broken("overflow", f"{field.name} is too large or too small to be kept.")
    return _shift(Decimal(number), int(power or 0))


def _shift(value: Decimal, places: int) -> Decimal:
    """The value times 10 ** places, exact: Decimal's own scaleb rounds to 28 digits."""
    sign, digits, power = value.as_tuple()
    return Decimal((sign, digits, int(power) + places))


def _money(field: Field, token: Token, currency: Any) -> int:
    value = _decimal(field, token)
    if not isinstance(currency, str):
        raise _Broken("currency", f"{field.name} cannot be read without a valid {field.currency}.")
    exponent = currency_exponent(currency)
    if value and value.adjusted() > 18:
        raise _Broken("overflow", f"{field.name} is larger than any amount that can be kept.")
    minor = _shift(value, exponent)
    if minor != minor.to_integral_value():
        raise _Broken(
            "money_precision",
            f"{field.name} has more than the {exponent} decimals that {currency} has; it is not rounded.",
        )
    amount = int(minor)
    if not INT64_MIN < amount <= INT64_MAX:
        raise _Broken("overflow", f"{field.name} is larger than any amount that can be kept.")
    low, high = money_limits(field, exponent)
    if not low <= amount <= high:
        raise _Broken("range", f"{field.name} is {value:f}; it must be {_range(field)}.")
    return amount


def _integer(item: FieldPlan, token: Token, texts: bool) -> int:
    field = item.field
    if not (texts or isinstance(token, Number)):
        raise _Broken("type", f"{field.name} must be a whole number.")
    value = _decimal(field, token)
    if value and (value.adjusted() > 19 or value != value.to_integral_value()):
        rule = "overflow" if value.adjusted() > 19 else "type"
        raise _Broken(rule, f"{field.name} must be a whole number of 64 bits.")
    number = int(value)
    if not INT64_MIN <= number <= INT64_MAX:
        raise _Broken("overflow", f"{field.name} must be a whole number of 64 bits.")
    return int(_within(item, number, str(token)))


def _number(item: FieldPlan, token: Token, texts: bool) -> float:
    if not (texts or isinstance(token, Number)):
        raise _Broken("type", f"{item.field.name} must be a number.")
    _decimal(item.field, token)
    value = float(str(token))
    if value in (float("inf"), float("-inf")):
        raise _Broken("overflow", f"{item.field.name} is larger than any number that can be kept.")
    return float(_within(item, value, str(token)))


def _boolean(field: Field, token: Token, texts: bool) -> bool:
    if isinstance(token, bool):
        return token
    word = str(token).lower()
    if texts and word in ("true", "false", "1", "0"):
        return word in ("true", "1")
    raise _Broken("type", f"{field.name} must be true or false.")


def _within(item: FieldPlan, value: Any, text: str) -> Any:
    if not item.low <= value <= item.high:
        raise _Broken("range", f"{item.field.name} is {show(text)}; it must be {_range(item.field)}.")
    return value


def _range(field: Field) -> str:
    parts = []
    if field.minimum is not None:
        parts.append(f"{'more than' if field.exclusive_minimum else 'at least'} {field.minimum}")
    if field.maximum is not None:
        parts.append(f"{'less than' if field.exclusive_maximum else 'at most'} {field.maximum}")
    return " and ".join(parts)
