"""Notifications: what the bell of the web app shows, and who has read what."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0021_notifications"
down_revision = "0020_single_sign_on"

_TABLES = """
create table notifications_notifications (
  tenant_id uuid not null, id uuid not null, sequence bigint not null default nextval('notifications_sequence'),
  kind text not null, severity text not null, title text not null, text text not null, link text not null,
  permission text, user_id uuid, key text, count integer not null default 1, first_at timestamptz not null,
  last_at timestamptz not null, unread_since timestamptz not null, settled_at timestamptz,
  constraint pk_notifications_notifications primary key (tenant_id, id));
create unique index uq_notifications_notifications_open_key on notifications_notifications (tenant_id, key)
  where settled_at is null and key is not null;
create index ix_notifications_notifications_last_at on notifications_notifications (tenant_id, last_at, id);
create index ix_notifications_notifications_sequence on notifications_notifications (tenant_id, sequence);
create table notifications_reads (
  tenant_id uuid not null, notification_id uuid not null, user_id uuid not null, read_at timestamptz not null,
  constraint pk_notifications_reads primary key (tenant_id, notification_id, user_id),
  constraint fk_notifications_reads_tenant_id_notification_id foreign key (tenant_id, notification_id)
    references notifications_notifications (tenant_id, id) on delete cascade)
"""


def upgrade() -> None:
    """Create the tables and their walls."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute("create sequence notifications_sequence")
    for statement in _TABLES.split(";\n"):
        op.execute(statement)
    protect(op, "notifications_notifications", api="select, insert, update", worker="select, insert, update, delete")
    protect(op, "notifications_reads", api="select, insert, update", worker="select, delete")
    op.execute("grant usage on sequence notifications_sequence to finer_api, finer_worker")
    op.execute("reset role")
