"""Models in versions: candidate, challenger, champion, retired; their cards, and what the monitors saw of them."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0039_models"
down_revision = "0038_rules"

_CHANGEABLE = "state, challenger_at, champion_at, approved_by, retired_at, comparison, watch"
_STATEMENTS = (
    """
alter table scoring_models
  add column version int, add column state text, add column note text not null default '',
  add column author text not null default '', add column owner text not null default '',
  add column challenger_at timestamptz, add column champion_at timestamptz,
  add column approved_by text not null default '', add column retired_at timestamptz,
  add column plan jsonb, add column card jsonb, add column comparison jsonb, add column watch jsonb
""",
    # Until now a model was in force from its registration on, until the next one was registered.
    """
update scoring_models m set state = case when m.active then 'champion' else 'retired' end,
  version = n.version, champion_at = m.registered_at, retired_at = n.next_at
from (
  select tenant_id, id, row_number() over w as version, lead(registered_at) over w as next_at
  from scoring_models window w as (partition by tenant_id, product order by registered_at, id)
) n where n.tenant_id = m.tenant_id and n.id = m.id
""",
    "alter table scoring_models alter column version set not null, alter column state set not null",
    "drop index uq_scoring_models_active",
    "alter table scoring_models drop column active",
    (
        "alter table scoring_models add constraint ck_scoring_models_state "
        "check (state in ('candidate', 'challenger', 'champion', 'retired'))"
    ),
    (
        "alter table scoring_models add constraint uq_scoring_models_tenant_id_product_version "
        "unique (tenant_id, product, version)"
    ),
    "create unique index uq_scoring_models_champion on scoring_models (tenant_id, product) where state = 'champion'",
    (
        "create unique index uq_scoring_models_challenger on scoring_models (tenant_id, product) "
        "where state = 'challenger'"
    ),
    # What a model is never changes; only how far it has come.
    "revoke update on scoring_models from finer_api",
    f"grant update ({_CHANGEABLE}) on scoring_models to finer_api",
    f"grant insert, update ({_CHANGEABLE}) on scoring_models to finer_worker",
    """
create table scoring_watches (
  tenant_id uuid not null, model_id uuid not null, at timestamptz not null, score_psi double precision,
  worst_psi double precision, calibration_ratio double precision, state text not null,
  constraint pk_scoring_watches primary key (tenant_id, model_id, at))
""",
    # The challenger that scored beside, without deciding.
    "alter table fraud_pins add column challenger text, add column challenger_threshold double precision",
    """
create table fraud_explanations (
  tenant_id uuid not null, alert_id uuid not null, event_id text not null, document jsonb not null,
  made_at timestamptz not null, constraint pk_fraud_explanations primary key (tenant_id, alert_id))
""",
    # Until when the alerts of a firm have been explained.
    """
create table fraud_explained (
  tenant_id uuid not null, until timestamptz not null, constraint pk_fraud_explained primary key (tenant_id))
""",
)


def upgrade() -> None:
    """Give models their states, and make the tables of what is told about them."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    # The owner is subject to the walls too; what is in the table belongs to all firms.
    op.execute("alter table scoring_models no force row level security")
    for statement in _STATEMENTS:
        op.execute(statement)
    op.execute("alter table scoring_models force row level security")
    protect(op, "scoring_watches", api="select", worker="select, insert, delete")
    protect(op, "fraud_explanations", api="select", worker="select, insert")
    protect(op, "fraud_explained", worker="select, insert, update")
    op.execute("reset role")
