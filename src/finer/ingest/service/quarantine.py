"""Refused records: what is held back, and why."""

from __future__ import annotations

import uuid

from finer.ingest.store.quarantine import QuarantineStore
from finer.ingest.types.receipts import Page, QuarantineCause, QuarantinedRecord
from finer.kit.ids import show_id
from finer.kit.tx import Tx


def list_quarantined(
    tx: Tx,
    *,
    contract: str | None = None,
    rule: str | None = None,
    receipt: uuid.UUID | None = None,
    before: uuid.UUID | None = None,
    limit: int = 50,
) -> Page[QuarantinedRecord]:
    """Open quarantined records, newest first, of one contract, broken rule or receipt if given."""
    items = QuarantineStore(tx).quarantined(contract, rule, receipt, before, limit + 1)
    return Page(items[:limit], show_id("qua", items[limit - 1].id) if len(items) > limit else None)


def quarantine_causes(tx: Tx) -> list[QuarantineCause]:
    """Open quarantined records by contract, field and rule, most frequent first, each with an example."""
    return QuarantineStore(tx).causes()


def blank_refused(tx: Tx, text: str) -> int:
    """Empty the quarantined records that hold this text, such as a customer's id; their receipts still add up."""
    return QuarantineStore(tx).blank_refused(text)
