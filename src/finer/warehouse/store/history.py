"""The lake as it was: which snapshot a moment means, and the files that hold a state."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec

from finer.kit.moments import refuse_to_come
from finer.warehouse.errors import LakeEmpty, SnapshotGone, TableNotFound
from finer.warehouse.store.access import LakeAccess
from finer.warehouse.store.catalogue import Catalogue
from finer.warehouse.store.copies import forget_copies, local_tables
from finer.warehouse.types import LakeTable, Snapshot, TableFiles, TableState


def resolve(catalogue: Catalogue, as_of: datetime | int | None) -> int | None:
    """The snapshot that is meant; None for the newest state. Raises LakeEmpty, SnapshotGone or MomentToCome."""
    if not catalogue.exists():
        raise LakeEmpty("Nothing has reached the lake yet. Send records first; they are there a second later.")
    if as_of is None:
        return None
    if isinstance(as_of, datetime):
        refuse_to_come(as_of, catalogue.time())
        found = catalogue.snapshot_at(as_of)
    else:
        found = as_of if catalogue.has_snapshot(as_of) else None
    if found is None:
        oldest = catalogue.oldest()
        since = "" if oldest is None else f" It remembers back to {oldest:%Y-%m-%d %H:%M:%S} UTC."
        asked = f"{as_of:%Y-%m-%d %H:%M:%S} UTC" if isinstance(as_of, datetime) else f"snapshot {as_of}"
        raise SnapshotGone(f"The lake cannot be seen as of {asked}.{since} GET /api/v1/lake/snapshots lists them.")
    return found


def files(
    access: LakeAccess, tenant: uuid.UUID, as_of: datetime | int | None, *, mentioned_in: str
) -> list[TableFiles]:
    """Every table with its files on this machine, now or as of then.

    Tables whose name does not appear in the text `mentioned_in` come without files: no query can read them, and those
    of object storage would be copied for nothing. Raises LakeEmpty, SnapshotGone, LakeUnavailable or SqlTooLarge.
    """
    text = mentioned_in.lower()
    with access.catalogue() as connection:
        catalogue, place = Catalogue(connection, tenant), access.address(tenant)
        found = catalogue.files(place, resolve(catalogue, as_of))
        if not access.place.local:
            # What the lake has merged or erased is not kept here either.
            forget_copies(access.settings, tenant, catalogue.every_file(place))
    read = [
        table if table.table.name.lower() in text
        else msgspec.structs.replace(table, files=[], deletes={}, partial=set())
        for table in found
    ]  # fmt: skip
    return local_tables(access.settings, tenant, read)


def find_table(
    access: LakeAccess, tenant: uuid.UUID, name: str, as_of: datetime | int | None
) -> tuple[LakeTable, int | None]:
    """A table by its name, and the snapshot that is meant. Raises LakeEmpty, TableNotFound or SnapshotGone."""
    with access.catalogue() as connection:
        catalogue = Catalogue(connection, tenant)
        snapshot = resolve(catalogue, as_of)
        tables = {table.name: table for table in catalogue.tables(snapshot).values()}
    if name not in tables:
        raise TableNotFound(f"There is no table {name!r} in the lake. There are: {', '.join(sorted(tables))}.")
    return tables[name], snapshot


def stored(access: LakeAccess, tenant: uuid.UUID) -> tuple[list[TableState], datetime | None]:
    """How the tables are stored, and from when on the lake can be asked; nothing without a lake."""
    with access.catalogue() as connection:
        catalogue = Catalogue(connection, tenant)
        return (catalogue.storage(), catalogue.oldest()) if catalogue.exists() else ([], None)


def snapshots(access: LakeAccess, tenant: uuid.UUID, limit: int, before: int | None) -> list[Snapshot]:
    """The states that can be seen again, the newest first; none without a lake."""
    with access.catalogue() as connection:
        catalogue = Catalogue(connection, tenant)
        return catalogue.snapshots(limit, before) if catalogue.exists() else []
