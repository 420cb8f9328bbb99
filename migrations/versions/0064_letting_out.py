"""Who undid what was done about a case alone, and how much that let out, so that much is not let out in small parts."""

from __future__ import annotations

from alembic import op

revision = "0064_letting_out"
down_revision = "0061_behaviour"

_STATEMENTS = """
alter table decisions_case_actions add column undone_by_id uuid, add column undone_alone boolean default false not null,
  add column undone_usd_minor bigint default 0 not null, add column two_people text;
drop index ix_decisions_case_actions_alone;
create index ix_decisions_case_actions_alone on decisions_case_actions (tenant_id, asked_at) where alone;
create index ix_decisions_case_actions_undone on decisions_case_actions (tenant_id, settled_at) where undone_alone;
"""


def upgrade() -> None:
    """What was undone before counts for nobody's day: that is over within one."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(_STATEMENTS)
    op.execute("reset role")
