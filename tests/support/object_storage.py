"""S3-compatible object storage on this machine: the server of moto in a process of its own, over loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyarrow import fs

REGION = "us-east-1"
ACCESS_KEY, SECRET_KEY = "test-access-key", "test-secret-key"
_ROOT = Path(__file__).resolve().parents[2]
_PYTHON = _ROOT / ".tools" / "object-storage" / "bin" / "python"


@contextmanager
def object_storage(*buckets: str) -> Iterator[str]:
    """The address of a server that has these buckets. Skips the test where the server is not installed."""
    if not _PYTHON.exists():
        pytest.skip("moto's server is not installed; `make object-storage` installs it.")
    server = subprocess.Popen(
        [_PYTHON, _ROOT / "tests" / "object_storage" / "serve.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        host = f"127.0.0.1:{int(server.stdout.readline())}"
        filesystem = fs.S3FileSystem(
            access_key=ACCESS_KEY,
            secret_key=SECRET_KEY,
            region=REGION,
            scheme="http",
            endpoint_override=host,
            allow_bucket_creation=True,
        )
        for bucket in buckets:
            filesystem.create_dir(bucket)
        yield f"http://{host}"
    finally:
        server.stdin.close()
        server.wait(20)
        server.stdout.close()
