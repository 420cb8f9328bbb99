"""A proposal that nobody decided on is closed, and a case action that waited for one can be asked for again."""

from __future__ import annotations

from alembic import op

revision = "0073_expired_proposals"
down_revision = "0069_account_of_actions"

_STATES = {
    "decisions_case_actions": ("proposed", "asked", "done", "failed", "undone", "expired"),
    "identity_proposals": ("waiting", "executed", "rejected", "withdrawn", "expired"),
}


def upgrade() -> None:
    """The job that closes them lets go of what each is about: list entries and machines that nobody admitted."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    for table, states in _STATES.items():
        op.execute(f"alter table {table} drop constraint ck_{table}_state")
        named = ", ".join(f"'{state}'" for state in states)
        op.execute(f"alter table {table} add constraint ck_{table}_state check (state in ({named})) not valid")
        op.execute(f"alter table {table} validate constraint ck_{table}_state")
    op.execute("grant update (state, decided_at) on identity_proposals to finer_worker")
    op.execute("grant update (revoked_at) on identity_api_keys to finer_worker")
    op.execute("grant delete on fraud_list_entries to finer_worker")
    op.execute("reset role")
