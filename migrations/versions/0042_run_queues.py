"""A run knows its queue, so that it comes back to it: work that people wait for does not stand behind long work."""

from __future__ import annotations

from alembic import op

revision = "0042_run_queues"
down_revision = "0040_cases"


def upgrade() -> None:
    """Runs that exist are of the usual queue."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute("alter table kit_job_runs add column queue text not null default 'runs'")
    op.execute("reset role")
