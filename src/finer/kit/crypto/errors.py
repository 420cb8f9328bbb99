"""What can go wrong with keys and sealed columns."""

from __future__ import annotations

from finer.kit.errors import FinerError, Unavailable


class KeysUnavailable(Unavailable):
    """The master key is missing, unsafe, or another one than the data were sealed with; nothing is served."""

    slug = "keys-unavailable"
    title = "The keys cannot be used"


class SealBroken(FinerError):
    """A sealed value was altered, cut off, or moved from another row, column or firm."""

    status = 500
    slug = "seal-broken"
    title = "A stored value was tampered with"


class Erased(FinerError):
    """The key of a sealed value was destroyed, so nobody can read the value any more."""

    status = 410
    slug = "erased"
    title = "This was erased"
