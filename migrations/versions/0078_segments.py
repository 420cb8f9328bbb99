"""Segments of customers, and how many they were by day."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0078_segments"
down_revision = "0077_log_identity"

_TABLES = """
create table segments_segments (tenant_id uuid not null, id uuid not null, owner_id uuid not null, content_sealed bytea
  not null, version integer default 1 not null, archived_at timestamptz, created_at timestamptz not null, changed_at
  timestamptz not null, constraint pk_segments_segments primary key (tenant_id, id));
create table segments_sizes (tenant_id uuid not null, segment_id uuid not null, day date not null, people bigint,
  customers bigint not null, version integer not null, counted_at timestamptz not null, problem text default '' not
  null, constraint pk_segments_sizes primary key (tenant_id, segment_id, day), constraint
  fk_segments_sizes_tenant_id_segment_id foreign key (tenant_id, segment_id) references segments_segments (tenant_id,
  id) on delete cascade);
"""


def upgrade() -> None:
    """Nobody has a segment yet. The job counts; it seals anew what a key of age sealed, and makes none itself."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(_TABLES)
    protect(op, "segments_segments", api="select, insert, update", worker="select, update")
    protect(op, "segments_sizes", api="select", worker="select, insert, update, delete")
    op.execute("reset role")
