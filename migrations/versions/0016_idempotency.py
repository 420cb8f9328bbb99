"""Answers to requests with an Idempotency-Key, for a day."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0016_idempotency"
down_revision = "0015_sign_in"


def upgrade() -> None:
    """Create the table of remembered answers."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(
        "create table kit_idempotency (tenant_id uuid not null, claim text not null, request_hash bytea not null, "
        "status integer not null, headers jsonb not null, body_sealed bytea, created_at timestamptz not null, "
        "constraint pk_kit_idempotency primary key (tenant_id, claim))"
    )
    op.execute("create index ix_kit_idempotency_created_at on kit_idempotency (tenant_id, created_at)")
    # The worker forgets what is past its time and seals the rest again when keys are replaced.
    protect(op, "kit_idempotency", api="select, insert, update", worker="select, update, delete")
    op.execute("reset role")
