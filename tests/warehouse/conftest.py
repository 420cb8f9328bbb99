"""Lakes for tests: in a folder and in object storage, with a writer and batches of made-up records."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from finer.kit.settings import Settings
from finer.warehouse.service import lake as service
from tests.support.object_storage import ACCESS_KEY, REGION, SECRET_KEY, object_storage


@pytest.fixture(scope="session")
def storage_address() -> Iterator[str]:
    """Object storage with the bucket `lakes`."""
    with object_storage("lakes") as address:
        yield address


@pytest.fixture
def local_settings(tmp_path: Path) -> Settings:
    """Settings with a data folder of this test."""
    return Settings(data_dir=str(tmp_path), lake_flush_s=0.05)


@pytest.fixture
def s3_settings(tmp_path: Path, storage_address: str) -> Settings:
    """Settings with a lake in object storage, under a prefix of this test."""
    return Settings(
        data_dir=str(tmp_path),
        lake_flush_s=0.05,
        lake=f"s3://lakes/{uuid.uuid4().hex}",
        lake_endpoint=storage_address,
        lake_region=REGION,
        lake_access_key=ACCESS_KEY,
        lake_secret_key=SECRET_KEY,
    )


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> Settings:
    """Settings of a local lake; of one in object storage too, for modules marked with `both_places`."""
    found: Settings = request.getfixturevalue(getattr(request, "param", "local_settings"))
    return found


both_places = pytest.mark.parametrize(
    "settings", ["local_settings", "s3_settings"], indirect=True, ids=["folder", "s3"]
)


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
