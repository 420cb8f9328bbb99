"""The log has an identity, so that no worker takes up its state of another database."""

from __future__ import annotations

from alembic import op

revision = "0077_log_identity"
down_revision = "0076_label_rows_parted"


def upgrade() -> None:
    """Draw it once. PostgreSQL's own identifier does not do: it is another one after a dump was restored."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute("create table kit_log_identity (id uuid not null, constraint pk_kit_log_identity primary key (id))")
    op.execute("insert into kit_log_identity values (gen_random_uuid())")
    op.execute("grant select on kit_log_identity to finer_worker")
    op.execute("reset role")
