"""The model registry."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0007_scoring"
down_revision = "0006_ledger"


def upgrade() -> None:
    """Create the tables of scoring."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(
        "create table scoring_models (tenant_id uuid not null, id uuid not null, name text not null, "
        "product text not null, columns text[] not null, text text not null, sha256 text not null, "
        "threshold double precision not null, registered_at timestamptz not null, active boolean not null, "
        "constraint pk_scoring_models primary key (tenant_id, id))"
    )
    op.execute("create unique index uq_scoring_models_active on scoring_models (tenant_id, product) where active")
    protect(op, "scoring_models", api="select, insert, update", worker="select")
    op.execute("reset role")
