"""What the windows forget of erased people, as rows that stand between payments."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0079_forgotten"
down_revision = "0078_segments"


def upgrade() -> None:
    """People erased before have no rows: nobody knows any more which accounts were theirs."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(
        "create table fraud_forgotten (tenant_id uuid not null, number bigint generated always as identity, "
        "account_id_hash bigint not null, counterparty_id_hash bigint, device_id_hash bigint, "
        "added_at timestamptz not null, stream text, partition int, log_offset bigint, "
        "constraint pk_fraud_forgotten primary key (tenant_id, number))"
    )
    protect(op, "fraud_forgotten", worker="select, insert, delete, update (stream, partition, log_offset)")
    op.execute("reset role")
