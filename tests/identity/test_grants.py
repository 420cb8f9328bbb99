from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.identity.rules.grants import (
    GRANTS,
    allowed,
    key_permissions,
    permissions_of,
    render,
)
from finer.identity.types.access import Permission, Role, Scope


def test_every_role_is_in_the_table() -> None:
    assert set(GRANTS) == set(Role)


def test_permissions_are_named_and_sorted_alike() -> None:
    names = [permission.value for permission in Permission]
    assert names == sorted(names)
    assert all(permission.value.replace(":", "_").upper() == permission.name for permission in Permission)


def test_the_documentation_is_the_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "permissions.md"
    assert page.read_text() == render()


def test_every_permission_is_granted_to_somebody() -> None:
    assert {permission for grants in GRANTS.values() for permission in grants} == set(Permission)


@pytest.mark.parametrize(
    ("role", "never"),
    [
        (
            Role.ADMINISTRATOR,
            {Permission.ALERTS_ASSIGN, Permission.ALERTS_RESOLVE, Permission.DECISIONS_WRITE, Permission.EVENTS_WRITE},
        ),
        (Role.SERVICE, {Permission.ALERTS_RESOLVE, Permission.API_KEYS_WRITE, Permission.SESSION_OWN}),
        (Role.EXECUTIVE, {Permission.ALERTS_READ, Permission.QUARANTINE_READ, Permission.RECEIPTS_READ}),
        (
            Role.AUDITOR,
            {
                p
                for p in Permission
                if p.value.endswith((":write", ":resolve", ":run", ":approve", ":decide", ":make", ":assign"))
            },
        ),
        (Role.CUSTOMER, set(Permission) - {Permission.SESSION_OWN}),
    ],
)
def test_what_a_role_must_never_have(role: Role, never: set[Permission]) -> None:
    assert not permissions_of(role) & never


@given(st.sets(st.sampled_from([*Permission, "tenants:burn", ""])))
def test_a_key_never_has_more_than_a_machine_may_have(scopes: set[str]) -> None:
    found = key_permissions(scopes)
    assert found <= permissions_of(Role.SERVICE)
    assert found <= scopes


def test_a_role_without_the_permission_has_no_scope() -> None:
    assert allowed(Role.CUSTOMER, Permission.ALERTS_READ) is None
    assert allowed(Role.CUSTOMER, Permission.SESSION_OWN) is Scope.SELF
    assert allowed(Role.RISK_ANALYST, Permission.ALERTS_READ) is Scope.TEAM
