"""The keys of sealed columns."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0008_keys"
down_revision = "0007_scoring"


def upgrade() -> None:
    """Create the table of data keys per firm and person, and that of the installation's own."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(
        "create table kit_keys (tenant_id uuid not null, id uuid not null, subject bytea not null, "
        "version integer not null, wrapped bytea not null, created_at timestamptz not null, superseded_at timestamptz, "
        "constraint pk_kit_keys primary key (tenant_id, id), "
        "constraint uq_kit_keys_tenant_id_subject_version unique (tenant_id, subject, version))"
    )
    # The API seals, but only jobs destroy keys or replace what wraps them.
    protect(op, "kit_keys", api="select, insert", worker="select, insert, update, delete")
    op.execute(
        "create table kit_installation_keys (name text not null, wrapped bytea not null, "
        "created_at timestamptz not null, constraint pk_kit_installation_keys primary key (name))"
    )
    op.execute("grant select, insert on kit_installation_keys to finer_api")
    op.execute("grant select, insert, update on kit_installation_keys to finer_worker")
    op.execute("reset role")
