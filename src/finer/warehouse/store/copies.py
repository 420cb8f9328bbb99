"""Copies on this machine of files in object storage, for queries that may neither sign in there nor use the network."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pyarrow as pa

from finer.kit.clock import SystemClock
from finer.kit.settings import Settings
from finer.warehouse.errors import SqlTooLarge
from finer.warehouse.store.access import unavailable
from finer.warehouse.store.places import Place, place_of, tenant_folder
from finer.warehouse.types import TableFiles

_AT_ONCE = 8
_IN_USE_S = 300.0  # longer than any query: a file that was asked for is not taken away under it
_MB = 2**20


def local_tables(settings: Settings, tenant: uuid.UUID, tables: Sequence[TableFiles]) -> list[TableFiles]:
    """The same tables with their files on this machine: as they are for a local lake, copied for object storage.

    Raises SqlTooLarge when the files do not fit in the room for copies, LakeUnavailable when they cannot be read.
    """
    place = place_of(settings)
    if place.local:
        return list(tables)
    folder = copies_folder(settings, tenant)
    wanted = {path: folder / _name(place, tenant, path) for table in tables for path in _paths(table)}
    _make_room(settings, place, wanted)
    missing = [(path, copy) for path, copy in wanted.items() if not _touch(copy)]
    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda one: _copy(place, *one), missing))
    except (OSError, pa.ArrowException) as error:
        raise unavailable("A file of the lake cannot be read from object storage.", error) from error
    return [_moved(table, {path: str(copy) for path, copy in wanted.items()}) for table in tables]


def forget_copies(settings: Settings, tenant: uuid.UUID, known: Iterable[str], *, at_once: bool = False) -> int:
    """Delete the copies of files that the lake does not need any more; returns how many.

    Those that a query may be reading stay for minutes, unless it has to be `at_once`.
    """
    place, folder = place_of(settings), copies_folder(settings, tenant)
    if place.local or not folder.exists():
        return 0
    keep = {folder / _name(place, tenant, path) for path in known}
    gone = [copy for copy in folder.rglob("*.parquet") if copy not in keep and (at_once or not _in_use(copy))]
    for copy in gone:
        copy.unlink(missing_ok=True)
    return len(gone)


def copies_folder(settings: Settings, tenant: uuid.UUID) -> Path:
    """Where a tenant's copies are."""
    return settings.data_path / "lake-copies" / tenant_folder(tenant)


def _paths(table: TableFiles) -> list[str]:
    return [*table.files, *table.deletes.values()]


def _name(place: Place, tenant: uuid.UUID, path: str) -> str:
    return path.removeprefix(place.address(tenant_folder(tenant)) + "/")


def _moved(table: TableFiles, to: dict[str, str]) -> TableFiles:
    return msgspec.structs.replace(
        table,
        files=[to[path] for path in table.files],
        deletes={to[path]: to[deleted] for path, deleted in table.deletes.items()},
        partial={to[path] for path in table.partial},
    )


def _make_room(settings: Settings, place: Place, wanted: dict[str, Path]) -> None:
    room = settings.lake_cache_mb * _MB
    needed = _size_there(place, [path for path, copy in wanted.items() if not copy.exists()])
    here = sum(_size(copy) for copy in wanted.values())
    if needed + here > room:
        raise SqlTooLarge(
            f"The tables of this query have more than the {settings.lake_cache_mb:,} MB that may be copied from object "
            "storage for it. Ask for fewer tables, export what you need, or raise FINER_LAKE_CACHE_MB."
        )
    keep = set(wanted.values())
    others = [copy for copy in (settings.data_path / "lake-copies").rglob("*.parquet") if copy not in keep]
    excess = needed + here + sum(map(_size, others)) - room
    for copy in sorted(others, key=lambda other: other.stat().st_mtime):
        if excess <= 0:
            break
        if not _in_use(copy):
            excess -= _size(copy)
            copy.unlink(missing_ok=True)


def _size_there(place: Place, paths: list[str]) -> int:
    if not paths:
        return 0
    try:
        return sum(one.size or 0 for one in place.filesystem.get_file_info([_plain(place, path) for path in paths]))
    except OSError as error:
        raise unavailable("The object storage does not answer.", error) from error


def _size(copy: Path) -> int:
    try:
        return copy.stat().st_size
    except FileNotFoundError:
        return 0


def _plain(place: Place, path: str) -> str:
    return path.removeprefix(place.prefix)


def _touch(copy: Path) -> bool:
    """Note that a copy is being used; False when there is none."""
    try:
        os.utime(copy)
    except FileNotFoundError:
        return False
    return True


def _in_use(copy: Path) -> bool:
    return SystemClock().now().timestamp() - copy.stat().st_mtime < _IN_USE_S


def _copy(place: Place, path: str, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    # Under a name of its own until it is whole: two queries may want it at the same time.
    unfinished = copy.with_name(f".{copy.name}.{os.getpid()}.{threading.get_native_id()}")
    with place.filesystem.open_input_stream(_plain(place, path)) as source, unfinished.open("wb") as target:
        while piece := source.read(8 * _MB):
            target.write(piece)
    unfinished.rename(copy)
