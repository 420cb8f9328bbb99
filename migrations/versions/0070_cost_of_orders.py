"""What goods cost is summed up beside what they were sold for."""

from __future__ import annotations

from alembic import op

revision = "0070_cost_of_orders"
down_revision = "0073_expired_proposals"


def upgrade() -> None:
    """Sums of before count as without cost, which is what their records said: defaults, so that no row is rewritten."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(
        "alter table operations_rollups add column costed bigint default 0 not null, "
        "add column costed_minor numeric(38, 0) default 0 not null, "
        "add column cost_minor numeric(38, 0) default 0 not null"
    )
    op.execute("reset role")
