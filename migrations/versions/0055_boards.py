"""How the system did minute by minute, and what became of each day's payments, for those who steer a firm."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0055_boards"
down_revision = "0052_dashboards"

_TABLES = (
    """
create table operations_gauges (
  tenant_id uuid not null, name text not null, label text not null, step_s int not null, bucket timestamptz not null,
  samples bigint not null, total double precision not null, highest double precision not null,
  constraint pk_operations_gauges primary key (tenant_id, name, label, step_s, bucket),
  constraint ck_operations_gauges_step_s check (step_s in (60, 3600)))
""",
    """
create table operations_outcomes (
  tenant_id uuid not null, as_of timestamptz not null, document jsonb not null,
  constraint pk_operations_outcomes primary key (tenant_id))
""",
)


def upgrade() -> None:
    """Create the tables and their walls."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    for statement in _TABLES:
        op.execute(statement)
    protect(op, "operations_gauges", api="select", worker="select, insert, update, delete")
    protect(op, "operations_outcomes", api="select", worker="select, insert, update")
    op.execute("reset role")
