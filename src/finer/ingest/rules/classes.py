"""How sensitive what a broken field holds is, by the classification that its contract gives it."""

from __future__ import annotations

from collections.abc import Iterable

from finer.ingest.types.contracts import CONFIDENTIAL, Contract
from finer.ingest.types.records import FieldError
from finer.kit.masking import DataClass

CLASSES = {
    None: DataClass.INTERNAL,
    "pseudonymous": DataClass.PERSONAL,
    "personal": DataClass.PERSONAL,
    "sensitive": DataClass.SENSITIVE,
    "financial": DataClass.SENSITIVE,
    "education": DataClass.SENSITIVE,
    CONFIDENTIAL: DataClass.SENSITIVE,
    "public": DataClass.PUBLIC,
    "internal": DataClass.INTERNAL,
    "card": DataClass.CARD,
}
"""Classifications that contracts may use, and how sensitive the data is: income, balances and marks harm a person,
what is confidential (such as what goods cost) the firm."""
severity = list(DataClass).index
# Their reasons say the number or the moment that was given.
_QUOTING = frozenset({"not_finite", "range", "timestamp_range"})


def class_of(contract: Contract | None, fields: str) -> DataClass:
    """The class of a value; `fields` are names as FieldError has them.

    What the contract does not know, such as a whole record or a field of a contract that is gone, may hold anything.
    """
    known = {} if contract is None else {field.name: field.classification for field in contract.fields}
    found = [CLASSES[known[name]] if name in known else DataClass.SENSITIVE for name in fields.split(",")]
    return max(found, key=severity)


class Guard:
    """Takes what says something of a person out of errors of one contract, thousands of which name the same fields."""

    def __init__(self, contract: Contract | None) -> None:
        self._contract = contract
        self._classes: dict[str, DataClass] = {}

    def guarded(self, errors: Iterable[FieldError]) -> list[FieldError]:
        """The same errors without values that say something of a person: what may be kept unsealed."""
        return [self._one(error) for error in errors]

    def _one(self, error: FieldError) -> FieldError:
        data_class = self._classes.get(error.field)
        if data_class is None:
            data_class = self._classes[error.field] = class_of(self._contract, error.field)
        if severity(data_class) < severity(DataClass.PERSONAL):
            return error
        reason = reason_without_value(data_class, error.field, error.rule, error.reason)
        return error if not error.value and reason == error.reason else FieldError(error.field, error.rule, "", reason)


def guarded(contract: Contract | None, errors: Iterable[FieldError]) -> list[FieldError]:
    """See `Guard.guarded`."""
    return Guard(contract).guarded(errors)


def reason_without_value(data_class: DataClass, field: str, rule: str, reason: str) -> str:
    """The reason, without the value that it would say of a person."""
    quotes = rule in _QUOTING and severity(data_class) >= severity(DataClass.PERSONAL)
    return f"{field} is out of its range." if quotes else reason
