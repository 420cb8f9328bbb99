"""Row rules: the conditions of a contract over whole records, checked on columns. A record must make each one true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from finer.ingest.errors import ContractInvalid
from finer.ingest.types.contracts import Contract, Kind, RowRule
from finer.kit.columns import Columns
from finer.kit.conditions.condition import parse_condition
from finer.kit.conditions.errors import ConditionError
from finer.kit.conditions.tree import Catalogue, ColumnType

Array = np.ndarray[Any, np.dtype[Any]]
TYPES = {
    Kind.STRING: ColumnType.TEXT,
    Kind.MONEY: ColumnType.NUMBER,
    Kind.INTEGER: ColumnType.NUMBER,
    Kind.NUMBER: ColumnType.NUMBER,
    Kind.BOOLEAN: ColumnType.BOOLEAN,
    Kind.DATE: ColumnType.TIMESTAMP,
    Kind.TIMESTAMP: ColumnType.TIMESTAMP,
}


def compile_rules(contract: Contract) -> tuple[tuple[RowRule, Callable[[Columns], Array]], ...]:
    """Every row rule with the function that says which records keep it. Raises ContractInvalid."""
    catalogue = Catalogue({field.column: TYPES[field.kind] for field in contract.fields})
    found = []
    for i, rule in enumerate(contract.rules):
        try:
            found.append((rule, parse_condition(rule.condition, catalogue).mask))
        except ConditionError as error:
            raise ContractInvalid(
                f"{contract.name}: schema[0].quality[{i}].implementation: row rule {rule.name}: {error.detail}"
            ) from error
    return tuple(found)
