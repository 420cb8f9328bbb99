"""Files of a folder or of object storage: each content once, whatever its name, in bounded memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Protocol

import msgspec

from finer.ingest.types.records import FileGroup
from finer.kit.errors import InvalidInput
from finer.sources.errors import SourceFailed
from finer.sources.service.readers.target import Target, newest
from finer.sources.types import Item, ItemState, Memory, Page

_LOOKED_UP = 500
_TRIED_MAX = 5
_MARKED_EVERY_S = 12 * 3600
_BLOCK = 1 << 20
_SETTLED = (ItemState.DONE, ItemState.SAME, ItemState.FAILED)


@dataclass(frozen=True)
class Listed:
    """A file as a listing shows it; `version` changes when its bytes do, as far as a listing can tell."""

    name: str
    version: str
    size: int
    modified: datetime
    settled: bool = True
    """Whether it is surely whole: nobody is writing it."""


@dataclass
class Opened:
    """A file open for reading. `content` is the SHA-256 of all its bytes; `changed` says whether it is another now."""

    handle: BinaryIO
    content: bytes
    changed: bool = False
    details: dict[str, Any] = field(default_factory=dict)


class Files(Protocol):
    """Where the files are."""

    def list(self) -> list[Listed]:
        """Every file of the source. Raises SourceFailed."""
        ...

    def open(self, listed: Listed, *, whole: bool) -> AbstractContextManager[Opened]:
        """A file, with its hash when it is wanted `whole`. Raises SourceFailed, FileNotFoundError when it has gone."""
        ...

    def still(self, listed: Listed) -> bool:
        """Whether the file is the one that was listed."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class FileReader:
    """Reads every file of a source that is new, oldest first."""

    def __init__(self, files: Files, target: Target, memory: Memory, *, every_s: float, trial: bool = False) -> None:
        self.every_s = every_s
        self._files, self._target, self._memory, self._trial = files, target, memory, trial
        self._sweeps = 0

    def sweep(self) -> Iterator[Page]:
        """Everything that is new and whole; files that are still being written wait for the next sweep."""
        listed = sorted(self._files.list(), key=lambda one: (one.modified, one.name))
        if self._trial:  # the newest, and those before it in case that it cannot be read
            listed = listed[: -_TRIED_MAX - 1 : -1]
        waiting = [one for one in self._unknown(listed) if one.settled or self._trial]
        growing = sum(not one.settled for one in listed)
        for place, one in enumerate(waiting):
            for page in self._take(one):
                page.lag, page.lag_unit = len(waiting) - place - 1 + growing, "files"
                if page.items and page.items[-1].state is ItemState.READING:
                    page.lag += 1
                yield page
        if not waiting:
            yield Page(lag=growing, lag_unit="files")

    def close(self) -> None:
        """Let go of connections."""
        self._files.close()

    def _unknown(self, listed: list[Listed]) -> Iterator[Listed]:
        # It is written down now and then, not every few seconds.
        marks = self._sweeps % max(1, round(_MARKED_EVERY_S / self.every_s)) == 0
        self._sweeps += 1
        for start in range(0, len(listed), _LOOKED_UP):
            part = listed[start : start + _LOOKED_UP]
            known = self._memory.items([one.name for one in part])
            if marks and known:
                self._memory.saw(list(known))
            for one in part:
                seen = known.get(one.name)
                if seen is None or seen.version != one.version or seen.state not in _SETTLED:
                    yield one

    def _take(self, listed: Listed) -> Iterator[Page]:
        try:
            with self._files.open(listed, whole=not self._trial) as opened:
                twin = None if self._trial else self._memory.content(opened.content)
                if twin is not None:
                    yield _same(listed, opened, twin)
                else:
                    yield from self._read(listed, opened)
        except FileNotFoundError:
            yield Page(notes=[f"{listed.name} was moved or deleted before it was read; nothing of it was taken."])

    def _read(self, listed: Listed, opened: Opened) -> Iterator[Page]:
        item = Item(name=listed.name, version=listed.version, size=listed.size, content=opened.content)
        before = self._memory.items([listed.name]).get(listed.name)
        if before is not None and before.content == opened.content and before.state is ItemState.READING:
            item = msgspec.structs.replace(before, version=listed.version)
        done = item.records
        watched = _Watched(opened.handle)
        try:
            for group in self._target.groups(watched, listed.name, listed.name, listed.size):  # type: ignore[arg-type]
                if group.rows_read <= done:
                    continue  # It is in the log already: reading goes on behind it.
                item = _further(item, group)
                page = Page(groups=[group.parsed], what=listed.name, items=[item])
                page.last_record_at = newest(page.groups)
                yield page
            note = (
                "" if self._files.still(listed) else "It was changed while it was read; the new content is taken too."
            )
            item = msgspec.structs.replace(item, state=ItemState.DONE, note=note)
        except InvalidInput as error:
            if watched.broken is not None:
                raise SourceFailed(f"{listed.name} could not be read on: {watched.broken}.") from error
            item = msgspec.structs.replace(item, state=ItemState.FAILED, note=error.detail)
        notes = [f"{listed.name}: {item.note}"] if item.note else []
        yield Page(items=[item], notes=notes)


def _further(item: Item, group: FileGroup) -> Item:
    result = group.parsed.bodies[0]
    return msgspec.structs.replace(
        item,
        state=ItemState.READING,
        records=group.rows_read,
        accepted=item.accepted + result.accepted,
        quarantined=item.quarantined + len(result.refused),
    )


def _same(listed: Listed, opened: Opened, twin: Item) -> Page:
    if twin.name == listed.name:
        note = "Its time has changed, and its content has not: it is not taken again."
    else:
        note = f"It has the same content as {twin.name}, which was taken: it is not taken again."
    item = Item(
        name=listed.name, version=listed.version, size=listed.size, content=opened.content, state=ItemState.SAME,
        note=note,
    )  # fmt: skip
    return Page(items=[item], notes=[f"{listed.name}: {note}"])


def hash_of(handle: BinaryIO) -> bytes:
    """The SHA-256 of what can be read from here on."""
    digest = hashlib.sha256()
    while block := handle.read(_BLOCK):
        digest.update(block)
    return digest.digest()


class _Watched:
    """A file that remembers that reading it failed: a file that is cut off is told from a disk that went away."""

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self.broken: OSError | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            return self._handle.read(size)
        except OSError as error:
            self.broken = error
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handle, name)
