"""The one table of who may do what: role x permission -> scope. Everything about permissions derives from it.

The route guard, list predicates, `GET /me/permissions` and docs/reference/permissions.md read this table.
Administrators have no money powers; a service account never approves; executives see numbers, not rows.
"""

from __future__ import annotations

from collections.abc import Iterable

from finer.identity.types.access import Permission, Role, Scope

_P, _OWN, _TEAM, _T = Permission, Scope.OWN, Scope.TEAM, Scope.TENANT

_EVERYBODY = {_P.SESSION_OWN: Scope.SELF}

GRANTS: dict[Role, dict[Permission, Scope]] = {
    Role.ADMINISTRATOR: {
        _P.ALERTS_READ: _T,
        _P.ALERTS_SUMMARISE: _T,
        _P.API_KEYS_APPROVE: _T,
        _P.API_KEYS_READ: _T,
        _P.API_KEYS_WRITE: _T,
        _P.AUDIT_EXPORT: _T,
        _P.AUDIT_READ: _T,
        _P.AUDIT_VERIFY: _T,
        _P.BI_CLOSE: _T,
        _P.BI_READ: _T,
        _P.CONTRACTS_READ: _T,
        _P.EXPORTS_APPROVE: _T,
        _P.FIRM_APPROVE: _T,
        _P.FIRM_READ: _T,
        _P.FIRM_WRITE: _T,
        _P.PIPELINE_READ: _T,
        _P.PRIVACY_APPROVE: _T,
        _P.PRIVACY_BREACH: _T,
        _P.PRIVACY_READ: _T,
        _P.PROPOSALS_DECIDE: _T,
        _P.PROPOSALS_READ: _T,
        _P.QUALITY_READ: _T,
        _P.RECEIPTS_READ: _T,
        _P.SECURITY_ALERTS_READ: _T,
        _P.SECURITY_ALERTS_RESOLVE: _T,
        _P.SOURCES_READ: _T,
        _P.SSO_APPROVE: _T,
        _P.SSO_READ: _T,
        _P.SSO_WRITE: _T,
        _P.TEAMS_READ: _T,
        _P.TEAMS_WRITE: _T,
        _P.USERS_APPROVE: _T,
        _P.USERS_READ: _T,
        _P.USERS_WRITE: _T,
        **_EVERYBODY,
    },
    Role.AUDITOR: {
        _P.ALERTS_READ: _T,
        _P.ALERTS_SUMMARISE: _T,
        _P.API_KEYS_READ: _T,
        _P.AUDIT_EXPORT: _T,
        _P.AUDIT_READ: _T,
        _P.AUDIT_VERIFY: _T,
        _P.BI_READ: _T,
        _P.CASES_READ: _T,
        _P.CONTRACTS_READ: _T,
        _P.CONTRACTS_SAMPLE: _T,
        _P.DASHBOARDS_READ: _T,
        _P.DECISIONS_READ: _T,
        _P.FINANCE_READ: _T,
        _P.FIRM_READ: _T,
        _P.JOBS_READ: _T,
        _P.LAKE_READ: _T,
        _P.LINEAGE_READ: _T,
        _P.LISTS_READ: _T,
        _P.MODELS_READ: _T,
        _P.ORDERS_READ: _T,
        _P.PERFORMANCE_READ: _T,
        _P.PIPELINE_READ: _T,
        _P.PRIVACY_READ: _T,
        _P.PROPOSALS_READ: _T,
        _P.QUALITY_READ: _T,
        _P.QUARANTINE_READ: _T,
        _P.RECEIPTS_READ: _T,
        _P.RULES_READ: _T,
        _P.SCREENING_READ: _T,
        _P.SECURITY_ALERTS_READ: _T,
        _P.SOURCES_READ: _T,
        _P.SSO_READ: _T,
        _P.TEAMS_READ: _T,
        _P.USERS_READ: _T,
        **_EVERYBODY,
    },
    Role.CREDIT_OFFICER: {
        _P.ALERTS_READ: _OWN,
        _P.ALERTS_REVEAL: _OWN,
        _P.DASHBOARDS_READ: _T,
        _P.DASHBOARDS_WRITE: _T,
        _P.LINEAGE_READ: _T,
        _P.PROPOSALS_READ: _OWN,
        _P.SQL_RUN: _T,
        _P.TEAMS_READ: _T,
        **_EVERYBODY,
    },
    Role.CUSTOMER: {**_EVERYBODY},
    Role.CUSTOMER_MANAGER: {
        _P.ALERTS_READ: _OWN,
        _P.DASHBOARDS_READ: _T,
        _P.DASHBOARDS_WRITE: _T,
        _P.ORDERS_READ: _T,
        _P.TEAMS_READ: _T,
        _P.PRIVACY_READ: _T,
        _P.PRIVACY_WRITE: _T,
        **_EVERYBODY,
    },
    Role.DATA_ENGINEER: {
        _P.API_KEYS_READ: _T,
        _P.API_KEYS_WRITE: _T,
        _P.BI_CLOSE: _T,
        _P.BI_READ: _T,
        _P.BI_WRITE: _T,
        _P.CONTRACTS_APPROVE: _T,
        _P.CONTRACTS_READ: _T,
        _P.CONTRACTS_SAMPLE: _T,
        _P.CONTRACTS_WRITE: _T,
        _P.DASHBOARDS_READ: _T,
        _P.DASHBOARDS_WRITE: _T,
        _P.EVENTS_WRITE: _T,
        _P.JOBS_READ: _T,
        _P.JOBS_RUN: _T,
        _P.LAKE_EXPORT: _OWN,
        _P.LAKE_READ: _T,
        _P.LINEAGE_READ: _T,
        _P.MODELS_READ: _T,
        _P.PIPELINE_READ: _T,
        _P.PRIVACY_BREACH: _T,
        _P.PRIVACY_EXPORT: _T,
        _P.PRIVACY_READ: _T,
        _P.PRIVACY_WRITE: _T,
        _P.PROPOSALS_DECIDE: _T,
        _P.PROPOSALS_READ: _OWN,
        _P.QUALITY_MANAGE: _T,
        _P.QUALITY_READ: _T,
        _P.QUARANTINE_EDIT: _T,
        _P.QUARANTINE_READ: _T,
        _P.QUARANTINE_RELEASE: _T,
        _P.QUARANTINE_REVEAL: _T,
        _P.RECEIPTS_READ: _T,
        _P.RULES_READ: _T,
        _P.SOURCES_READ: _T,
        _P.SOURCES_WRITE: _T,
        _P.SQL_RUN: _T,
        **_EVERYBODY,
    },
    Role.EXECUTIVE: {
        _P.ALERTS_SUMMARISE: _T,
        _P.CONTRACTS_READ: _T,
        _P.DASHBOARDS_READ: _T,
        _P.DASHBOARDS_WRITE: _T,
        _P.FINANCE_READ: _T,
        _P.JOBS_READ: _T,
        _P.LAKE_READ: _T,
        _P.LINEAGE_READ: _T,
        _P.ORDERS_READ: _T,
        _P.PERFORMANCE_READ: _T,
        _P.PIPELINE_READ: _T,
        _P.QUALITY_READ: _T,
        _P.SOURCES_READ: _T,
        **_EVERYBODY,
    },
    Role.MARKETING_MANAGER: {
        _P.DASHBOARDS_READ: _T,
        _P.DASHBOARDS_WRITE: _T,
        _P.ORDERS_READ: _T,
        _P.PROPOSALS_READ: _OWN,
        _P.SQL_RUN: _T,
        **_EVERYBODY,
    },
    Role.RISK_ANALYST: {
        _P.ALERTS_ASSIGN: _TEAM,
        _P.ALERTS_READ: _TEAM,
        _P.ALERTS_RESOLVE: _TEAM,
        _P.ALERTS_REVEAL: _OWN,
        _P.ALERTS_SUMMARISE: _T,
        _P.CASES_ACT: _OWN,
        _P.CASES_APPROVE: _T,
        _P.CASES_CLOSE: _TEAM,
        _P.CASES_READ: _TEAM,
        _P.CASES_REPORT: _OWN,
        _P.CASES_WORK: _TEAM,
        _P.CONTRACTS_READ: _T,
        _P.CONTRACTS_SAMPLE: _T,
        _P.DASHBOARDS_READ: _T,
        _P.DASHBOARDS_WRITE: _T,
        _P.DECISIONS_READ: _T,
        _P.LABELS_WRITE: _T,
        _P.LAKE_EXPORT: _OWN,
        _P.LAKE_READ: _T,
        _P.LINEAGE_READ: _T,
        _P.LISTS_READ: _T,
        _P.LISTS_WRITE: _T,
        _P.MODELS_APPROVE: _T,
        _P.MODELS_READ: _T,
        _P.MODELS_WRITE: _T,
        _P.PERFORMANCE_READ: _T,
        _P.PIPELINE_READ: _T,
        _P.PROPOSALS_DECIDE: _T,
        _P.PROPOSALS_READ: _OWN,
        _P.QUALITY_READ: _T,
        _P.QUARANTINE_READ: _T,
        _P.RECEIPTS_READ: _T,
        _P.RULES_APPROVE: _T,
        _P.RULES_READ: _T,
        _P.RULES_WRITE: _T,
        _P.SCREENING_APPROVE: _T,
        _P.SCREENING_CHECK: _T,
        _P.SCREENING_JUDGE: _T,
        _P.SCREENING_LISTS: _T,
        _P.SCREENING_READ: _T,
        _P.SQL_RUN: _T,
        _P.TEAMS_READ: _T,
        **_EVERYBODY,
    },
    Role.SERVICE: {
        _P.CASES_CARRY_OUT: _T,
        _P.CONTRACTS_READ: _T,
        _P.DECISIONS_READ: _T,
        _P.DECISIONS_WRITE: _T,
        _P.EVENTS_WRITE: _T,
        _P.JOBS_READ: _T,
        _P.JOBS_RUN: _T,
        _P.LABELS_WRITE: _T,
        _P.LAKE_READ: _T,
        _P.LINEAGE_READ: _T,
        _P.LISTS_READ: _T,
        _P.LISTS_WRITE: _T,
        _P.MODELS_READ: _T,
        _P.PIPELINE_READ: _T,
        _P.QUALITY_READ: _T,
        _P.QUARANTINE_EDIT: _T,
        _P.QUARANTINE_READ: _T,
        _P.QUARANTINE_RELEASE: _T,
        _P.RECEIPTS_READ: _T,
        _P.RULES_READ: _T,
        _P.SCREENING_CHECK: _T,
    },
}


