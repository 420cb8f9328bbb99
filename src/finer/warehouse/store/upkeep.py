"""Keeping a lake small, quick and right: small files merged, old snapshots and files gone, statistics as files say.

All of it goes on while a writer appends. Rows are never changed by it, only where they are.
"""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from finer.kit.late import LateModule
from finer.warehouse.store.access import LakeAccess
from finer.warehouse.store.attachments import Attachments
from finer.warehouse.store.catalogue import Catalogue
from finer.warehouse.store.copies import forget_copies
from finer.warehouse.store.statistics import mend_statistics, wrong_statistics
from finer.warehouse.store.writer import become_unimportant
from finer.warehouse.types import Compaction

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = LateModule("duckdb")

_MB = 2**20
# Files of each size class are merged into files of about `into` bytes when there are enough of them. A row is
# rewritten once per class at most: merging everything into one big file again and again would cost far more.
_CLASSES = ((0, 8 * _MB, 64 * _MB, 2), (8 * _MB, 128 * _MB, 512 * _MB, 6))
_REPLACED_FILES_KEPT = timedelta(hours=1)
_MEMORY_MB = 1024
_SNAPSHOTS_AT_ONCE = 5_000
_ORPHANS_AFTER = timedelta(days=1)


def compact_quietly(access: LakeAccess, tenant: uuid.UUID, now: datetime, keep: timedelta) -> Compaction:
    """One round of upkeep that lets everybody else go first."""
    # A thread of its own, because a thread that made itself less important stays so.
    with ThreadPoolExecutor(1, thread_name_prefix="compaction", initializer=become_unimportant) as pool:
        work = partial(compact, access, tenant, now, keep=keep, grace=_REPLACED_FILES_KEPT, memory_mb=_MEMORY_MB)
        return pool.submit(work).result()


def compact(
    access: LakeAccess, tenant: uuid.UUID, now: datetime, *, keep: timedelta, grace: timedelta, memory_mb: int
) -> Compaction:
    """One round of upkeep. Snapshots older than `keep` are forgotten, files replaced more than `grace` ago deleted.

    Where nothing is to be done, nothing is opened: most tenants are quiet most of the time.
    """
    with access.catalogue() as connection:
        catalogue = Catalogue(connection, tenant)
        if not catalogue.exists():
            return Compaction(0, 0, 0, 0, 0)
        if not _worth_it(catalogue, now, keep, grace) and not wrong_statistics(connection, tenant):
            return Compaction(0, 0, 0, 0, 0)
        catalogue.work_alone()
        attachments = Attachments(access, capacity=1, memory_mb=memory_mb, create=True)
        try:
            with attachments.use(tenant) as lake:
                before = catalogue.count_files()
                for name in catalogue.row_counts():
                    _merge(attachments.duckdb, catalogue, lake, name)
                expired = _expire(attachments.duckdb, catalogue, lake, now - keep)
                deleted = _delete(attachments.duckdb, lake, now, grace)
                after = catalogue.count_files()
                forget_copies(access.settings, tenant, catalogue.every_file(access.address(tenant)))
        finally:
            attachments.close()
        # Last: merged files say what they hold, so that fewer have to be read, and have bounds of their own.
        mended = mend_statistics(access, connection, tenant, memory_mb)
    return Compaction(before, after, expired, deleted, mended)


def _worth_it(catalogue: Catalogue, now: datetime, keep: timedelta, grace: timedelta) -> bool:
    if catalogue.due_deletions(now - grace) or catalogue.old_snapshots(now - keep, 1):
        return True
    return any(
        catalogue.largest_group(name, low, high) >= enough
        for name in catalogue.row_counts()
        for low, high, _, enough in _CLASSES
    )


def _merge(db: duckdb.DuckDBPyConnection, catalogue: Catalogue, lake: str, table: str) -> None:
    for low, high, into, enough in _CLASSES:
        if catalogue.largest_group(table, low, high) < enough:
            continue
        db.execute(f"set ducklake_target_file_size = '{into // _MB}MB'")
        db.execute(
            f"call ducklake_merge_adjacent_files('{lake}', '{table}', min_file_size => {low}, max_file_size => {high})"
        )


def _expire(db: duckdb.DuckDBPyConnection, catalogue: Catalogue, lake: str, before: datetime) -> int:
    expired = 0
    while old := catalogue.old_snapshots(before, _SNAPSHOTS_AT_ONCE):
        db.execute(f"call ducklake_expire_snapshots('{lake}', versions => {old})")
        expired += len(old)
        if len(old) < _SNAPSHOTS_AT_ONCE:
            break
    return expired


def _delete(db: duckdb.DuckDBPyConnection, lake: str, now: datetime, grace: timedelta) -> int:
    # A query that began before the merge may still read the old files: hence the grace.
    replaced = db.execute(
        f"call ducklake_cleanup_old_files('{lake}', older_than => ?::timestamptz)", [now - grace]
    ).fetchall()
    # Files of attempts that never committed.
    orphans = db.execute(
        f"call ducklake_delete_orphaned_files('{lake}', older_than => ?::timestamptz)", [now - _ORPHANS_AFTER]
    ).fetchall()
    return len(replaced) + len(orphans)
