"""Where the files of lakes are: in a local folder, or under a prefix of S3-compatible object storage."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from finer.kit.errors import InvalidInput
from finer.kit.folders import try_writing
from finer.kit.settings import Settings
from finer.warehouse.errors import LakeUnavailable

_S3 = "s3://"
_CONNECT_S, _ANSWER_S, _ATTEMPTS = 5, 30, 3
_PROBE_S = 8
"""How long who only looks whether the storage is there waits for an answer, once."""


@dataclass(frozen=True)
class Place:
    """A root of files. `root` is what pyarrow's file system calls it, `prefix` what DuckDB puts before that."""

    root: str
    prefix: str
    filesystem: fs.FileSystem

    @property
    def local(self) -> bool:
        """Whether the files are on this machine."""
        return not self.prefix

    def path(self, *parts: str) -> str:
        """A path below the root, as pyarrow takes it."""
        return "/".join((self.root, *parts))

    def address(self, *parts: str) -> str:
        """The same path, as DuckDB takes it."""
        return self.prefix + self.path(*parts)

    def try_out(self) -> None:
        """See whether files can be written here and deleted. Raises LakeUnavailable with what the storage says."""
        if self.local:
            try:
                try_writing(Path(self.root), "The files of the lake are to be there; see FINER_LAKE.")
            except InvalidInput as error:
                raise LakeUnavailable(error.detail) from error
            return
        probe = self.path(f"finer-probe-{uuid.uuid4().hex}")
        try:
            with self.filesystem.open_output_stream(probe) as file:
                file.write(b"finer doctor")
            self.filesystem.delete_file(probe)
        except (OSError, pa.ArrowException) as error:
            said = str(error).rstrip(". ")
            raise LakeUnavailable(
                f"Files cannot be written to {self.prefix}{self.root}, or not deleted there: {said}. The bucket must "
                "exist, and the key may list, read, write and delete under the prefix; see FINER_LAKE_*."
            ) from error

    def prepare(self, *parts: str) -> None:
        """Make a folder where there are folders; object storage has none."""
        if self.local:
            Path(self.path(*parts)).mkdir(parents=True, exist_ok=True)


def tenant_folder(tenant: uuid.UUID) -> str:
    """The name of a tenant's folder below the root."""
    return tenant.hex


def place_of(settings: Settings, *, to_try: bool = False) -> Place:
    """The root of all lakes. Raises LakeUnavailable when FINER_LAKE names neither a folder nor s3://bucket/prefix.

    With `to_try` object storage that does not answer is an error after seconds; without, after a minute and a half.
    """
    if not settings.lake:
        return Place(str(settings.data_path / "lake"), "", fs.LocalFileSystem())
    if "://" not in settings.lake:
        return Place(str(Path(settings.lake).resolve()), "", fs.LocalFileSystem())
    root = settings.lake.removeprefix(_S3).strip("/")
    if not settings.lake.startswith(_S3) or not root:
        raise LakeUnavailable(
            f"FINER_LAKE is {settings.lake!r}. Give a folder, or s3://bucket/prefix for object storage, or leave it "
            "empty for the data folder."
        )
    return Place(root, _S3, _object_storage(*storage_options(settings), to_try))


def storage_options(settings: Settings) -> tuple[str, str, str, str]:
    """Endpoint, region, access key and secret key of the object storage; empty where AWS's own way is meant."""
    return settings.lake_endpoint, settings.lake_region, settings.lake_access_key, settings.lake_secret_key


def endpoint_parts(endpoint: str) -> tuple[str, str]:
    """Scheme and host:port of an endpoint, which may come without a scheme: then it speaks HTTPS."""
    parts = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
    return parts.scheme, parts.netloc


@cache
def _object_storage(endpoint: str, region: str, access_key: str, secret_key: str, to_try: bool) -> fs.FileSystem:
    scheme, host = endpoint_parts(endpoint) if endpoint else ("https", "")
    try:
        return fs.S3FileSystem(
            access_key=access_key or None,
            secret_key=secret_key or None,
            region=region,
            scheme=scheme,
            endpoint_override=host or None,
            connect_timeout=_CONNECT_S,
            request_timeout=_PROBE_S if to_try else _ANSWER_S,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=1 if to_try else _ATTEMPTS),
        )
    except (OSError, ValueError, pa.ArrowException) as error:
        raise LakeUnavailable(
            f"The object storage cannot be used: {error}. See FINER_LAKE_* in settings.md."
        ) from error
