"""Every record in the event log was held to a contract: nothing but the append of checked batches writes there."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

import finer
from finer.ingest.service import contracts, parsing, receipts
from finer.ingest.types.receipts import Receipt
from finer.ingest.types.records import Body
from finer.kit.db import API, LAKE, WORKER, connect
from finer.kit.tx import Tx
from tests.ingest.records import lines
from tests.ingest.test_receipts import NOW

_SOURCE = Path(finer.__path__[0])
_WRITING = re.compile(
    r"PostgresLog\.(append|APPEND)\b|kit_log_append|(insert\s+into|update|copy)\s+kit_log\b", re.IGNORECASE
)


def test_only_the_store_of_receipts_writes_to_the_event_log() -> None:
    writers = {
        str(path.relative_to(_SOURCE)) for path in _SOURCE.rglob("*.py") if _WRITING.search(path.read_text("utf-8"))
    }
    # A row that was set aside came through a contract before, and is put back as it was.
    assert writers == {"kit/log.py", "kit/log_failures.py", "ingest/store/receipts.py"}


def test_only_checked_batches_reach_the_store_of_receipts() -> None:
    callers = {
        str(path.relative_to(_SOURCE))
        for path in _SOURCE.rglob("*.py")
        if re.search(r"ReceiptStore\(.*\)\.append\(|\bstore\.append\(header", path.read_text("utf-8"))
    }
    assert callers == {"ingest/service/receipts.py"}


@pytest.mark.parametrize("role", [API, WORKER, LAKE])
def test_no_role_of_the_application_can_write_the_table_itself(database_url: str, role: str) -> None:
    with (
        connect(database_url, role, name="finer-test") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("insert into kit_log default values")


def test_a_receipt_says_which_version_its_records_were_held_to(tx: Tx) -> None:
    parsed = parsing.parse_group(contracts.contract("transaction"), [Body(data=lines(3))], NOW)
    (receipt,) = receipts.append(tx, parsed, 1)
    assert isinstance(receipt, Receipt)
    assert receipt.contract_version == receipts.get_receipt(tx, receipt.id).contract_version == "1.0.0"
