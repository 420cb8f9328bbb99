"""Whether the database keeps tenants apart: asked of its catalogue, then tried."""

from __future__ import annotations

import uuid

from finer.identity.rules.isolation import role_problems, table_problems
from finer.identity.service.audit import audit_entry, record_audit
from finer.identity.store.rows import IdentityStore
from finer.identity.store.walls import WallStore
from finer.kit.tx import Tx


def plant_canary(tx: Tx) -> None:
    """Leave one row in this tenant for the isolation check to look for; done again, it changes nothing."""
    if not IdentityStore(tx).audit(1, None):
        record_audit(tx, "isolation:plant", "canary")


def isolation_problems(tx: Tx, planted: uuid.UUID) -> list[str]:
    """Why tenants would not be kept apart, as sentences; empty when they are. `tx` is of another tenant than `planted`.

    Asks the system catalogue about the role and every table of tenants, then tries: a row of the planted tenant must
    not be seen from here, and none can be written.
    """
    store = WallStore(tx.connection)
    role = store.role()
    problems = role_problems(role) + table_problems(role.name, store.walls())
    problems += [f"The view {name} shows rows with its owner's rights." for name in store.views_around()]
    problems += [f"The function {name} has no fixed search_path." for name in store.loose_functions()]
    if foreign := store.foreign_rows(planted):
        problems.append(f"{foreign} rows of another tenant can be read. Run finer migrate, and do not serve.")
    if not store.foreign_write_refused(audit_entry(tx, "isolation:try", "canary", {}, "done"), planted):
        problems.append("A row of another tenant can be written. Run finer migrate, and do not serve.")
    return problems
