"""Rows of frauds that became known are parted from an erased person."""

from __future__ import annotations

from alembic import op

revision = "0076_label_rows_parted"
down_revision = "0075_proposals_tried"


def upgrade() -> None:
    """The hash of a short id can be turned back into it, so it goes when the person does."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute("grant update (account_id_hash) on fraud_label_rows to finer_worker")
    op.execute("reset role")