def allowed(role: Role, permission: Permission) -> Scope | None:
    """The scope in which a role has a permission, or None."""
    return GRANTS[role].get(permission)


def permissions_of(role: Role) -> frozenset[Permission]:
    """Everything a role may do."""
    return frozenset(GRANTS[role])


def key_permissions(scopes: Iterable[str]) -> frozenset[Permission]:
    """What a key may do: its scopes, as far as a service account may have them at all."""
    return permissions_of(Role.SERVICE) & {Permission(scope) for scope in scopes if scope in _KNOWN}


_KNOWN = frozenset(permission.value for permission in Permission)


def render() -> str:
    """docs/reference/permissions.md."""
    roles = sorted(Role)
    lines = [
        "# Permissions",
        "",
        "Made from the table in `src/finer/identity/rules/grants.py` by `make docs`; a test compares the two. A cell",
        "is the scope: `tenant` covers every row of the firm; `team` what is the caller's own, what belongs to a team",
        "of the caller, and what nobody has taken yet; `own` what the caller owns; `self` what is about the caller.",
        "Empty means no. A row out of scope answers 404, as one that does not exist.",
        "",
        "| permission | " + " | ".join(role.value.replace("_", " ") for role in roles) + " |",
        "|---" * (len(roles) + 1) + "|",
    ]
    for permission in sorted(Permission):
        cells = [(allowed(role, permission) or "") for role in roles]
        lines.append(f"| `{permission.value}` | " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"
