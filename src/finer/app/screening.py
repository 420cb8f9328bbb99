"""Screening as a job: everybody against new entries of lists, and new customers against everything on them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from finer.app.job_types import Ground
from finer.identity.types.access import Permission
from finer.kit.actors import SYSTEM
from finer.kit.runs import Counts, Run
from finer.kit.tx import Tx
from finer.notifications import service as notifications
from finer.notifications.types import NewNotification, Severity
from finer.screening.service import lists, subjects
from finer.screening.service.lists import Candidates
from finer.warehouse.errors import LakeEmpty
from finer.warehouse.service import lake as warehouse

_CUSTOMERS_AT_ONCE, _PAYEES_AT_ONCE = 2_000, 500


def screen(ground: Ground, run: Run) -> Counts:
    """Hold everybody against what is new on the lists, then who is new against the whole lists."""
    reader = warehouse.LakeReader(ground.url, ground.settings)
    try:
        counts = _against_new_entries(ground, run, reader)
        found = _new_customers(ground, run, reader)
    finally:
        reader.close()
    counts = {name: counts.get(name, 0) + found.get(name, 0) for name in ("customers", "payees", "hits")}
    if counts["hits"]:
        with ground.database.transaction(run.tenant, SYSTEM) as tx:
            _tell(tx, counts["hits"])
    return counts


def _against_new_entries(ground: Ground, run: Run, reader: warehouse.LakeReader) -> Counts:
    with ground.database.transaction(run.tenant, SYSTEM, read_only=True) as tx:
        waiting = subjects.waiting_lists(tx)
        against = subjects.new_entries(tx, waiting) if waiting else None
    if against is None:
        return {}
    counts = {"customers": 0, "payees": 0, "hits": 0}
    if len(against):
        for rows in _rows(reader, run.tenant, subjects.CUSTOMERS, {}):
            counts["hits"] += _screen(ground, run, rows, against)
            counts["customers"] += len(rows)
            run.progress(counts["customers"])
        after: uuid.UUID | None = None
        while True:
            with ground.database.transaction(run.tenant, SYSTEM) as tx:
                asked, seen, after = subjects.screen_payees(tx, against, after, _PAYEES_AT_ONCE)
            counts["hits"] += asked
            counts["payees"] += seen
            if after is None:
                break
            run.stop_if_cancelled()
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        subjects.note_screened(tx, waiting)
    return counts


def _new_customers(ground: Ground, run: Run, reader: warehouse.LakeReader) -> Counts:
    try:
        ends = {
            row["log_partition"]: row["last"] + 1 for row in reader.read(run.tenant, subjects.LAST_OFFSETS).to_pylist()
        }
    except LakeEmpty:
        return {}
    with ground.database.transaction(run.tenant, SYSTEM, read_only=True) as tx:
        done = subjects.positions(tx)
        behind = {partition: end for partition, end in ends.items() if end > done.get(partition, 0)}
        against = lists.candidates(tx) if behind else None
    counts = {"customers": 0, "hits": 0}
    for partition, end in behind.items():
        arguments = {"partition": partition, "after": done.get(partition, 0), "until": end}
        if against is not None and len(against):
            for rows in _rows(reader, run.tenant, subjects.NEW_CUSTOMERS, arguments):
                counts["hits"] += _screen(ground, run, rows, against)
                counts["customers"] += len(rows)
                run.progress(counts["customers"])
        with ground.database.transaction(run.tenant, SYSTEM) as tx:
            subjects.note_position(tx, partition, end)
    return counts


def _screen(ground: Ground, run: Run, rows: list[dict[str, Any]], against: Candidates) -> int:
    run.stop_if_cancelled()
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        return subjects.screen_customers(tx, rows, against)


def _rows(
    reader: warehouse.LakeReader, tenant: uuid.UUID, query: str, arguments: dict[str, Any]
) -> Iterator[list[dict[str, Any]]]:
    try:
        for batch in reader.stream(tenant, query, arguments, _CUSTOMERS_AT_ONCE):
            yield batch.to_pylist()
    except LakeEmpty:
        return


def _tell(tx: Tx, hits: int) -> None:
    notifications.notify(
        tx,
        NewNotification(
            kind="screening.hits", severity=Severity.WARNING, key="screening.hits", link="/screening",
            title="Screening found somebody who may be on a list",
            text=f"{hits:,} {'hit waits' if hits == 1 else 'hits wait'} for a person to judge.",
            permission=Permission.SCREENING_JUDGE,
        ),
    )  # fmt: skip
