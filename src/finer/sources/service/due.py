"""Which sources are to be read now."""

from __future__ import annotations

import uuid

from finer.kit.tx import Tx
from finer.sources.store.sources import find_due


def list_due(tx: Tx) -> list[tuple[uuid.UUID, uuid.UUID, int]]:
    """(firm, source, version) of every source that is to be read now; the transaction is that of no firm."""
    return find_due(tx.connection, tx.now())
