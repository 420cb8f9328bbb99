"""Frauds that became known, as rows that stand between payments: each with the offset before which windows take it."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0074_label_rows"
down_revision = "0070_cost_of_orders"


def upgrade() -> None:
    """Labels of before become no rows: decisions of before did not count them, and are repeated without them."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(
        "create table fraud_label_rows (tenant_id uuid not null, number bigint not null, event_id text not null, "
        "known_at timestamptz not null, weight smallint not null, account_id_hash bigint, merchant_id_hash bigint, "
        "added_at timestamptz not null, stream text, partition int, log_offset bigint, "
        "constraint pk_fraud_label_rows primary key (tenant_id, number), "
        "constraint ck_fraud_label_rows_weight check (weight in (1, -1)))"
    )
    op.execute("create index ix_fraud_label_rows_event on fraud_label_rows (tenant_id, event_id, number)")
    op.execute(
        "create index ix_fraud_label_rows_waiting on fraud_label_rows (tenant_id, number) where log_offset is null"
    )
    op.execute("create index ix_fraud_label_rows_pinned on fraud_label_rows (tenant_id, stream, partition, log_offset)")
    # Never deleted, and changed once: what a decision has counted must be there when it is repeated.
    protect(op, "fraud_label_rows", worker="select, insert, update (stream, partition, log_offset)")
    op.execute("reset role")
