"""Cases with their history, attachments and actions, what was found out about payments, and who works cases."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0040_cases"
down_revision = "0039_models"

_TABLES = (
    """
create table decisions_cases (
  tenant_id uuid not null, id uuid not null, number bigint not null, state text not null default 'open',
  subject_kind text not null, subject text not null, customer_id text, account_id text, typology text not null,
  priority text not null, alerts int not null, open_alerts int not null, amount_usd_minor bigint not null,
  expected_loss_usd_minor bigint not null, opened_at timestamptz not null, last_alert_at timestamptz not null,
  due_at timestamptz not null, rank_at timestamptz not null, assignee_id uuid, team_id uuid, outcome text,
  closed_at timestamptz, closed_by text, checklist jsonb not null, version int not null default 1,
  constraint pk_decisions_cases primary key (tenant_id, id),
  constraint uq_decisions_cases_tenant_id_number unique (tenant_id, number),
  constraint ck_decisions_cases_state check (state in ('open', 'investigating', 'waiting', 'closed')),
  constraint ck_decisions_cases_closed check ((state = 'closed') = (closed_at is not null)),
  constraint ck_decisions_cases_alerts check (open_alerts between 0 and alerts))
""",
    """
create table decisions_case_entries (
  tenant_id uuid not null, id uuid not null, case_id uuid not null, kind text not null, at timestamptz not null,
  made_by text not null, version int not null, text_sealed bytea, detail jsonb not null,
  constraint pk_decisions_case_entries primary key (tenant_id, id))
""",
    """
create table decisions_case_attachments (
  tenant_id uuid not null, id uuid not null, case_id uuid not null, name_sealed bytea not null,
  content_sealed bytea not null, media_type text not null, size int not null, sha256 text not null,
  added_by text not null, added_at timestamptz not null,
  constraint pk_decisions_case_attachments primary key (tenant_id, id))
""",
    """
create table decisions_case_actions (
  tenant_id uuid not null, id uuid not null, case_id uuid not null, kind text not null, state text not null,
  target text not null, amount_usd_minor bigint not null, reason_sealed bytea, asked_by text not null,
  asked_at timestamptz not null, settled_at timestamptz, settled_by text, result text not null default '',
  version int not null default 1,
  constraint pk_decisions_case_actions primary key (tenant_id, id),
  constraint ck_decisions_case_actions_state check (state in ('proposed', 'asked', 'done', 'failed', 'undone')))
""",
    """
create table decisions_judgements (
  tenant_id uuid not null, id uuid not null, alert_id uuid not null, verdict text not null, source text not null,
  known_at timestamptz not null, recorded_at timestamptz not null, made_by text not null, reason_sealed bytea,
  constraint pk_decisions_judgements primary key (tenant_id, id),
  constraint ck_decisions_judgements_known check (known_at <= recorded_at))
""",
    """
create table decisions_analysts (
  tenant_id uuid not null, user_id uuid not null, skills text[] not null, available boolean not null default true,
  last_given_at timestamptz, constraint pk_decisions_analysts primary key (tenant_id, user_id))
""",
    """
create table decisions_case_reports (
  tenant_id uuid not null, case_id uuid not null, document_sealed bytea not null, version int not null,
  changed_by text not null, changed_at timestamptz not null, exported_at timestamptz,
  constraint pk_decisions_case_reports primary key (tenant_id, case_id))
""",
)
_INDEXES = (
    "create index ix_decisions_cases_queue on decisions_cases (tenant_id, rank_at, id) where closed_at is null",
    "create index ix_decisions_cases_newest on decisions_cases (tenant_id, opened_at, id)",
    "create index ix_decisions_cases_subject on decisions_cases (tenant_id, subject_kind, subject)",
    "create index ix_decisions_cases_assignee on decisions_cases (tenant_id, assignee_id, rank_at, id)",
    "create index ix_decisions_case_entries_case on decisions_case_entries (tenant_id, case_id, id)",
    "create index ix_decisions_case_attachments_case on decisions_case_attachments (tenant_id, case_id, id)",
    "create index ix_decisions_case_actions_case on decisions_case_actions (tenant_id, case_id, id)",
    "create index ix_decisions_case_actions_state on decisions_case_actions (tenant_id, state, id)",
    "create index ix_decisions_judgements_alert on decisions_judgements (tenant_id, alert_id, known_at, id)",
    "create index ix_decisions_alerts_case on decisions_alerts (tenant_id, case_id)",
    """
create index ix_decisions_alerts_no_case on decisions_alerts (tenant_id, raised_at)
where case_id is null and state = 'open'
""",
)


def upgrade() -> None:
    """Create the tables and their walls; alerts learn which case they belong to."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute("alter table decisions_alerts add column case_id uuid, drop constraint ck_decisions_alerts_state")
    op.execute(
        "alter table decisions_alerts add constraint ck_decisions_alerts_state "
        "check (state in ('open', 'confirmed_fraud', 'dismissed', 'undetermined'))"
    )
    for statement in (*_TABLES, *_INDEXES):
        op.execute(statement)
    # The worker groups alerts into cases, and parts cases from the people that they were about. What was done in a case
    # is never taken back; only what it says of a person goes.
    op.execute("grant update (case_id, assignee_id, team_id) on decisions_alerts to finer_worker")
    protect(op, "decisions_cases", api="select, insert, update", worker="select, insert, update")
    changed = "select, insert, update (text_sealed)"
    protect(op, "decisions_case_entries", api=changed, worker=changed)
    sealed = "update (name_sealed, content_sealed), delete"
    protect(op, "decisions_case_attachments", api=f"select, insert, {sealed}", worker=f"select, {sealed}")
    protect(op, "decisions_case_actions", api="select, insert, update", worker="select, update")
    found = "update (reason_sealed)"
    protect(op, "decisions_judgements", api=f"select, insert, {found}", worker=f"select, {found}")
    protect(op, "decisions_analysts", api="select, insert, update", worker="select")
    protect(op, "decisions_case_reports", api="select, insert, update", worker="select, update, delete")
    # The worker blocks what a case asks to be blocked.
    op.execute("grant insert on fraud_lists, fraud_list_entries to finer_worker")
    op.execute("grant update (from_version) on fraud_list_entries to finer_worker")
    op.execute("reset role")
