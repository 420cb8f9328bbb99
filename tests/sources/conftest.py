"""A firm whose sources are read sweep by sweep, and what is in the log afterwards."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from finer.app.source_run import SourceRun
from finer.kit.db import Database
from finer.kit.log import decode
from finer.kit.settings import Settings
from finer.sources.service import manage
from finer.sources.service.opening import Surroundings, surroundings_of
from finer.sources.service.reach import Reach
from finer.sources.types import Credentials, Item, Source
from finer.sources.types import Settings as SourceSettings
from tests.support.identity import Firm


@dataclass
class Desk:
    """A firm, its folder, and the means to read its sources."""

    firm: Firm
    folder: Path
    url: str

    @property
    def database(self) -> Database:
        """The test database."""
        return self.firm.database

    @property
    def reach(self) -> Reach:
        """What the firm's sources may reach."""
        return Reach.of(self.firm.settings, self.firm.tenant.slug)

    def surroundings(self) -> Surroundings:
        """What a reader needs of the firm."""
        with self.firm.tx() as tx:
            return surroundings_of(tx, self.reach)

    def add(
        self, settings: SourceSettings, *, contract: str = "transaction", mapping: str = "", name: str = "",
        credentials: Credentials | None = None,
    ) -> Source:  # fmt: skip
        """Add a source."""
        with self.firm.tx() as tx:
            return manage.create(
                tx, self.reach, name=name or f"Source {uuid.uuid4().hex[:8]}", contract=contract, mapping=mapping,
                settings=settings, credentials=credentials or Credentials(),
            )  # fmt: skip

    def run(self, source: Source) -> SourceRun:
        """Who reads the source as it stands now."""
        now = self.now(source)
        admitted = threading.Event()
        admitted.set()
        return SourceRun(self.database, self.firm.settings, self.firm.tenant.id, now.id, now.version, admitted)

    def sweep(self, source: Source, sweeps: int = 1) -> Source:
        """Read it so often; returns it as it stands afterwards."""
        self.run(source).run(sweeps=sweeps)
        return self.now(source)

    def now(self, source: Source) -> Source:
        """The source as it stands."""
        with self.firm.tx() as tx:
            return manage.find(tx, source.id)

    def items(self, source: Source) -> dict[str, Item]:
        """What became of its files."""
        with self.firm.tx() as tx:
            return {item.name: item for item in manage.list_items(tx, source.id, 500, None)}

    def notes(self, source: Source) -> list[str]:
        """Its history."""
        with self.firm.tx() as tx:
            return [note.text for note in manage.history(tx, source.id)]

    def logged(self, stream: str = "transaction") -> list[dict[str, Any]]:
        """The records of the firm in the log, in order."""
        with psycopg.connect(self.url) as connection:
            rows = connection.execute(
                "select payload from kit_log where tenant_id = %s and stream = %s order by partition, base_offset",
                (self.firm.tenant.id, stream),
            ).fetchall()
        return [record for (payload,) in rows for record in decode(payload).to_pylist()]


def made_desk(database: Database, url: str, data_path: Path, folder: Path, hosts: str) -> Desk:
    """A firm that may watch a folder and reach these addresses."""
    slug = f"src-{uuid.uuid4().hex[:10]}"
    settings = Settings(
        database_url=url, data_dir=str(data_path), sources_folders=f"{slug}={folder}", sources_hosts=hosts
    )
    return Desk(Firm.made(database, settings, slug), folder, url)


@pytest.fixture
def desk(database: Database, database_url: str, data_path: Path, tmp_path: Path) -> Desk:
    return made_desk(database, database_url, data_path, tmp_path, "")
