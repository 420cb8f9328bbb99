"""The files of exports: beside the lakes, so that every machine reaches them, and apart from the lakes' own files."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from finer.kit.ids import show_id
from finer.warehouse.errors import ExportNotReady, ExportTooLarge
from finer.warehouse.store.access import LakeAccess
from finer.warehouse.store.places import tenant_folder
from finer.warehouse.types import Export

_FOLDER = "exports"
_PIECE = 2**20


class Counted:
    """A file that is being written, and how many bytes it has. Writing more than `most` raises ExportTooLarge."""

    closed = False

    def __init__(self, file: Any, most: int) -> None:
        self._file, self._most = file, most
        self.size = 0

    def write(self, piece: Any) -> int:
        """Write, and count."""
        self.size += memoryview(piece).nbytes
        if self.size > self._most:
            raise ExportTooLarge(
                f"The file would have more than the {self._most / 2**30:,.1f} GiB that one export may have. Ask for a "
                "shorter range."
            )
        self._file.write(piece)
        return memoryview(piece).nbytes

    def flush(self) -> None:
        """Nothing waits here."""


@contextmanager
def written(access: LakeAccess, tenant: uuid.UUID, export: Export) -> Iterator[Counted]:
    """The file of an export, to be written; gone again when the block raises."""
    place = access.place
    place.prepare(_FOLDER, tenant_folder(tenant))
    try:
        with place.filesystem.open_output_stream(_path(access, tenant, export)) as file:
            yield Counted(file, access.settings.lake_export_bytes_max)
    except BaseException:
        discard(access, tenant, export)
        raise


def pieces(access: LakeAccess, tenant: uuid.UUID, export: Export) -> Iterator[bytes]:
    """The bytes of a file, opened now. Raises ExportNotReady when it is not there."""
    try:
        file = access.place.filesystem.open_input_stream(_path(access, tenant, export))
    except (OSError, pa.ArrowException) as error:
        raise ExportNotReady(
            f"The file of {show_id('exp', export.id)} is not where it was put. Ask for the export again."
        ) from error
    return _read(file)


def _read(file: Any) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece


def discard(access: LakeAccess, tenant: uuid.UUID, export: Export) -> None:
    """Delete the file of an export; nothing happens without one."""
    try:
        access.place.filesystem.delete_file(_path(access, tenant, export))
    except (FileNotFoundError, OSError):
        return


def _path(access: LakeAccess, tenant: uuid.UUID, export: Export) -> str:
    return access.place.path(_FOLDER, tenant_folder(tenant), f"{export.id.hex}.{export.wanted.format.value}")
