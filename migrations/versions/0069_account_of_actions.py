"""What is done about a payment keeps the account of the payment, which can be another than that of its case."""

from __future__ import annotations

from alembic import op

revision = "0069_account_of_actions"
down_revision = "0063_rebuilt_sums"


def upgrade() -> None:
    """What was asked for before counts by the account of its case: only acts of the last day are summed."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute("alter table decisions_case_actions add column account_id text")
    op.execute("reset role")
