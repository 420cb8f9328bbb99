"""Who may do what, for everybody outside identity: the one grants table, asked."""

from __future__ import annotations

from finer.identity.rules.grants import allowed, covers, owner_only, permissions_of, render

__all__ = ["allowed", "covers", "owner_only", "permissions_of", "render"]
