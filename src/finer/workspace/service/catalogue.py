"""What there is to ask: tables and columns, what they mean, and how this caller sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from finer.fraud import service as fraud
from finer.identity.service.authorisation import masking_of
from finer.ingest.service import contracts
from finer.ingest.types.contracts import Contract, Field, FirmContracts, Kind
from finer.kit.masking import DataClass, Form, Masking
from finer.kit.tx import Tx
from finer.warehouse.service import lake as warehouse
from finer.warehouse.types import LakeColumn, LakeTable
from finer.workspace.types import CatalogueColumn, CatalogueTable

_OWN_TABLES = {
    "decisions": "What was decided on each transaction, by which rules, and the values it was decided on.",
    "labels": "What people found out about transactions, and since when it is known.",
}
_OWN_COLUMNS = {
    "action": "What was decided: approve, review or block.",
    "event_id": "Names the record.",
    "feature_set": "The version of the sliding windows.",
    "known_at": "Since when it is known.",
    "log_offset": "The record's place in its partition of the event log.",
    "log_partition": "The partition of the event log that the record is in.",
    "model": "The model that scored it.",
    "occurred_at": "When it happened.",
    "received_at": "When Finer received it.",
    "rule_pack": "The version of the rules.",
    "rules": "The rules that fired.",
    "score": "The model's probability of fraud, 0 to 1.",
    "source": "Who or what said so.",
    "verdict": "What was found: confirmed_fraud, confirmed or dismissed.",
}
_NUMBERS = frozenset({Kind.INTEGER, Kind.NUMBER, Kind.MONEY})
TOKEN = "token"  # noqa: S105 - the name of a form


def list_tables(tx: Tx, access: warehouse.LakeAccess) -> list[CatalogueTable]:
    """The tables of the firm's lake as the caller sees them; empty without a lake."""
    masking, known = masking_of(tx.actor), _by_table(contracts.load(tx))
    return [_table(table, known.get(table.name), masking) for table in warehouse.describe(access, tx.tenant)]


def shown_to(tx: Tx) -> Callable[[Iterable[LakeTable]], dict[str, dict[str, str]]]:
    """For any tables of the firm, how their columns are shown to the caller; to be asked after `tx`, too."""
    masking, known = masking_of(tx.actor), _by_table(contracts.load(tx))

    def form(table: LakeTable, column: LakeColumn) -> str | None:
        contract = known.get(table.name)
        return _form(_field(contract, column.name), _class(contract, table, column), masking)

    def shown(tables: Iterable[LakeTable]) -> dict[str, dict[str, str]]:
        return {
            table.name: {column.name: found for column in table.columns if (found := form(table, column)) is not None}
            for table in tables
        }

    return shown


def _table(table: LakeTable, contract: Contract | None, masking: Masking) -> CatalogueTable:
    columns = []
    for column in table.columns:
        field, data_class = _field(contract, column.name), _class(contract, table, column)
        form = _form(field, data_class, masking)
        columns.append(
            CatalogueColumn(
                name=column.name,
                type=column.type if form is None else warehouse.shown_type(column, form),
                description=_describe(table.name, column.name, field),
                data_class=data_class.value,
                shown={None: "clear", TOKEN: "token", "gone": "absent"}.get(form, "part"),
            )
        )
    told = contract.description if contract is not None else _OWN_TABLES.get(table.name, "")
    return CatalogueTable(name=table.name, rows=table.rows, description=told, columns=columns)


def _describe(table: str, column: str, field: Field | None) -> str:
    if field is not None:
        return field.description
    return (_features().get(column) if table == "decisions" else None) or _OWN_COLUMNS.get(column, "")


def _by_table(known: FirmContracts) -> dict[str, Contract]:
    """The contracts by the table that holds their records."""
    return {warehouse.table_of(name): one for name, one in known.current.items()}


def _field(contract: Contract | None, column: str) -> Field | None:
    fields = () if contract is None else contract.fields
    return next((field for field in fields if field.column == column), None)


def _class(contract: Contract | None, table: LakeTable, column: LakeColumn) -> DataClass:
    """The class of a column. What no contract knows may hold anything, so its texts are taken as sensitive."""
    field = _field(contract, column.name)
    if field is not None:
        return contracts.class_of_field(field)
    own = table.name in _OWN_TABLES or (contract is not None and column.name in _OWN_COLUMNS)
    return DataClass.INTERNAL if own or column.type not in ("VARCHAR", "VARCHAR[]") else DataClass.SENSITIVE


def _form(field: Field | None, data_class: DataClass, masking: Masking) -> str | None:
    """How a column is shown, as the warehouse knows it; None is clear."""
    match masking.form(data_class):
        case Form.CLEAR:
            return None
        case Form.ABSENT:
            return "gone"
    if field is None:
        return "gone"
    if field.classification == "pseudonymous":
        return TOKEN
    if field.name == "email":
        return "email"
    if field.kind in _NUMBERS:
        return "rounded"
    if field.kind is Kind.DATE:
        return "year"
    return "tail" if data_class is DataClass.PERSONAL else "gone"


@cache
def _features() -> dict[str, str]:
    """What the columns of features mean."""
    return {
        warehouse.column_name(one.name): f"{one.description}{f' ({one.unit})' if one.unit else ''}"
        for one in fraud.windows().definitions
    }
