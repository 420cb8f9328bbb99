"""The keys in force by age: replacing a million of them, some hundreds at a time, must not read all for each."""

from __future__ import annotations

from alembic import op

revision = "0025_keys_in_force"
down_revision = "0024_two_people"


def upgrade() -> None:
    """Add the index."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute("create index ix_kit_keys_in_force on kit_keys (tenant_id, created_at) where superseded_at is null")
    op.execute("reset role")
