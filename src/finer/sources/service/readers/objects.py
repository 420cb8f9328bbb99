"""Objects of S3-compatible storage, each copied once to a temporary file of this machine and read from there."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

from pyarrow import fs

from finer.sources.errors import SourceFailed
from finer.sources.rules.files import wanted
from finer.sources.service.reach import Reach
from finer.sources.service.readers.files import Listed, Opened
from finer.sources.types import Credentials, ObjectSettings

_BLOCK = 4 << 20
_OBJECT_BYTES_MAX = 64 << 30
_CONNECT_S, _REQUEST_S = 5, 30


class Objects:
    """The objects below a prefix."""

    def __init__(self, settings: ObjectSettings, credentials: Credentials, reach: Reach) -> None:
        """Raises OutboundRefused, SourceFailed or SourceMisconfigured when the endpoint may not be asked."""
        reach.door().check(settings.endpoint)
        parts = urlsplit(settings.endpoint)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        reach.address_of(parts.hostname or "", port)
        self._root = f"{settings.bucket}/{settings.prefix}".rstrip("/")
        self._settings = settings
        self._storage = fs.S3FileSystem(
            access_key=credentials.user,
            secret_key=credentials.secret,
            region=settings.region,
            scheme=parts.scheme,
            endpoint_override=parts.netloc,
            connect_timeout=_CONNECT_S,
            request_timeout=_REQUEST_S,
            force_virtual_addressing=False,
        )

    def list(self) -> list[Listed]:
        """Every wanted object."""
        folder, _, start = self._settings.prefix.rpartition("/")
        selector = fs.FileSelector(
            f"{self._settings.bucket}/{folder}".rstrip("/"), recursive=True, allow_not_found=False
        )
        try:
            found = self._storage.get_file_info(selector)
        except FileNotFoundError as error:
            if self._bucket_found():
                return []  # storage has no folders: below a prefix may be nothing yet, or nothing any more
            raise SourceFailed(f"There is no bucket {self._settings.bucket} at {self._settings.endpoint}.") from error
        except OSError as error:
            raise SourceFailed(f"The bucket {self._settings.bucket} cannot be listed: {_short(error)}") from error
        begin = f"{self._settings.bucket}/"
        listed = []
        for info in found:
            name = info.path.removeprefix(begin)
            inside = name.removeprefix(folder).lstrip("/").startswith(start)
            if info.type is fs.FileType.File and inside and wanted(name, self._settings.pattern):
                modified = info.mtime or datetime.fromtimestamp(0, UTC)
                listed.append(Listed(name, f"{info.size}-{info.mtime_ns}", info.size, modified))
        return listed

    def _bucket_found(self) -> bool:
        try:
            return self._storage.get_file_info(self._settings.bucket).type is not fs.FileType.NotFound
        except OSError as error:
            raise SourceFailed(f"The bucket {self._settings.bucket} cannot be listed: {_short(error)}") from error

    @contextmanager
    def open(self, listed: Listed, *, whole: bool) -> Iterator[Opened]:
        """The object, copied while it is hashed: what was hashed is what is read, even when the storage goes away."""
        if listed.size > _OBJECT_BYTES_MAX:
            raise SourceFailed(f"{listed.name} is larger than {_OBJECT_BYTES_MAX >> 30} GiB. Split it up.")
        digest, size = hashlib.sha256(), 0
        with tempfile.TemporaryFile(prefix="finer-object-") as copy:
            try:
                # As it is stored: Arrow would unpack what is called .gz, and its size would not be the one listed.
                path = f"{self._settings.bucket}/{listed.name}"
                with self._storage.open_input_stream(path, compression=None) as stream:
                    while block := stream.read(_BLOCK):
                        digest.update(block)
                        copy.write(block)
                        size += len(block)
            except FileNotFoundError:
                raise
            except OSError as error:
                raise SourceFailed(f"{listed.name} cannot be read: {_short(error)}") from error
            if size != listed.size:
                raise SourceFailed(f"{listed.name} came with {size} bytes, and was listed with {listed.size}.")
            copy.seek(0)
            yield Opened(copy, digest.digest() if whole else b"")

    def still(self, listed: Listed) -> bool:  # noqa: ARG002 - the copy is what was hashed
        """What is read is a copy, which nobody changes."""
        return True

    def close(self) -> None:
        """The library closes its connections by itself."""


def _short(error: OSError) -> str:
    return str(error).strip().split("\n", 1)[0][:300]
