"""What must always be true of ingest; each function returns sentences, empty when all is well."""

from __future__ import annotations

from finer.ingest.store.quarantine import QuarantineStore
from finer.ingest.store.receipts import ReceiptStore
from finer.kit.ids import show_id
from finer.kit.tx import Tx


def every_refused_record_is_kept(tx: Tx) -> list[str]:
    """Received = accepted + duplicate + quarantined per receipt, and the quarantined ones are all there.

    The first half is a check constraint of the table: received = logged + quarantined + released.
    """
    return [
        f"Receipt {show_id('rct', row[0])} counts {row[1]} quarantined records and {row[3]} released ones, and "
        f"{row[2]} and {row[4]} are kept."
        for row in QuarantineStore(tx).unaccounted()
    ]


def receipts_do_not_overlap(tx: Tx) -> list[str]:
    """No two receipts claim the same place in the event log."""
    return [
        f"Receipt {show_id('rct', row[0])} begins at offset {row[2]} of {row[1]}, which an earlier receipt has."
        for row in ReceiptStore(tx).overlapping()
    ]


def duplicates_belong_to_receipts(tx: Tx) -> list[str]:
    """Every duplicate and conflict that the worker reported lies inside a receipt."""
    return [
        f"Offset {row[2]} of {row[0]}/{row[1]} is reported as seen before and belongs to no receipt."
        for row in ReceiptStore(tx).foreign_outcomes()
    ]
