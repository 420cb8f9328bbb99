"""A folder of this machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from finer.kit.clock import Clock
from finer.sources.errors import SourceFailed
from finer.sources.rules.files import wanted
from finer.sources.service.readers.files import Listed, Opened, hash_of
from finer.sources.types import FolderSettings

_FILES_MAX = 500_000
_DEPTH_MAX = 16


class Folder:
    """The files below a folder. Links are not followed: they could lead out of what the firm may see."""

    def __init__(self, root: Path, settings: FolderSettings, clock: Clock) -> None:
        self._root, self._settings, self._clock = root, settings, clock
        self._sizes: dict[str, str] = {}
        """The versions of the last listing: a file that grew since then is still being written."""

    def list(self) -> list[Listed]:
        """Every wanted file, however deep."""
        found: list[Listed] = []
        try:
            for relative, status in self._walk(self._root, "", 0):
                found.append(self._listed(relative, status))
                if len(found) > _FILES_MAX:
                    raise SourceFailed(f"There are more than {_FILES_MAX} files below the folder. Split it up.")
        except OSError as error:
            raise SourceFailed(f"The folder {self._settings.folder} cannot be listed: {error.strerror}.") from error
        self._sizes = {one.name: one.version for one in found}
        return found

    @contextmanager
    def open(self, listed: Listed, *, whole: bool) -> Iterator[Opened]:
        """A file, looked up from the root one name after the other, so that no link on the way leads elsewhere."""
        try:
            descriptor = self._descriptor(listed.name)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise SourceFailed(f"{listed.name} cannot be opened: {error.strerror}.") from error
        with os.fdopen(descriptor, "rb") as handle:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise SourceFailed(f"{listed.name} is no ordinary file.")
            try:
                content = hash_of(handle) if whole else b""
            except OSError as error:
                raise SourceFailed(f"{listed.name} cannot be read: {error.strerror}.") from error
            handle.seek(0)
            yield Opened(handle, content)

    def still(self, listed: Listed) -> bool:
        """Whether size and time are those of the listing; a file that was moved away meanwhile was read whole."""
        try:
            return _version((self._root / listed.name).lstat()) == listed.version
        except OSError:
            return True

    def close(self) -> None:
        """There is nothing to let go of."""

    def _walk(self, folder: Path, prefix: str, depth: int) -> Iterator[tuple[str, os.stat_result]]:
        with os.scandir(folder) as entries:
            for entry in entries:
                relative = f"{prefix}{entry.name}"
                try:
                    if entry.is_dir(follow_symlinks=False):
                        if depth < _DEPTH_MAX and not entry.name.startswith("."):
                            yield from self._walk(Path(entry.path), f"{relative}/", depth + 1)
                    elif entry.is_file(follow_symlinks=False) and wanted(relative, self._settings.pattern):
                        relative.encode()
                        yield relative, entry.stat(follow_symlinks=False)
                except (FileNotFoundError, UnicodeEncodeError):
                    continue  # It has gone since the folder was listed, or its name is no text.

    def _listed(self, relative: str, status: os.stat_result) -> Listed:
        version = _version(status)
        modified = datetime.fromtimestamp(status.st_mtime, UTC)
        age = (self._clock.now() - modified).total_seconds()
        # A time ahead of ours must not keep a file waiting for ever: what did not change between two looks is whole.
        still = self._sizes.get(relative) == version
        return Listed(
            relative, version, status.st_size, modified, settled=age >= self._settings.settle_s or (still and age < 0)
        )

    def _descriptor(self, relative: str) -> int:
        *folders, name = relative.split("/")
        at = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for folder in folders:
                inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
                os.close(at)
                at = inner
            return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
        finally:
            os.close(at)


def _version(status: os.stat_result) -> str:
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ino}"
