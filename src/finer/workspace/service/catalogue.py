"""What there is to ask: tables and columns, what they mean, and how this caller sees them."""

from __future__ import annotations

from functools import cache

from finer.fraud.service import verdicts as fraud
from finer.identity.service.authorisation import masking_of
from finer.ingest.service import contracts
from finer.ingest.types.contracts import Contract, Field
from finer.kit.masking import Masking
from finer.kit.tx import Tx
from finer.warehouse.service import lake as warehouse
from finer.warehouse.service.shown import GONE, TOKEN, ShownTo, by_table, class_of, field_of, form_of
from finer.warehouse.service.shown import shown_to as shown_to_masking
from finer.warehouse.types import LakeTable
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


def list_tables(tx: Tx, access: warehouse.LakeAccess) -> list[CatalogueTable]:
    """The tables of the firm's lake as the caller sees them; empty without a lake."""
    masking, known = masking_of(tx.actor), by_table(contracts.load(tx))
    return [_table(table, known.get(table.name), masking) for table in warehouse.describe(access, tx.tenant)]


def shown_to(tx: Tx) -> ShownTo:
    """For any tables of the firm, how their columns are shown to the caller; to be asked after `tx`, too."""
    return shown_to_masking(masking_of(tx.actor), contracts.load(tx))


def _table(table: LakeTable, contract: Contract | None, masking: Masking) -> CatalogueTable:
    columns = []
    for column in table.columns:
        form = form_of(contract, table, column, masking)
        columns.append(
            CatalogueColumn(
                name=column.name,
                type=column.type if form is None else warehouse.shown_type(column, form),
                description=_describe(table.name, column.name, field_of(contract, column.name)),
                data_class=class_of(contract, table, column).value,
                shown={None: "clear", TOKEN: "token", GONE: "absent"}.get(form, "part"),
            )
        )
    told = contract.description if contract is not None else _OWN_TABLES.get(table.name, "")
    return CatalogueTable(name=table.name, rows=table.rows, description=told, columns=columns)


def _describe(table: str, column: str, field: Field | None) -> str:
    if field is not None:
        return field.description
    return (_features().get(column) if table == "decisions" else None) or _OWN_COLUMNS.get(column, "")


@cache
def _features() -> dict[str, str]:
    """What the columns of features mean."""
    return {
        warehouse.column_name(one.name): f"{one.description}{f' ({one.unit})' if one.unit else ''}"
        for one in fraud.windows().definitions
    }
