"""What must always be true of operations; each function returns sentences, empty when all is well."""

from __future__ import annotations

from datetime import timedelta

from finer.kit.tx import Tx
from finer.operations.rules.spans import kept_since
from finer.operations.store.rollups import RollupStore


def lengths_agree(tx: Tx) -> list[str]:
    """Minutes add up to hours, hours to days, and products to all of them."""
    # What is exactly as old as is kept may be half forgotten by now: a day younger is looked at.
    since = kept_since(tx.now() + timedelta(days=1))
    return [
        f"Sums of {contract} ({kind}) of different lengths do not agree at {at:%Y-%m-%d %H:%M}."
        for contract, at, kind in RollupStore(tx).unequal(since)
    ]
