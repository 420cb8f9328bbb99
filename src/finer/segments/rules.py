"""What a segment's condition may name, what it reads, and what a role sees of a size."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from finer.ingest.types.contracts import CONFIDENTIAL, Field
from finer.kit.conditions.condition import Condition, parse_condition
from finer.kit.conditions.cost import COST_MAX, cost
from finer.kit.conditions.tree import Catalogue, ColumnType
from finer.segments.errors import SegmentNotUsable
from finer.segments.types import CONTRACT, Draft, SegmentSize, Size

CUSTOMER, BORN = "customer_id", "date_of_birth"
AGE, TODAY = "age", "today"
FEW = 10
"""Fewer people than this are not counted for who may see numbers only."""
NAME_MAX, DESCRIPTION_MAX = 120, 1000
_NAMING = frozenset({"email", "event_id", "full_name", "phone"})
"""Fields whose values name somebody: a segment is of a kind of people. Numbers of customers are `pseudonymous`."""
_PHRASES = {
    AGE: "the age in years",
    TODAY: "today",
    "branch_number": "the branch",
    "citizenship_code": "the citizenship",
    "city": "the city",
    "customer_since": "the day of the first account",
    "date_of_birth": "the date of birth",
    "employment_status": "the employment",
    "gender": "the gender",
    "income_thousands": "the yearly income in thousands",
    "marital_status": "the marital status",
    "market_segment": "the market segment",
    "occurred_at": "the time of the last profile",
    "residence_country": "the country of residence",
    "state_code": "the state",
}
_COMPUTED = {
    AGE: "Whole years since the date of birth, on the day (UTC) of the count.",
    TODAY: "The day (UTC) of the count, such as in customer_since > today - interval '30 days'.",
}


def named(fields: Iterable[Field]) -> list[Field]:
    """The fields that a condition may name: those that name nobody and are no secret of the firm."""
    hidden = ("pseudonymous", CONFIDENTIAL)
    return [one for one in fields if one.name not in _NAMING and one.classification not in hidden]


def catalogue(fields: Sequence[Field], types: Mapping[str, ColumnType]) -> Catalogue:
    """The columns of a condition. Where a firm has a field `age` or `today` of its own, that one is meant.

    So neither can be named where the firm's own one is hidden: what is asked for by that name would be the hidden one.
    """
    columns, ours = {one.column: types[one.column] for one in named(fields)}, computed(fields)
    if AGE in ours and BORN in columns and types[BORN] is ColumnType.TIMESTAMP:
        columns[AGE] = ColumnType.NUMBER
    if TODAY in ours:
        columns[TODAY] = ColumnType.TIMESTAMP
    phrases = {name: _PHRASES.get(name, f"the {name.replace('_', ' ')}") for name in columns}
    return Catalogue(columns, phrases)


def computed(fields: Iterable[Field]) -> frozenset[str]:
    """Of `age` and `today` those that Finer computes, because the firm has no field of that name."""
    return frozenset({AGE, TODAY}) - {one.column for one in fields}


def told(name: str, fields: Mapping[str, Field]) -> str:
    """What a column means."""
    return fields[name].description if name in fields else _COMPUTED[name]


def compiled(text: str, known: Catalogue) -> Condition:
    """The checked condition. Raises ConditionError with the place of a mistake, SegmentNotUsable."""
    condition = parse_condition(text, known)
    spent = cost(condition.tree)
    if spent > COST_MAX:
        raise SegmentNotUsable(f"The condition takes {spent} steps; {COST_MAX} is the limit. Make two segments of it.")
    if not condition.columns - {TODAY}:
        raise SegmentNotUsable("The condition names no column, so it holds for every customer or for none.")
    return condition


def reads(condition: Condition, ours: Collection[str]) -> tuple[str, ...]:
    """The columns of records that a condition reads; `ours` are those that Finer computes."""
    found = {BORN if name == AGE and AGE in ours else name for name in condition.columns}
    return tuple(sorted(found - ({TODAY} & set(ours))))


def gone(needs: Iterable[str], known: Catalogue) -> str:
    """A sentence that says which columns of a segment its contract has no more; empty when it has them all."""
    missing = [name for name in needs if name not in known.columns]
    if not missing:
        return ""
    word = "a field" if len(missing) == 1 else "fields"
    return f"The segment reads {word} that the contract {CONTRACT} has no more: {', '.join(missing)}."


def tidy(draft: Draft) -> Draft:
    """The draft with blanks taken away. Raises SegmentNotUsable."""
    name, description = " ".join(draft.name.split()), draft.description.strip()
    if not 1 <= len(name) <= NAME_MAX or len(description) > DESCRIPTION_MAX:
        raise SegmentNotUsable(f"A name has 1 to {NAME_MAX} characters, a description at most {DESCRIPTION_MAX}.")
    return Draft(name=name, description=description, condition=draft.condition.strip())


def shown(size: Size, *, exact: bool) -> SegmentSize:
    """A size for somebody who may see who they are, or numbers only: those are in tens, and below ten not told.

    Exact numbers would tell of one person, by the difference of two segments that only that person is between.
    """
    few = not exact and size.people is not None and size.people < FEW
    return SegmentSize(
        people=None if few or size.people is None else size.people if exact else _tens(size.people),
        few=few,
        exact=exact,
        customers=size.customers if exact else _tens(size.customers),
        counted_at=size.counted_at,
        version=size.version,
        problem=size.problem,
    )


def _tens(number: int) -> int:
    return (number + FEW // 2) // FEW * FEW
