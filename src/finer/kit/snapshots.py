"""State of a process on disk: named arrays with a version and checksums, whole or not at all.

A snapshot is a directory of one file per array and a manifest. It is written beside its place and renamed when it is
durable, so a crash leaves the older one. Whoever reads it gets exactly what was written or SnapshotRefused, and then
rebuilds the state from the log.
"""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from finer.kit.errors import FinerError
from finer.kit.processor_time import stand_behind

Array = np.ndarray[Any, np.dtype[Any]]

_MANIFEST = "manifest.json"
_CHUNK = 1 << 24


class SnapshotRefused(FinerError):
    """A snapshot is not there, damaged, or of another version; nothing was loaded."""

    status = 503
    slug = "snapshot-refused"
    title = "The state cannot be restored from this snapshot"


class _ArrayEntry(msgspec.Struct, frozen=True):
    name: str
    file: str
    dtype: str
    shape: tuple[int, ...]
    crc32: int


class _Manifest(msgspec.Struct, frozen=True):
    kind: str
    version: str
    notes: dict[str, Any]
    arrays: list[_ArrayEntry]


def write_snapshot(
    directory: Path, kind: str, version: str, arrays: Mapping[str, Array], notes: Mapping[str, Any]
) -> None:
    """Write arrays and `notes` (plain JSON values, such as log positions) to `directory`, replacing what is there."""
    partial = directory.with_name(f"{directory.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    entries = []
    for place, (name, array) in enumerate(arrays.items()):
        flat = np.ascontiguousarray(array)
        file = f"{place}.bin"
        crc = _write_file(partial / file, flat)
        entries.append(_ArrayEntry(name, file, flat.dtype.str, flat.shape, crc))
    manifest = msgspec.json.encode(_Manifest(kind, version, dict(notes), entries))
    sealed = manifest + b"\n" + str(zlib.crc32(manifest)).encode()
    _write_file(partial / _MANIFEST, np.frombuffer(sealed, np.uint8))
    _flush(partial)
    old = directory.with_name(f"{directory.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if directory.exists():
        directory.rename(old)
    partial.rename(directory)
    _flush(directory.parent)
    shutil.rmtree(old, ignore_errors=True)


def read_snapshot(
    directory: Path, kind: str, version: str, empty: Callable[[int], Array] | None = None
) -> tuple[dict[str, Array], dict[str, Any]]:
    """Arrays (writable) and notes of a snapshot; `empty(bytes)` may give the memory, uint8, for an array.

    Raises SnapshotRefused when it is missing, incomplete, damaged, or of another kind or version.
    """
    directory = _place(directory)
    manifest = _read_manifest(directory)
    if (manifest.kind, manifest.version) != (kind, version):
        raise SnapshotRefused(
            f"The snapshot in {directory.name} is {manifest.kind} {manifest.version}, but {kind} {version} is wanted. "
            "Replay the log instead."
        )
    arrays = {entry.name: _read_array(directory, entry, empty) for entry in manifest.arrays}
    return arrays, manifest.notes


def read_notes(directory: Path) -> dict[str, Any]:
    """The notes of a snapshot of any kind and version. Raises SnapshotRefused when it is missing or damaged."""
    return _read_manifest(_place(directory)).notes


def write_in_child(write: Callable[[], None]) -> int:
    """Fork, call `write` in the child, and return the child's process id at once.

    The child sees the state as it was at the fork, and the parent goes on changing its own. Ask `child_finished`
    from time to time.
    """
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            stand_behind(10)
            write()
            code = 0
        finally:
            # Not sys.exit: handlers and buffers belong to the parent.
            os._exit(code)
    return pid


def child_finished(pid: int) -> bool | None:
    """None while the child writes, then once True (written) or False (failed)."""
    done, status = os.waitpid(pid, os.WNOHANG)
    return None if done == 0 else os.waitstatus_to_exitcode(status) == 0


def _write_file(path: Path, flat: Array) -> int:
    crc = 0
    data = memoryview(flat.reshape(-1).view(np.uint8).data)
    with path.open("wb") as file:
        for start in range(0, len(data), _CHUNK):
            chunk = data[start : start + _CHUNK]
            crc = zlib.crc32(chunk, crc)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return crc


def _flush(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _place(directory: Path) -> Path:
    if not directory.exists() and (old := directory.with_name(f"{directory.name}.old")).exists():
        return old  # the crash came between the two renames
    return directory


def _read_manifest(directory: Path) -> _Manifest:
    try:
        manifest, _, crc = (directory / _MANIFEST).read_bytes().rpartition(b"\n")
    except OSError as error:
        raise SnapshotRefused(f"There is no snapshot in {directory.name}. Replay the log instead.") from error
    try:
        if int(crc) == zlib.crc32(manifest):
            return msgspec.json.decode(manifest, type=_Manifest)
    except (ValueError, msgspec.MsgspecError):
        pass
    raise SnapshotRefused(f"The manifest of the snapshot in {directory.name} is damaged. Replay the log instead.")


def _read_array(directory: Path, entry: _ArrayEntry, empty: Callable[[int], Array] | None) -> Array:
    dtype = np.dtype(entry.dtype)
    size = dtype.itemsize * int(np.prod(entry.shape, dtype=np.int64))
    data = np.empty(size, np.uint8) if empty is None else empty(size)
    crc = got = 0
    try:
        with (directory / entry.file).open("rb", buffering=0) as file:
            view = memoryview(data.data)
            while got < size and (read := file.readinto(view[got : got + _CHUNK])):
                crc = zlib.crc32(view[got : got + read], crc)
                got += read
            rest = file.read(1)
    except OSError as error:
        raise SnapshotRefused(
            f"The snapshot in {directory.name} lacks {entry.name}. Replay the log instead."
        ) from error
    if got != size or rest or crc != entry.crc32:
        raise SnapshotRefused(
            f"{entry.name} of the snapshot in {directory.name} is damaged or cut off. Replay the log instead."
        )
    return data.view(dtype).reshape(entry.shape)
