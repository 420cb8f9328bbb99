"""Sessions by hour, region and channel: how many, how far they came, and how long they took."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0061_behaviour"
down_revision = "0060_metric_alerts"

_SESSIONS = """
create table operations_sessions (
  tenant_id uuid not null, bucket timestamptz not null, region text not null, channel text not null,
  sessions bigint not null, viewed bigint not null, added bigint not null, checked_out bigint not null,
  purchased bigint not null, single bigint not null, seconds bigint not null,
  constraint pk_operations_sessions primary key (tenant_id, bucket, region, channel))
"""


def upgrade() -> None:
    """Create the table and its wall."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(_SESSIONS)
    protect(op, "operations_sessions", api="select", worker="select, insert, delete")
    op.execute("reset role")
