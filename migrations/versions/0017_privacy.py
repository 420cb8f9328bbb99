"""Subject requests, holds, breaches, terms of retention; and what erasing a person has to change."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0017_privacy"
down_revision = "0016_idempotency"

_TABLES = """
create table privacy_requests (
  tenant_id uuid not null, id uuid not null, kind text not null, law text not null, state text not null,
  subject_kind text not null, subject_sealed bytea not null, subject_index bytea not null,
  detail_sealed bytea not null, received_at timestamptz not null, extended boolean not null default false,
  opened_by text not null, proposed_by text, proposed_by_id text, closed_at timestamptz,
  version integer not null default 1, constraint pk_privacy_requests primary key (tenant_id, id));
create index ix_privacy_requests_subject on privacy_requests (tenant_id, subject_index);
create table privacy_request_steps (
  tenant_id uuid not null, id uuid not null, request_id uuid not null, at timestamptz not null, by text not null,
  step text not null, note_sealed bytea not null, constraint pk_privacy_request_steps primary key (tenant_id, id),
  constraint fk_privacy_request_steps_tenant_id_request_id foreign key (tenant_id, request_id)
    references privacy_requests (tenant_id, id));
create index ix_privacy_request_steps_request on privacy_request_steps (tenant_id, request_id);
create table privacy_holds (
  tenant_id uuid not null, id uuid not null, kind text not null, subject_kind text not null,
  subject_sealed bytea not null, subject_index bytea not null, reason_sealed bytea not null, placed_by text not null,
  placed_at timestamptz not null, released_by text, released_at timestamptz,
  constraint pk_privacy_holds primary key (tenant_id, id));
create index ix_privacy_holds_subject on privacy_holds (tenant_id, subject_index);
create table privacy_breaches (
  tenant_id uuid not null, id uuid not null, title_sealed bytea not null, description_sealed bytea not null,
  state text not null, aware_at timestamptz not null, assessed_at timestamptz, people_affected integer,
  opened_by text not null, version integer not null default 1,
  constraint pk_privacy_breaches primary key (tenant_id, id));
create table privacy_breach_notices (
  tenant_id uuid not null, breach_id uuid not null, law text not null, notified_at timestamptz,
  reason text not null default '', constraint pk_privacy_breach_notices primary key (tenant_id, breach_id, law),
  constraint fk_privacy_breach_notices_tenant_id_breach_id foreign key (tenant_id, breach_id)
    references privacy_breaches (tenant_id, id));
create table privacy_retention (
  tenant_id uuid not null, what text not null, days integer not null,
  constraint pk_privacy_retention primary key (tenant_id, what));
"""


def upgrade() -> None:
    """Create the tables of privacy and let jobs do what erasure and retention need."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    forgetful = "select, insert, update, delete"
    protect(op, "privacy_requests", api="select, insert, update", worker=forgetful)
    protect(op, "privacy_request_steps", api="select, insert", worker=forgetful)
    protect(op, "privacy_holds", api="select, insert, update", worker="select, update")
    protect(op, "privacy_breaches", api="select, insert, update", worker="select, update")
    protect(op, "privacy_breach_notices", api="select, insert, update", worker="select")
    protect(op, "privacy_retention", api="select, insert, update", worker="select")
    # Erasing and forgetting are done by jobs only.
    op.execute(
        "grant update (customer_id, account_id, device_id, card_last4, note) on decisions_alerts to finer_worker"
    )
    op.execute("grant update (raw, errors) on ingest_quarantined_records to finer_worker")
    for table in ("totp_factors", "recovery_codes", "passkeys", "pending_sign_ins", "memberships"):
        op.execute(f"grant select (tenant_id, user_id), delete on identity_{table} to finer_worker")
    op.execute("reset role")
