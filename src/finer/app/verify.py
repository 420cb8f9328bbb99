"""`finer verify`: every invariant of every domain and tenant, and a sample of windows recomputed from the lake."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from finer.app.keys import keyring
from finer.app.pipeline import DECIDED_STREAM
from finer.app.set_aside import nothing_is_set_aside
from finer.decisions import invariants as decisions
from finer.features import service as features
from finer.features.types import WINDOW_MAX
from finer.fraud import invariants as fraud_invariants
from finer.fraud.service import label_rows
from finer.fraud.service import verdicts as fraud
from finer.identity import invariants as identity_invariants
from finer.identity.service import tenants
from finer.ingest import invariants as ingest_invariants
from finer.ingest.service import activity
from finer.ingest.types.receipts import READER
from finer.kit.actors import SYSTEM
from finer.kit.db import NO_TENANT, WORKER, Database
from finer.kit.hashing import hash_text
from finer.kit.log import PostgresLog
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.operations import invariants as operations_invariants
from finer.operations.service import reconciliation
from finer.quality import invariants as quality_invariants
from finer.scoring import invariants as scoring_invariants
from finer.screening import invariants as screening_invariants
from finer.sources import invariants as source_invariants
from finer.warehouse.errors import LakeEmpty
from finer.warehouse.service import lake as warehouse

Check = Callable[[Tx], list[str]]
CHECKS: tuple[Check, ...] = (
    identity_invariants.tenant_exists,
    identity_invariants.keys_expire_after_they_are_made,
    identity_invariants.sessions_keep_their_order,
    identity_invariants.grants_are_known,
    identity_invariants.audit_names_somebody,
    identity_invariants.audit_chain_holds,
    ingest_invariants.every_refused_record_is_kept,
    ingest_invariants.receipts_do_not_overlap,
    ingest_invariants.duplicates_belong_to_receipts,
    source_invariants.counts_add_up,
    decisions.totals_equal_alerts,
    decisions.one_alert_per_event,
    decisions.cases_count_their_alerts,
    decisions.cases_hold_their_subject_only,
    quality_invariants.observations_are_possible,
    quality_invariants.one_open_incident_for_each_monitor,
    scoring_invariants.models_are_as_registered,
    operations_invariants.lengths_agree,
    fraud_invariants.the_rule_set_in_force_is_there,
    fraud_invariants.lists_count_their_entries,
    fraud_invariants.frauds_are_counted_once,
    screening_invariants.lists_count_their_entries,
    screening_invariants.judged_hits_have_a_judgement,
    nothing_is_set_aside,
)
SAMPLE = 200
_SETTLE_S = 20.0
_NEAR = 1e-6  # values are stored as 32-bit floats, unless they are amounts


Tell = Callable[[str, int, int], None]
"""Is told what is checked next, how many parts are done, and how many there are."""


def _nobody(what: str, done: int, total: int) -> None:
    """Nobody wants to know."""


def verify(url: str, settings: Settings, tell: Tell = _nobody) -> list[str]:
    """Every violation found, as sentences that name the tenant; empty when everything holds."""
    database = Database(url, WORKER, connections=2, keys=keyring(settings))
    reader = warehouse.LakeReader(url, settings)
    found: list[str] = []
    try:
        with database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
            firms = tenants.list_tenants(tx)
        for place, tenant in enumerate(firms):
            parts: dict[str, Callable[[], list[str]]] = {
                "what the tables say of one another": partial(_tables, database, tenant.id),
                "whether the lake holds what was accepted": partial(_lake, database, reader, tenant.id),
                "the sums of dashboards": partial(check_sums, database, reader, tenant.id),
                "a sample of windows, from the lake": partial(_windows, database, reader, tenant.id, tenant.timezone),
            }
            for number, (what, check) in enumerate(parts.items()):
                tell(f"{tenant.slug}: {what}", place * len(parts) + number, len(firms) * len(parts))
                found += [f"[{tenant.slug}] {sentence}" for sentence in check()]
    finally:
        reader.close()
        database.close()
    return found


def _tables(database: Database, tenant: uuid.UUID) -> list[str]:
    with database.transaction(tenant, SYSTEM, read_only=True) as tx:
        return [sentence for check in CHECKS for sentence in check(tx)]


def _lake(database: Database, reader: warehouse.LakeReader, tenant: uuid.UUID) -> list[str]:
    """The lake's own invariants, once it holds what the pipeline has consumed; events may go on arriving meanwhile."""
    deadline = time.monotonic() + _SETTLE_S
    while True:
        accepted = _accepted(database, tenant)
        broken = warehouse.broken_invariants(reader, tenant, accepted)
        if broken and time.monotonic() <= deadline:
            time.sleep(0.5)
        elif broken and _accepted(database, tenant) != accepted:
            return warehouse.broken_invariants(reader, tenant, None)  # they keep coming, so that no count is the last
        else:
            return broken


