"""Letting go of what is past its time."""

from __future__ import annotations

from finer.kit.tx import Tx
from finer.sources.store import memory


def forget_old(tx: Tx) -> int:
    """Forget old history, and files, objects and events that were not seen for 90 days before the source last looked.

    Returns how many of the latter. A file that comes back after that is taken as a new one.
    """
    return memory.forget_old(tx)
