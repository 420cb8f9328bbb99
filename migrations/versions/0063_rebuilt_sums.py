"""Sums that are made anew from the lake begin earlier than they did."""

from __future__ import annotations

from alembic import op

revision = "0063_rebuilt_sums"
down_revision = "0062_targets"


def upgrade() -> None:
    """Let the worker's role say from where on sums hold the records of a stream, when it has made them anew."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute("grant update (from_offset) on operations_beginnings to finer_worker")
    op.execute("reset role")
