"""What the database's catalogue must say so that one tenant cannot reach another's rows."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

_WORKER, _CARRIED = "finer_worker", "kit_"
"""The worker carries the log of all tenants to where it belongs: what kit keeps it may read, no domain's table."""


class RoleFacts(msgspec.Struct, frozen=True):
    """What the catalogue says about the role that serves."""

    name: str
    superuser: bool
    bypasses: bool
    creates_roles: bool
    acts_as_owner: bool
    owned: list[str]


class PolicyFacts(msgspec.Struct, frozen=True):
    """One policy that applies to the role that serves. `command` is r, a, w, d or * as in pg_policy."""

    name: str
    command: str
    permissive: bool
    using: str | None
    check: str | None


class TableFacts(msgspec.Struct, frozen=True):
    """One table that holds rows of tenants; `column` names the tenant."""

    name: str
    column: str
    enabled: bool
    forced: bool
    partition: bool
    evasions: list[str]
    """Privileges of the role that row-level security does not see."""
    policies: list[PolicyFacts]


def role_problems(role: RoleFacts) -> list[str]:
    """Why this role could pass by row-level security."""
    found = []
    if role.superuser or role.bypasses:
        found.append(f"The role {role.name} passes by row-level security; it must be a plain role.")
    if role.creates_roles:
        found.append(f"The role {role.name} may create roles, so it can make itself any other.")
    if role.acts_as_owner:
        found.append(f"The role {role.name} may act as finer_owner, which can drop the walls.")
    if role.owned:
        found.append(f"The role {role.name} owns {', '.join(sorted(role.owned)[:5])}; owners can drop the walls.")
    return found


def table_problems(role: str, tables: Iterable[TableFacts]) -> list[str]:
    """Which tables of tenants are not walled in, for this role."""
    found = []
    for table in tables:
        if not (table.enabled and table.forced):
            found.append(f"Table {table.name} has no forced row-level security. Run finer migrate.")
        if table.evasions:
            found.append(f"The role {role} has {', '.join(table.evasions)} on {table.name}, which no policy limits.")
        walls = [policy for policy in table.policies if _is_wall(policy, table.column)]
        # A partition without a policy lets nobody in; what comes through its parent is under the parent's policy.
        if not walls and not table.partition:
            found.append(f"Table {table.name} has no policy that keeps tenants apart. Run finer migrate.")
        for policy in table.policies:
            carried = policy.command == "r" and role == _WORKER and table.name.startswith(_CARRIED)
            if policy.permissive and policy not in walls and not carried:
                found.append(f"The policy {policy.name} on {table.name} lets {role} reach rows of other tenants.")
    return found


def _is_wall(policy: PolicyFacts, column: str) -> bool:
    own = f"({column} = (NULLIF(current_setting('finer.tenant'::text, true), ''::text))::uuid)"
    return policy.permissive and policy.command == "*" and policy.using == own and policy.check in (own, None)
