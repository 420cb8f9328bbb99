"""What must always be true of sources; each function returns sentences, empty when all is well."""

from __future__ import annotations

from finer.kit.tx import Tx
from finer.sources.store.sources import SourceStore


def counts_add_up(tx: Tx) -> list[str]:
    """What came from a source was accepted or quarantined."""
    return [
        f"The source {row.name!r} received {row.received} records: {row.accepted} accepted and {row.quarantined} "
        "quarantined do not add up to that."
        for row in SourceStore(tx).miscounted()
    ]
