"""Lakes for tests: a folder of their own, a writer, and batches of made-up records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from finer.kit.settings import Settings
from finer.warehouse import service


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a data folder of this test."""
    return Settings(data_dir=str(tmp_path), lake_flush_s=0.05)


@pytest.fixture
def access(database_url: str, settings: Settings) -> service.LakeAccess:
    """The lakes of this test."""
    return service.LakeAccess(database_url, settings)


@pytest.fixture
def writer(database_url: str, settings: Settings) -> Iterator[service.LakeWriter]:
    """A running lake writer, closed at the end."""
    found = service.LakeWriter(database_url, settings)
    yield found
    found.close()


@pytest.fixture
def reader(database_url: str, settings: Settings) -> Iterator[service.LakeReader]:
    """A trusted reader, closed at the end."""
    found = service.LakeReader(database_url, settings, memory_mb=256, threads=1)
    yield found
    found.close()
