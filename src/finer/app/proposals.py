"""Which acts take two people, and what does each of them: the counterpart of flow.py for proposals.

A domain that has such an act adds its kind here; identity keeps and checks proposals without knowing what they do.
"""

from __future__ import annotations

from finer.decisions.service import actions, alerts, reports
from finer.fraud.service import lists, performance, publication, rules, unblocking
from finer.identity.service import audit, firm, machine_approvals, sso_approvals, staff
from finer.identity.service.exports import bulk_export_kind
from finer.identity.service.proposals import Kinds, ProposalKind
from finer.identity.types.access import Permission
from finer.ingest.service import drafts
from finer.scoring.service import models
from finer.screening.service import hits
from finer.warehouse.service import exports, extracts
from finer.workspace.service import runs

_KINDS = (
    ProposalKind(
        name=actions.ACT,
        title="Act on a case of much money",
        propose=Permission.CASES_ACT,
        approve=Permission.CASES_APPROVE,
        version=actions.act_version,
        describe=actions.describe_act,
        execute=actions.execute_act,
        drop=actions.drop_act,
        expire=actions.expire_act,
    ),
    ProposalKind(
        name=drafts.PUBLISH,
        title="Publish a version of a contract",
        propose=Permission.CONTRACTS_WRITE,
        approve=Permission.CONTRACTS_APPROVE,
        version=drafts.publish_version,
        describe=drafts.describe_publication,
        execute=drafts.execute_publication,
    ),
    ProposalKind(
        name=lists.ALLOW,
        title="Allow payments whatever the rules say",
        propose=Permission.LISTS_WRITE,
        approve=Permission.RULES_APPROVE,
        version=lists.allow_version,
        describe=lists.describe_allow,
        execute=lists.execute_allow,
        drop=lists.drop_allow,
    ),
    ProposalKind(
        name=unblocking.UNBLOCK,
        title="Take off a list what it blocks",
        propose=Permission.LISTS_WRITE,
        approve=Permission.RULES_APPROVE,
        version=unblocking.unblock_version,
        describe=unblocking.describe_unblock,
        execute=unblocking.execute_unblock,
    ),
    ProposalKind(
        name=rules.PUBLISH,
        title="Put a rule in force",
        propose=Permission.RULES_WRITE,
        approve=Permission.RULES_APPROVE,
        version=rules.publish_version,
        describe=publication.describe_publication,
        execute=rules.execute_publication,
    ),
    ProposalKind(
        name=hits.DISMISS,
        title="Say that a likely hit of screening is none",
        propose=Permission.SCREENING_JUDGE,
        approve=Permission.SCREENING_APPROVE,
        version=hits.dismiss_version,
        describe=hits.describe_dismissal,
        execute=hits.execute_dismissal,
        drop=hits.drop_dismissal,
    ),
    ProposalKind(
        name=staff.ENABLE,
        title="Let somebody in who can approve for others",
        propose=Permission.USERS_WRITE,
        approve=Permission.USERS_APPROVE,
        version=staff.enable_version,
        describe=staff.describe_enable,
        execute=staff.execute_enable,
    ),
    ProposalKind(
        name=machine_approvals.ENABLE,
        title="Let a machine in",
        propose=Permission.API_KEYS_WRITE,
        approve=Permission.API_KEYS_APPROVE,
        version=machine_approvals.enable_version,
        describe=machine_approvals.describe_enable,
        execute=machine_approvals.execute_enable,
        drop=machine_approvals.drop_enable,
    ),
    ProposalKind(
        name=machine_approvals.WIDEN,
        title="Let a machine in from more places, or for longer",
        propose=Permission.API_KEYS_WRITE,
        approve=Permission.API_KEYS_APPROVE,
        version=machine_approvals.widen_version,
        describe=machine_approvals.describe_widen,
        execute=machine_approvals.execute_widen,
    ),
    ProposalKind(
        name=sso_approvals.CHANGE,
        title="Change who comes in by single sign-on",
        propose=Permission.SSO_WRITE,
        approve=Permission.SSO_APPROVE,
        version=sso_approvals.change_version,
        describe=sso_approvals.describe_change,
        execute=sso_approvals.execute_change,
    ),
    ProposalKind(
        name=firm.LOOSEN,
        title="Ask for a second factor no more",
        propose=Permission.FIRM_WRITE,
        approve=Permission.FIRM_APPROVE,
        version=firm.loosen_version,
        describe=firm.describe_loosen,
        execute=firm.execute_loosen,
    ),
    ProposalKind(
        name=models.PROMOTE,
        title="Let another model decide",
        propose=Permission.MODELS_WRITE,
        approve=Permission.MODELS_APPROVE,
        version=models.promotion_version,
        describe=models.describe_promotion,
        execute=models.execute_promotion,
    ),
    bulk_export_kind(alerts.EXPORT, "Export many alerts", Permission.ALERTS_EXPORT),
    bulk_export_kind(audit.EXPORT, "Export much of the audit trail", Permission.AUDIT_EXPORT),
    bulk_export_kind(reports.EXPORT, "Export a suspicious activity report", Permission.CASES_REPORT),
    bulk_export_kind(performance.EXPORT, "Export many payments behind a number", Permission.DECISIONS_EXPORT),
    bulk_export_kind(lists.EXPORT, "Export a long list", Permission.LISTS_EXPORT),
    bulk_export_kind(exports.EXPORT, "Export much of the lake", Permission.LAKE_EXPORT),
    bulk_export_kind(runs.EXPORT, "Export a large result of SQL", Permission.SQL_RUN),
    ProposalKind(
        name=extracts.OPEN,
        title="Let BI tools read a part of the lake",
        propose=Permission.BI_WRITE,
        approve=Permission.EXPORTS_APPROVE,
        version=extracts.opening_version,
        describe=extracts.describe_opening,
        execute=extracts.execute_opening,
    ),
    ProposalKind(
        name=staff.ROLE,
        title="Change somebody's role",
        propose=Permission.USERS_WRITE,
        approve=Permission.USERS_APPROVE,
        version=staff.role_version,
        describe=staff.describe_role,
        execute=staff.execute_role,
    ),
)
PROPOSAL_KINDS: Kinds = {kind.name: kind for kind in _KINDS}
