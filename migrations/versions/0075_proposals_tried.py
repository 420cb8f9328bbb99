"""A proposal that could not be closed steps back behind those that were not tried yet."""

from __future__ import annotations

from alembic import op

revision = "0075_proposals_tried"
down_revision = "0074_label_rows"


def upgrade() -> None:
    """A look takes the 200 oldest: as many that fail each time would keep all others from being closed."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute("alter table identity_proposals add column closing_tried_at timestamptz")
    op.execute("grant update (closing_tried_at) on identity_proposals to finer_worker")
    op.execute("reset role")
