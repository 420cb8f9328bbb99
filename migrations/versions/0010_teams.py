"""Teams, who is in them, and whom alerts are assigned to."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0010_teams"
down_revision = "0009_sealed_people"


def upgrade() -> None:
    """Create teams and memberships, and give alerts an owner and a team."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(
        "create table identity_teams (tenant_id uuid not null, id uuid not null, name text not null, "
        "created_at timestamptz not null, constraint pk_identity_teams primary key (tenant_id, id), "
        "constraint uq_identity_teams_tenant_id_name unique (tenant_id, name))"
    )
    op.execute(
        "create table identity_memberships (tenant_id uuid not null, user_id uuid not null, team_id uuid not null, "
        "constraint pk_identity_memberships primary key (tenant_id, user_id, team_id), "
        "constraint fk_identity_memberships_tenant_id_user_id foreign key (tenant_id, user_id) "
        "references identity_users (tenant_id, id), "
        "constraint fk_identity_memberships_tenant_id_team_id foreign key (tenant_id, team_id) "
        "references identity_teams (tenant_id, id))"
    )
    protect(op, "identity_teams", api="select, insert", worker="select")
    protect(op, "identity_memberships", api="select, insert, delete", worker="select")
    op.execute("alter table decisions_alerts add assignee_id uuid, add team_id uuid")
    op.execute(
        "create index ix_decisions_alerts_assignee on decisions_alerts (tenant_id, assignee_id, state, raised_at, id)"
    )
    op.execute("reset role")
