"""Proposals and their approvals, four eyes that the database holds too; and values that were looked at in clear."""

from __future__ import annotations

from alembic import op

from finer.kit.migration import protect

revision = "0018_proposals"
down_revision = "0017_privacy"

_PROPOSALS = """
create table identity_proposals (
  tenant_id uuid not null, id uuid not null, kind text not null, payload text not null, payload_sha256 bytea not null,
  base_version text not null, reason text not null, maker_id uuid not null, made_at timestamptz not null,
  expires_at timestamptz not null, state text not null default 'waiting', decided_at timestamptz,
  constraint pk_identity_proposals primary key (tenant_id, id),
  constraint fk_identity_proposals_tenant_id_maker_id foreign key (tenant_id, maker_id)
    references identity_users (tenant_id, id),
  constraint ck_identity_proposals_hash check (payload_sha256 = sha256(convert_to(payload, 'UTF8'))),
  constraint ck_identity_proposals_state check (state in ('waiting', 'executed', 'rejected', 'withdrawn')),
  constraint ck_identity_proposals_decided check ((state = 'waiting') = (decided_at is null)))
"""
_APPROVALS = """
create table identity_approvals (
  tenant_id uuid not null, proposal_id uuid not null, checker_id uuid not null, approved boolean not null,
  payload_sha256 bytea not null, reason text not null, at timestamptz not null,
  constraint pk_identity_approvals primary key (tenant_id, proposal_id, checker_id),
  constraint fk_identity_approvals_tenant_id_proposal_id foreign key (tenant_id, proposal_id)
    references identity_proposals (tenant_id, id),
  constraint fk_identity_approvals_tenant_id_checker_id foreign key (tenant_id, checker_id)
    references identity_users (tenant_id, id))
"""
# A fault in our own code must not let one person decide alone, so the database refuses it as well.
_CHECK_APPROVAL = """
create function identity_check_approval() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if not exists (select from public.identity_proposals p
                  where p.tenant_id = new.tenant_id and p.id = new.proposal_id and p.maker_id <> new.checker_id
                    and p.payload_sha256 = new.payload_sha256 and p.state = 'waiting' and p.expires_at > new.at) then
    raise exception 'A proposal is decided once, before it expires, as it was made, and not by its maker.';
  end if;
  return new;
end $$
"""
_CHECK_STATE = """
create function identity_check_proposal() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if old.state <> 'waiting' then
    raise exception 'A proposal is decided once.';
  end if;
  if new.state in ('executed', 'rejected') and not exists (
    select from public.identity_approvals a where a.tenant_id = new.tenant_id and a.proposal_id = new.id
       and a.approved = (new.state = 'executed')) then
    raise exception 'A proposal is decided by somebody else than its maker.';
  end if;
  return new;
end $$
"""


def upgrade() -> None:
    """Create the tables of maker and checker, and the triggers that keep them two."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role finer_owner")
    op.execute(_PROPOSALS)
    op.execute("create index ix_identity_proposals_tenant_id_made_at on identity_proposals (tenant_id, made_at)")
    op.execute(_APPROVALS)
    protect(op, "identity_proposals", api="select, insert, update (state, decided_at)", worker="select")
    protect(op, "identity_approvals", api="select, insert", worker="select")
    op.execute(_CHECK_APPROVAL)
    op.execute(_CHECK_STATE)
    op.execute(
        "create trigger check_approval before insert on identity_approvals "
        "for each row execute function identity_check_approval()"
    )
    op.execute(
        "create trigger check_proposal before update on identity_proposals "
        "for each row execute function identity_check_proposal()"
    )
    op.execute(
        "create table identity_reveals (tenant_id uuid not null, id uuid not null, user_id uuid not null, "
        "subject text not null, field text not null, reason text not null, at timestamptz not null, "
        "constraint pk_identity_reveals primary key (tenant_id, id), "
        "constraint fk_identity_reveals_tenant_id_user_id foreign key (tenant_id, user_id) "
        "references identity_users (tenant_id, id))"
    )
    op.execute("create index ix_identity_reveals_tenant_id_user_id_at on identity_reveals (tenant_id, user_id, at)")
    protect(op, "identity_reveals", api="select, insert", worker="select, delete")
    op.execute("reset role")
