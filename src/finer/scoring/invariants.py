"""What must always be true of models; each function returns sentences, empty when all is well."""

from __future__ import annotations

from finer.kit.tx import Tx
from finer.scoring.store import ModelStore


def models_are_as_registered(tx: Tx) -> list[str]:
    """The text of every model has the hash with which it was registered."""
    return [
        f"The text of the model {row.name!r} ({row.product} {row.version}) was altered after it was registered."
        for row in ModelStore(tx).altered()
    ]
