"""Which sources are to be read now."""

from __future__ import annotations

from finer.kit.tx import Tx
from finer.sources.store.sources import find_due
from finer.sources.types import DueSource


def list_due(tx: Tx) -> list[DueSource]:
    """Every source that is to be read now; the transaction is that of no firm."""
    return find_due(tx.connection, tx.now())
