"""Lists of sanctions and of exposed persons, who is screened against them, hits, and what people said of them."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0047_screening"
down_revision = "0046_access_signals"

_TABLES = (
    """
create table screening_lists (
  tenant_id uuid not null, id uuid not null, name text not null, kind text not null, description text not null,
  version int not null, screened_version int not null, entries int not null, sha256 text not null,
  author text not null, created_at timestamptz not null, loaded_at timestamptz, deleted_at timestamptz,
  constraint pk_screening_lists primary key (tenant_id, id),
  constraint ck_screening_lists_kind check (kind in ('sanctions', 'pep', 'watchlist')),
  constraint ck_screening_lists_screened check (screened_version <= version))
""",
    """
create table screening_list_loads (
  tenant_id uuid not null, list_id uuid not null, version int not null, file_name text not null, sha256 text not null,
  entries int not null, added int not null, changed int not null, removed int not null, loaded_by text not null,
  loaded_at timestamptz not null,
  constraint pk_screening_list_loads primary key (tenant_id, list_id, version))
""",
    """
create table screening_entries (
  tenant_id uuid not null, list_id uuid not null, entry_id text not null, from_version int not null, to_version int,
  content_hash bytea not null, document jsonb not null,
  constraint pk_screening_entries primary key (tenant_id, list_id, entry_id, from_version),
  constraint ck_screening_entries_versions check (to_version > from_version))
""",
    """
create table screening_subjects (
  tenant_id uuid not null, id uuid not null, kind text not null, reference_index bytea not null,
  profile_index bytea not null, subject_sealed bytea not null, created_at timestamptz not null,
  screened_at timestamptz not null,
  constraint pk_screening_subjects primary key (tenant_id, id),
  constraint uq_screening_subjects_tenant_id_kind_reference_index unique (tenant_id, kind, reference_index),
  constraint ck_screening_subjects_kind check (kind in ('customer', 'payee')))
""",
    """
create table screening_hits (
  tenant_id uuid not null, id uuid not null, subject_id uuid not null, list_id uuid not null, entry_id text not null,
  entry_name text not null, entry_hash bytea not null, profile_index bytea not null, score double precision not null,
  state text not null, again text not null default '', judged_by text not null default '', judged_at timestamptz,
  created_at timestamptz not null, updated_at timestamptz not null, revision int not null,
  constraint pk_screening_hits primary key (tenant_id, id),
  constraint uq_screening_hits_tenant_id_subject_id_list_id_entry_id unique (tenant_id, subject_id, list_id, entry_id),
  constraint ck_screening_hits_score check (score between 0 and 1),
  constraint ck_screening_hits_state check (state in ('open', 'unsure', 'waiting', 'match', 'no_match', 'gone')))
""",
    """
create table screening_judgements (
  tenant_id uuid not null, id uuid not null, hit_id uuid not null, state text not null, reason_sealed bytea not null,
  judged_by text not null, approved_by text not null, judged_at timestamptz not null, entry_hash bytea not null,
  profile_index bytea not null,
  constraint pk_screening_judgements primary key (tenant_id, id),
  constraint ck_screening_judgements_state check (state in ('match', 'no_match', 'unsure')))
""",
    """
create table screening_positions (
  tenant_id uuid not null, partition int not null, next_offset bigint not null,
  constraint pk_screening_positions primary key (tenant_id, partition))
""",
)
_INDEXES = (
    "create unique index uq_screening_lists_name on screening_lists (tenant_id, name) where deleted_at is null",
    """
create unique index uq_screening_entries_now on screening_entries (tenant_id, list_id, entry_id)
where to_version is null
""",
    "create index ix_screening_hits_queue on screening_hits (tenant_id, state, score, id)",
    "create index ix_screening_hits_entry on screening_hits (tenant_id, list_id, entry_id)",
    "create index ix_screening_judgements_hit on screening_judgements (tenant_id, hit_id, id)",
)


def upgrade() -> None:
    """Create the tables and their walls."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    for statement in (*_TABLES, *_INDEXES):
        op.execute(statement)
    # Loads, judgements and hits are never deleted: who was cleared, by whom and against what, must be there to be read.
    protect(op, "screening_lists", api="select, insert, update", worker="select, update (screened_version)")
    protect(op, "screening_list_loads", api="select, insert", worker="select")
    protect(op, "screening_entries", api="select, insert, update (to_version)", worker="select")
    protect(op, "screening_subjects", api="select, insert, update", worker="select, insert, update")
    protect(op, "screening_hits", api="select, insert, update", worker="select, insert, update")
    protect(
        op, "screening_judgements", api="select, insert, update (reason_sealed)",
        worker="select, update (reason_sealed)",
    )  # fmt: skip
    protect(op, "screening_positions", api="select", worker="select, insert, update")
    op.execute("reset role")
