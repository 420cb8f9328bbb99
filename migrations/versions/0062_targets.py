"""What a firm wants to reach: goals and plans by month, version by version."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0062_targets"
down_revision = "0068_remembered_sessions"

_TARGETS = """
create table operations_targets (
  tenant_id uuid not null, version int not null, content jsonb not null, changed_by text not null,
  changed_at timestamptz not null,
  constraint pk_operations_targets primary key (tenant_id, version))
"""


def upgrade() -> None:
    """Create the table and its wall. Nobody has targets yet: the goals of the house hold, and nothing is planned."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(_TARGETS)
    # Versions are never changed or deleted: what a figure was held to can be read later.
    protect(op, "operations_targets", api="select, insert", worker="select")
    op.execute("reset role")