def _accepted(database: Database, tenant: uuid.UUID) -> dict[str, int] | None:
    """How many records of each contract the lake has to hold; None while some are on their way."""
    with database.transaction(tenant, SYSTEM, read_only=True) as tx:
        moving = any(head > done for head, done in PostgresLog.progress(tx.connection, READER).values())
        return None if moving else activity.accepted_by_contract(tx)


def check_sums(
    database: Database, reader: warehouse.LakeReader, tenant: uuid.UUID, settle_s: float = _SETTLE_S
) -> list[str]:
    """Where the sums of a firm's dashboards differ from the lake, which has `settle_s` to hold what they count."""

    def read(query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            rows: list[dict[str, Any]] = reader.read(tenant, query, values).to_pylist()
        except LakeEmpty:
            return []
        return rows

    deadline = time.monotonic() + settle_s
    # Read once: the lake is a second behind the sums, so that sums read anew would be ahead of it in every try.
    with database.transaction(tenant, SYSTEM, snapshot=True) as tx:
        held = reconciliation.expected(tx)
    while True:
        broken = reconciliation.differences(held, read)
        if not broken or time.monotonic() > deadline:
            return broken
        time.sleep(0.5)


def _windows(database: Database, reader: warehouse.LakeReader, tenant: uuid.UUID, zone: str) -> list[str]:
    """A sample of decisions recomputed from the lake's events: every feature value used must come out again."""
    names = fraud.windows().names
    wanted = [warehouse.column_name(name) for name in names]
    held = {column.name for table in reader.tables(tenant) if table.name == "decisions" for column in table.columns}
    if not held.issuperset(wanted):
        return []  # the firm has sent nothing since a window was added, so no decision has used these
    columns = ", ".join(wanted)
    try:
        kept = reader.read(
            tenant,
            f"select log_offset, occurred_at, {columns} from decisions where feature_set = $version "  # noqa: S608 - our own names
            f"order by hash(log_offset) limit {SAMPLE}",
            {"version": fraud.versions()["feature_set"]},
        ).to_pylist()
    except LakeEmpty:
        return []
    if not kept:
        return []
    sample = ", ".join(str(row["log_offset"]) for row in kept)
    query = features.lake_query(
        fraud.windows(),
        fraud.lake_relation(zone),
        order="log_offset",
        where=f"log_offset in ({sample})",
        told=label_rows.told_relation(),
    )
    with database.transaction(tenant, SYSTEM, read_only=True) as tx:
        told = label_rows.told_arguments(tx, min(row["occurred_at"] for row in kept) - WINDOW_MAX)
    again = {row["log_offset"]: row for row in reader.read(tenant, query, told).to_pylist()}
    found = []
    for row in kept:
        computed = again.get(row["log_offset"], {})
        for name in names:
            stored, new = row[warehouse.column_name(name)], computed.get(name)
            if not _same(stored, new):
                found.append(
                    f"Feature {name} of {DECIDED_STREAM} {row['log_offset']} was {stored}, the lake says {new}."
                )
    return found


def _same(stored: Any, computed: Any) -> bool:
    if stored is None or computed is None:
        return stored is None and computed is None
    if isinstance(computed, str):
        return int(stored) == hash_text(computed)
    return math.isclose(float(stored), float(computed), rel_tol=_NEAR, abs_tol=_NEAR)
