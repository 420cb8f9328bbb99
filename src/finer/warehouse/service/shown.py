"""How the columns of the lake are shown to somebody: once for SQL, exports, the catalogue and BI tools alike.

The contracts of the firm say how sensitive a column is, its own ones as well as those that come with Finer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from finer.ingest.service import contracts
from finer.ingest.types.contracts import CONFIDENTIAL, Contract, Field, FirmContracts, Kind
from finer.kit.masking import DataClass, Form, Masking
from finer.warehouse.rules import DECISIONS, LABELS, table_of
from finer.warehouse.types import LakeColumn, LakeTable, Shown

TOKEN = "token"  # noqa: S105 - the name of a form
GONE = "gone"
OWN_TABLES = frozenset({DECISIONS, LABELS})
_BY_EVERY_RECORD = frozenset({"event_id", "log_offset", "log_partition", "occurred_at", "received_at"})
_NUMBERS = frozenset({Kind.INTEGER, Kind.NUMBER, Kind.MONEY})
_TEXTS = frozenset({"VARCHAR", "VARCHAR[]"})

ShownTo = Callable[[Iterable[LakeTable]], Shown]
"""For any tables of a firm, how each column that is not clear is shown to somebody."""


def shown_to(masking: Masking, known: FirmContracts) -> ShownTo:
    """How tables of the firm with these contracts are shown to whoever has this masking."""
    held = by_table(known)

    def shown(tables: Iterable[LakeTable]) -> Shown:
        found = {}
        for table in tables:
            forms = {column.name: form_of(held.get(table.name), table, column, masking) for column in table.columns}
            found[table.name] = {name: form for name, form in forms.items() if form is not None}
        return found

    return shown


def by_table(known: FirmContracts) -> Mapping[str, Contract]:
    """The contracts in force by the table that holds their records, with the fields that only earlier versions had.

    The lake keeps the columns of those, and what was a secret then is one now. The latest version that had a field says
    what it is.
    """
    earlier = sorted(known.by_header.values(), key=lambda one: [int(part) for part in one.version.split(".")])
    found = {}
    for name, one in known.current.items():
        fields = {field.column: field for before in earlier if before.name == name for field in before.fields}
        kept = {field.column for field in one.fields}
        gone = (field for column, field in fields.items() if column not in kept)
        found[table_of(name)] = replace(one, fields=(*one.fields, *gone))
    return found


def field_of(contract: Contract | None, column: str) -> Field | None:
    """The field of a contract that a column keeps."""
    fields = () if contract is None else contract.fields
    return next((field for field in fields if field.column == column), None)


def confidential_columns(known: FirmContracts) -> dict[str, frozenset[str]]:
    """By table, the columns that hold secrets of the firm, which no copy for anybody outside it may have."""
    return {
        table: frozenset(field.column for field in contract.fields if field.classification == CONFIDENTIAL)
        for table, contract in by_table(known).items()
    }


def class_of(contract: Contract | None, table: LakeTable, column: LakeColumn) -> DataClass:
    """The class of a column. What no contract knows may hold anything, so its texts are taken as sensitive."""
    field = field_of(contract, column.name)
    if field is not None:
        return contracts.class_of_field(field)
    own = table.name in OWN_TABLES or (contract is not None and column.name in _BY_EVERY_RECORD)
    return DataClass.INTERNAL if own or column.type not in _TEXTS else DataClass.SENSITIVE


def form_of(contract: Contract | None, table: LakeTable, column: LakeColumn, masking: Masking) -> str | None:
    """How a column is shown, as `store.shown` writes it; None is clear."""
    field, data_class = field_of(contract, column.name), class_of(contract, table, column)
    match masking.form(data_class):
        case Form.CLEAR:
            return None
        case Form.ABSENT:
            return GONE
    # Beside the price of a thing one digit of its cost is nearly its margin: of a secret of the firm no part is shown.
    if field is None or field.classification == CONFIDENTIAL:
        return GONE
    if field.classification == "pseudonymous":
        return TOKEN
    if field.name == "email":
        return "email"
    if field.kind in _NUMBERS:
        return "rounded"
    if field.kind in (Kind.DATE, Kind.TIMESTAMP):
        return "year"
    return "tail" if data_class is DataClass.PERSONAL else GONE


def shows_people(masking: Masking, known: FirmContracts, table: LakeTable) -> bool:
    """Whether any value that says something of a person is shown whole."""
    contract = by_table(known).get(table.name)
    return any(
        masking.clear(data_class) and data_class not in (DataClass.PUBLIC, DataClass.INTERNAL)
        for data_class in (class_of(contract, table, column) for column in table.columns)
    )
