"""The one table of who may do what: role x permission -> scope. Everything about permissions derives from it.

The route guard, list predicates, `GET /me` and docs/reference/permissions.md read this table. Administrators have no
money powers; a service account never approves; executives see numbers, not rows.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from finer.identity.types import Permission, Role, Scope

_P, _T = Permission, Scope.TENANT

_EVERYBODY = {_P.SESSION_OWN: Scope.SELF}

GRANTS: dict[Role, dict[Permission, Scope]] = {
    Role.ADMINISTRATOR: {
        _P.API_KEYS_READ: _T,
        _P.API_KEYS_WRITE: _T,
        _P.AUDIT_READ: _T,
        _P.PIPELINE_READ: _T,
        _P.RECEIPTS_READ: _T,
        _P.USERS_READ: _T,
        _P.USERS_WRITE: _T,
        **_EVERYBODY,
    },
    Role.AUDITOR: {
        _P.ALERTS_READ: _T,
        _P.ALERTS_SUMMARISE: _T,
        _P.API_KEYS_READ: _T,
        _P.AUDIT_READ: _T,
        _P.DECISIONS_READ: _T,
        _P.PIPELINE_READ: _T,
        _P.QUARANTINE_READ: _T,
        _P.RECEIPTS_READ: _T,
        _P.USERS_READ: _T,
        **_EVERYBODY,
    },
    Role.CREDIT_OFFICER: {**_EVERYBODY},
    Role.CUSTOMER: {**_EVERYBODY},
    Role.CUSTOMER_MANAGER: {**_EVERYBODY},
    Role.DATA_ENGINEER: {
        _P.API_KEYS_READ: _T,
        _P.API_KEYS_WRITE: _T,
        _P.EVENTS_WRITE: _T,
        _P.PIPELINE_READ: _T,
        _P.QUARANTINE_READ: _T,
        _P.RECEIPTS_READ: _T,
        _P.SQL_RUN: _T,
        **_EVERYBODY,
    },
    Role.EXECUTIVE: {_P.ALERTS_SUMMARISE: _T, _P.PIPELINE_READ: _T, **_EVERYBODY},
    Role.MARKETING_MANAGER: {**_EVERYBODY},
    Role.RISK_ANALYST: {
        _P.ALERTS_READ: _T,
        _P.ALERTS_RESOLVE: _T,
        _P.ALERTS_SUMMARISE: _T,
        _P.DECISIONS_READ: _T,
        _P.PIPELINE_READ: _T,
        _P.QUARANTINE_READ: _T,
        _P.RECEIPTS_READ: _T,
        _P.SQL_RUN: _T,
        **_EVERYBODY,
    },
    Role.SERVICE: {
        _P.DECISIONS_READ: _T,
        _P.DECISIONS_WRITE: _T,
        _P.EVENTS_WRITE: _T,
        _P.PIPELINE_READ: _T,
        _P.QUARANTINE_READ: _T,
        _P.RECEIPTS_READ: _T,
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


def owner_only(scope: Scope, caller: uuid.UUID) -> uuid.UUID | None:
    """The list predicate of a scope: None for every row of the tenant, else only rows that belong to this owner.

    Teams do not exist yet, so `team` covers no more than what is the caller's own.
    """
    return None if scope is Scope.TENANT else caller


def covers(scope: Scope, caller: uuid.UUID, owner: uuid.UUID) -> bool:
    """The check of one object, by the same definition as the list predicate."""
    wanted = owner_only(scope, caller)
    return wanted is None or wanted == owner


_KNOWN = frozenset(permission.value for permission in Permission)


def render() -> str:
    """docs/reference/permissions.md."""
    roles = sorted(Role)
    lines = [
        "# Permissions",
        "",
        "Made from the table in `src/finer/identity/rules/grants.py` by `make docs`; a test compares the two. A cell",
        "is the scope: `tenant` covers every row of the firm, `self` what belongs to the caller. Empty means no.",
        "",
        "| permission | " + " | ".join(role.value.replace("_", " ") for role in roles) + " |",
        "|---" * (len(roles) + 1) + "|",
    ]
    for permission in sorted(Permission):
        cells = [(allowed(role, permission) or "") for role in roles]
        lines.append(f"| `{permission.value}` | " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"
