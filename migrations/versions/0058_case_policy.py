"""Due times and checklists of cases by firm, who acted on a case alone, and acts found by what they are about."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0058_case_policy"
down_revision = "0056_walls"

_STATEMENTS = """
create table decisions_case_policies (
  tenant_id uuid not null, version int not null, content jsonb not null, changed_by text not null,
  changed_at timestamptz not null,
  constraint pk_decisions_case_policies primary key (tenant_id, version));
alter table decisions_case_actions add column asked_by_id uuid, add column alone boolean default false not null;
create index ix_decisions_case_actions_target on decisions_case_actions (tenant_id, target, kind, id);
create index ix_decisions_case_actions_alone on decisions_case_actions (tenant_id, asked_by_id, asked_at) where alone;
"""


def upgrade() -> None:
    """Nobody has a policy yet. What was asked for before counts for nobody's day: that is over within one."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(_STATEMENTS)
    # Versions are never changed or deleted: what cases were worked by can be read later.
    protect(op, "decisions_case_policies", api="select, insert", worker="select")
    op.execute("reset role")
