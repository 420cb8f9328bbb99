"""Changing refused records by expression: thousands at a time, each held to its contract again."""

from __future__ import annotations

import uuid
from concurrent.futures import Future, ThreadPoolExecutor

from finer.ingest.rules.classes import Guard
from finer.ingest.service.repairs import apply, check_changed, chosen_contract, count_failure, edit_of
from finer.ingest.store.edits import Edit, EditStore
from finer.ingest.types.quarantine import Act
from finer.kit.moments import microseconds
from finer.kit.tx import Tx

PART = 4_000
"""Records that are changed while the server keeps those before them, so that it never waits for long."""


def edit(tx: Tx, act: Act, until: uuid.UUID) -> int:
    """Assign an act's expressions to its next records; returns how many were looked at.

    What cannot be taken apart stays as it is, and what still breaks the contract is counted with the act.
    """
    contract = chosen_contract(tx, act.selection)
    store, at, looked_at = EditStore(tx), tx.now(), 0
    # The server keeps the records of one part while the next is opened, changed and checked.
    with ThreadPoolExecutor(1, thread_name_prefix="edit") as pool:
        kept: list[Future[None]] = []
        for records in store.waiting(act.selection, act.cursor, until, PART):
            looked_at += len(records)
            changed, failed = apply(contract, act.assignments, records)
            for key, count in failed.items():
                act.failed[key] = act.failed.get(key, 0) + count
            edits: list[Edit] = []
            guards: dict[int, Guard] = {}
            for one, errors in zip(changed, check_changed(contract, changed, microseconds(at)), strict=True):
                count_failure(act.failed, errors)
                guard = guards.setdefault(id(one.shape), Guard(one.shape.classified))
                edits.append((one.record.id, edit_of(one.line, one.classes), guard.guarded(errors)))
            if edits:
                act.changed += len(edits)
                # Records of several mappings were changed one mapping behind the other.
                edits.sort(key=lambda one: one[0])
                kept.append(pool.submit(store.keep, act.id, at, edits))
        for part in kept:
            part.result()
    return looked_at
